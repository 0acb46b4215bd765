import { isError, SyncError } from './errors.ts';
import type { Log } from './log.ts';
import type { FetchSecret } from './secretManager.ts';

/** The variables whose value may be a reference to Secret Manager. deploy/settings.sh lists the same. */
export const secretNames = [
  'DATABASE_URL',
  'DATABASE_READER_URL',
  'DJANGO_API_KEY',
  'ADMIN_API_KEY',
  'WEBHOOK_KEY',
  'NOTIFY_SECRET',
] as const;
export type SecretName = (typeof secretNames)[number];

/** One secret value that can be read, and read again when a peer says it is no longer valid. */
export interface Credential {
  /** The value; fetched at most once per instance. Throws SyncError `secrets_unavailable`. */
  get(): Promise<string>;
  /**
   * The value that replaces a refused one. It is fetched, unless another call has fetched it meanwhile.
   * Undefined when there is none: the value is no reference, has not changed, or cannot be read. The last is
   * logged.
   */
  renew(refused: string): Promise<string | undefined>;
}

/** A credential that is a plain value: nothing to fetch, nothing to renew. */
export function fixedCredential(value: string): Credential {
  return { get: async () => value, renew: async () => undefined };
}

interface Sources {
  fetch: FetchSecret;
  /** What is wrong with a value of this variable, or undefined. */
  problemWith(name: SecretName, value: string): string | undefined;
  log: Log;
}

/**
 * The credential behind one variable. A reference is fetched from now on, before the first request asks
 * for it. The first request that meets a failure reports it, and each later one tries again.
 */
export function openCredential(name: SecretName, value: string, sources: Sources): Credential {
  if (!isSecretReference(value)) return fixedCredential(value);
  const versionName = secretVersionName(value) ?? value;
  let current: string | undefined;
  let pending: Promise<string> | undefined;

  const fetch = () => {
    pending ??= fetchValid(name, versionName, sources).finally(() => {
      pending = undefined;
    });
    return pending;
  };
  const get = async () => {
    current ??= await fetch();
    return current;
  };
  const renew = async (refused: string) => {
    if (current !== undefined && current !== refused) return current;
    try {
      current = await fetch();
    } catch (error) {
      // The value stays: what the peer said of it is the better answer.
      sources.log('WARNING', 'secret_not_refreshed', (error as Error).message);
    }
    return current === refused ? undefined : current;
  };

  get().catch(() => {
    // The first request tries again and reports it.
  });
  return { get, renew };
}

async function fetchValid(
  name: SecretName,
  versionName: string,
  { fetch, problemWith, log }: Sources,
): Promise<string> {
  const started = performance.now();
  const value = withoutNewline(await fetch(versionName).catch((cause) => fail(name, cause)));
  const problem = problemWith(name, value);
  if (problem) throw unavailable(name, `the value it has ${problem}`);
  const milliseconds = Math.round(performance.now() - started);
  log('INFO', 'secret_fetched', `Fetched ${name} from Secret Manager`, {
    duration_ms: milliseconds,
  });
  return value;
}

// `echo` and most editors end a value with a newline, which no value of ours means.
const withoutNewline = (value: string) => value.replace(/\r?\n$/, '');

// gRPC status codes, which the library reports over REST as well.
const reasons: Record<string, string> = {
  4: 'no answer in time',
  5: 'there is no such secret or version',
  7: 'this service account may not read it (it needs roles/secretmanager.secretAccessor)',
  9: 'the version is disabled or destroyed',
  14: 'Secret Manager could not be reached',
  16: 'there are no credentials for Secret Manager',
};

function fail(name: SecretName, cause: unknown): never {
  const code = isError(cause) && 'code' in cause ? String(cause.code) : '';
  const message = isError(cause) ? cause.message : '';
  const ours = /^(no answer|the secret|the value)/.test(message) ? message : undefined;
  const credentials = /credential/i.test(message) ? reasons['16'] : undefined;
  throw unavailable(name, reasons[code] ?? ours ?? credentials ?? 'it could not be read', cause);
}

const unavailable = (name: SecretName, why: string, cause?: unknown) =>
  new SyncError('secrets_unavailable', `The secret behind ${name} cannot be used: ${why}.`, {
    ...(cause === undefined ? {} : { cause }),
  });

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
