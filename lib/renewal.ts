import type { Credential } from './secrets.ts';

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
