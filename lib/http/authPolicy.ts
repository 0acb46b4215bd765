import type { Config } from '../config.ts';
import type { SyncError } from '../errors.ts';
import { createIdTokenVerifier } from '../idToken.ts';
import type { Log } from '../log.ts';
import type { Credential } from '../secrets.ts';
import { type AuthPolicy, isSameKey } from './auth.ts';

/** How long a wrong key does not make us ask Secret Manager again. */
const REFRESH_INTERVAL_MS = 60_000;

/** The rules of authentication as the environment sets them. */
export function createAuthPolicy(
  config: Config<'auth'>['auth'],
  adminKey: Credential,
  log: Log,
): AuthPolicy {
  const { AUTH_MODE, ALLOWED_CALLERS, AUTH_AUDIENCE, AUTH_CERTS_URL } = config;
  const verifier = createIdTokenVerifier({
    audiences: AUTH_AUDIENCE,
    certsUrl: AUTH_CERTS_URL,
    log,
  });
  return {
    mode: AUTH_MODE,
    allowedCallers: ALLOWED_CALLERS,
    isAdminKey: createKeyCheck(adminKey, log),
    // Without a list of callers every account in the world could get in.
    verifyIdToken: async (token) => (ALLOWED_CALLERS.length > 0 ? verifier(token) : undefined),
  };
}

/**
 * Whether a candidate is the admin key. A key that does not match may be a rotated one, so the
 * secret is fetched once more, at most once a minute.
 */
export function createKeyCheck(adminKey: Credential, log: Log, now: () => number = Date.now) {
  let refreshed = Number.NEGATIVE_INFINITY;
  return async (candidate: string): Promise<boolean> => {
    if (isSameKey(candidate, await adminKey.get())) return true;
    if (now() - refreshed < REFRESH_INTERVAL_MS) return false;
    refreshed = now();
    try {
      const rotated = await adminKey.refresh();
      return rotated !== undefined && isSameKey(candidate, rotated);
    } catch (error) {
      // The key that we have is as good as before, and this one is not it.
      log('WARNING', 'secret_not_refreshed', (error as SyncError).message);
      return false;
    }
  };
}
