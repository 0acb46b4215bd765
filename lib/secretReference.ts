const short = /^sm:\/\/(?<project>[^/#]+)\/(?<secret>[^/#]+)(?:#(?<version>[^/#]+))?$/;
const full = /^projects\/[^/]+\/(?:locations\/[^/]+\/)?secrets\/[^/]+\/versions\/[^/]+$/;

/** Whether a value refers to Secret Manager: `sm://PROJECT/SECRET[#VERSION]` or the full resource name. */
export function isSecretReference(value: string): boolean {
  return short.test(value) || full.test(value);
}

/** The resource name of the secret version that a reference means; the version defaults to `latest`. */
export function secretVersionName(reference: string): string | undefined {
  if (full.test(reference)) return reference;
  const groups = short.exec(reference)?.groups;
  if (!groups) return undefined;
  return `projects/${groups['project']}/secrets/${groups['secret']}/versions/${groups['version'] ?? 'latest'}`;
}
