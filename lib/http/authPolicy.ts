import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { type Credential, withRenewal } from '../secrets.ts';
import { type AuthPolicy, type Claims, decodeAudience, isSameKey, toClaims } from './auth.ts';

/** How long a wrong key does not make us ask Secret Manager again. */
const RENEWAL_INTERVAL_MS = 60_000;

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
    isAdminKey: createKeyCheck(adminKey),
    // Without a list of callers every account in the world could get in.
    verifyIdToken: async (token) => (ALLOWED_CALLERS.length > 0 ? verifier(token) : undefined),
  };
}

/**
 * Whether a candidate is the admin key. A key that does not match may be a rotated one, so the
 * secret is fetched once more, at most once a minute.
 */
export function createKeyCheck(adminKey: Credential, now: () => number = Date.now) {
  let renewed = Number.NEGATIVE_INFINITY;
  const mayBeRotated = (isSame: boolean) => {
    if (isSame || now() - renewed < RENEWAL_INTERVAL_MS) return false;
    renewed = now();
    return true;
  };
  return (candidate: string): Promise<boolean> =>
    withRenewal(adminKey, async (key) => isSameKey(candidate, key), { returned: mayBeRotated });
}

interface VerifierOptions {
  audiences: readonly string[];
  log: Log;
  /** Where Google publishes its keys as JWKs; only tests say otherwise. */
  certsUrl?: string | undefined;
}

/**
 * Verifies tokens signed by Google, with Google's own library, which is loaded with the first
 * token that names one of our audiences. Of its messages only the first words are logged.
 */
export function createIdTokenVerifier({ audiences, log, certsUrl }: VerifierOptions) {
  let client: ReturnType<typeof createClient> | undefined;
  return async (token: string): Promise<Claims | undefined> => {
    // Before anything is loaded or fetched, so that a stranger's token costs nothing.
    if (!audiences.includes(decodeAudience(token) ?? '')) return undefined;
    client ??= createClient(certsUrl);
    const verifier = await client;
    try {
      await verifier.getFederatedSignonCertsAsync();
    } catch {
      log('ERROR', 'certificates_unavailable', "Google's public keys could not be fetched");
      return undefined;
    }
    try {
      const ticket = await verifier.verifyIdToken({ idToken: token, audience: [...audiences] });
      return toClaims({ ...ticket.getPayload() });
    } catch (error) {
      log('WARNING', 'token_refused', `An identity token was refused: ${firstWords(error)}`);
      return undefined;
    }
  };
}

// "Token used too late", "Invalid token signature", …: what follows in the message is the token.
const firstWords = (error: unknown) => /^[A-Za-z ]*/.exec((error as Error).message)?.[0] ?? '';

async function createClient(certsUrl: string | undefined) {
  const { OAuth2Client } = await import('google-auth-library');
  return new OAuth2Client({
    transporterOptions: { timeout: 5_000 },
    ...(certsUrl && {
      endpoints: {
        oauth2FederatedSignonPemCertsUrl: certsUrl,
        oauth2FederatedSignonJwkCertsUrl: certsUrl,
      },
    }),
  });
}
