/** The variables whose value may be a reference to Secret Manager. */
export type SecretName = 'DATABASE_URL' | 'DJANGO_API_KEY' | 'ADMIN_API_KEY' | 'NOTIFY_SECRET';

/** One secret value that can be read, and read again when a peer says it is no longer valid. */
export interface Credential {
  /** The value; fetched at most once per instance. Throws SyncError `secrets_unavailable`. */
  get(): Promise<string>;
  /** Fetches the value once more; undefined when it is not a reference or has not changed. */
  refresh(): Promise<string | undefined>;
}

/** A credential that is a plain value: nothing to fetch, nothing to refresh. */
export function fixedCredential(value: string): Credential {
  return { get: async () => value, refresh: async () => undefined };
}
