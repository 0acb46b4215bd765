import type { LoginTicket, OAuth2Client } from 'google-auth-library';
import type { Log } from '../log.ts';

/** What is in an identity token of Google. Nothing here is proof by itself. */
export interface Claims {
  email?: string | undefined;
  emailVerified?: boolean | undefined;
  subject?: string | undefined;
}

/** Verifies signature, issuer, audience and age of a token. Undefined when it must not be trusted. */
export type VerifyToken = (token: string) => Promise<Claims | undefined>;

interface VerifierOptions {
  audiences: readonly string[];
  log: Log;
  /** Where Google publishes its keys; only tests say otherwise. */
  certsUrl?: string | undefined;
}

/** Verifies the identity tokens of Google accounts, with Google's own library. */
export function createIdTokenVerifier(options: VerifierOptions): VerifyToken {
  return createVerifier(options, async (client, idToken, audience) => {
    await client.getFederatedSignonCertsAsync().catch(unavailable);
    return client.verifyIdToken({ idToken, audience });
  });
}

const IAP_ISSUER = 'https://cloud.google.com/iap';
/** How old the keys of Identity-Aware Proxy may be. Google rotates them, and publishes new ones before. */
const KEYS_AGE_MS = 3_600_000;
/** How far our clock and that of Identity-Aware Proxy may be apart. */
const CLOCK_SKEW_MS = 60_000;
/** How often a key that we do not know makes us fetch them. */
const KEYS_INTERVAL_MS = 60_000;

/** Verifies the tokens that Identity-Aware Proxy puts on each request. Their keys are kept for an hour. */
export function createAssertionVerifier(options: VerifierOptions): VerifyToken {
  let keys: Record<string, string> = {};
  let fetched = Number.NEGATIVE_INFINITY;
  const keysFor = async (client: OAuth2Client, token: string) => {
    const { kid } = decode(token.split('.')[0]) ?? {};
    const isKnown = typeof kid === 'string' && Object.hasOwn(keys, kid);
    if (Date.now() - fetched > (isKnown ? KEYS_AGE_MS : KEYS_INTERVAL_MS)) {
      const { pubkeys } = await client.getIapPublicKeysAsync().catch(unavailable);
      [keys, fetched] = [pubkeys as Record<string, string>, Date.now()];
    }
    return keys;
  };
  return createVerifier(options, async (client, token, audience) => {
    const certs = await keysFor(client, token);
    const ticket = await client.verifySignedJwtWithCertsAsync(token, certs, audience, [IAP_ISSUER]);
    // The library takes a token for five minutes after its end, in which somebody may have lost their access.
    const { exp = 0 } = ticket.getPayload() ?? {};
    if (Date.now() > exp * 1000 + CLOCK_SKEW_MS) throw new Error('Token used too late');
    return ticket;
  });
}

class KeysUnavailable extends Error {}
const unavailable = (cause: unknown): never => {
  throw new KeysUnavailable('no keys', { cause });
};

// The library is loaded with the first token that names one of our audiences.
function createVerifier(
  { audiences, log, certsUrl }: VerifierOptions,
  verify: (client: OAuth2Client, token: string, audience: string[]) => Promise<LoginTicket>,
): VerifyToken {
  let client: Promise<OAuth2Client> | undefined;
  return async (token) => {
    // Before anything is loaded or fetched, so that a stranger's token costs nothing.
    if (!audiences.includes(decodeAudience(token) ?? '')) return undefined;
    client ??= createClient(certsUrl);
    try {
      const ticket = await verify(await client, token, [...audiences]);
      return toClaims({ ...ticket.getPayload() });
    } catch (error) {
      if (error instanceof KeysUnavailable) {
        log('ERROR', 'certificates_unavailable', "Google's public keys could not be fetched");
      } else {
        log('WARNING', 'token_refused', `An identity token was refused: ${firstWords(error)}`);
      }
      return undefined;
    }
  };
}

// "Token used too late", "Invalid token signature", …: what follows in the message is the token.
const firstWords = (error: unknown) => /^[A-Za-z ]*/.exec((error as Error).message)?.[0] ?? '';

async function createClient(certsUrl: string | undefined): Promise<OAuth2Client> {
  const { OAuth2Client } = await import('google-auth-library');
  return new OAuth2Client({
    transporterOptions: { timeout: 5_000 },
    ...(certsUrl && {
      endpoints: {
        oauth2FederatedSignonPemCertsUrl: certsUrl,
        oauth2FederatedSignonJwkCertsUrl: certsUrl,
        oauth2IapPublicKeyUrl: certsUrl,
      },
    }),
  });
}

const form = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/** Whether it has the form of a JSON Web Token. */
export const isIdToken = (token: string): boolean => form.test(token);

/** The claims of a token that the platform has verified already. */
export function decodeClaims(token: string): Claims | undefined {
  const payload = decodePayload(token);
  return payload && toClaims(payload);
}

/** The audience that a token claims to be for. */
export function decodeAudience(token: string): string | undefined {
  const payload = decodePayload(token);
  return typeof payload?.['aud'] === 'string' ? payload['aud'] : undefined;
}

const decodePayload = (token: string) =>
  isIdToken(token) ? decode(token.split('.')[1]) : undefined;

function decode(part = ''): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

// The claims that we use, whatever types came.
function toClaims({ email, sub, email_verified: verified }: Record<string, unknown>): Claims {
  return {
    email: typeof email === 'string' ? email : undefined,
    subject: typeof sub === 'string' ? sub : undefined,
    emailVerified: typeof verified === 'boolean' ? verified : undefined,
  };
}
