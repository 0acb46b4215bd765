import { isError, SyncError } from './errors.ts';
import type { Log } from './log.ts';
import type { FetchSecret } from './secretManager.ts';
import {
  headerValue,
  isSecretReference,
  postgresUrl,
  secretVersionName,
  signingKey,
  userAndPassword,
} from './variables.ts';

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

/**
 * What is wrong with the value behind a reference to Secret Manager, in words that do not repeat it.
 * Undefined when the environment itself could have held it.
 */
export function problemWithSecret(nodeEnv: string) {
  return (name: SecretName, value: string): string | undefined => {
    if (value === '') return 'is empty';
    if (isSecretReference(value)) return 'is itself a reference';
    if (ourKeys.has(name) && isTooShort(value, nodeEnv)) return tooShort;
    const form = forms[name] ?? headerValue;
    return form.check(value) ? undefined : form.message;
  };
}

// A secret is read without its scheme beside it.
const djangoKey = {
  check: (value: string) => headerValue.check(value) || userAndPassword.check(value),
  message: headerValue.message,
};

const forms: Partial<Record<SecretName, typeof headerValue>> = {
  DATABASE_URL: postgresUrl,
  DATABASE_READER_URL: postgresUrl,
  DJANGO_API_KEY: djangoKey,
  NOTIFY_SECRET: signingKey,
};

const ourKeys = new Set<SecretName>(['ADMIN_API_KEY', 'WEBHOOK_KEY']);
/** The shortest key of ours accepted outside development and tests, in characters. */
const SHORTEST_KEY = 32;
export const tooShort = `is too short: at least ${SHORTEST_KEY} characters outside development`;
export const isTooShort = (key: string, nodeEnv: string | undefined) =>
  key.length < SHORTEST_KEY && !['development', 'test'].includes(nodeEnv ?? '');

/** How a peer refuses a credential: by what a call returns, or by what it throws. */
interface Refusal<T> {
  returned?: (result: T) => boolean;
  thrown?: (error: unknown) => boolean;
}

/**
 * Calls a peer with a credential, so that a rotated secret fails nothing. When the peer refuses the value,
 * the secret is read again. When it has changed, the call is made once more with the new value; otherwise
 * the refusal stands. Throws what the call throws, and SyncError `secrets_unavailable`.
 */
export async function withRenewal<T>(
  credential: Credential,
  call: (value: string) => Promise<T>,
  { returned = never, thrown = never }: Refusal<T>,
): Promise<T> {
  const value = await credential.get();
  const first = call(value);
  const isRefused = await first.then(returned, thrown);
  const renewed = isRefused ? await credential.renew(value) : undefined;
  return renewed === undefined ? first : call(renewed);
}

const never = () => false;
