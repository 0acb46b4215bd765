import { type Claims, decodeAudience, toClaims } from './http/auth.ts';
import type { Log } from './log.ts';

interface Options {
  audiences: readonly string[];
  log: Log;
  /** Where Google publishes its keys as JWKs; only tests say otherwise. */
  certsUrl?: string | undefined;
}

/**
 * Verifies tokens signed by Google, with Google's own library, which is loaded with the first
 * token that names one of our audiences. Of its messages only the first words are logged.
 */
export function createIdTokenVerifier({ audiences, log, certsUrl }: Options) {
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
