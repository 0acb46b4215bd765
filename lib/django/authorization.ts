import { SyncError } from '../errors.ts';

/**
 * The Authorization header for a key. Throws SyncError `django_unauthorized` for a key that fits in
 * no header; white space around it is not part of it (secrets made with `echo` end in a newline).
 */
export function authorization(scheme: string, key: string): string {
  const value = key.trim();
  if (!/^[\x20-\x7e]+$/.test(value)) {
    throw new SyncError(
      'django_unauthorized',
      'DJANGO_API_KEY is empty or has characters that no HTTP header can carry: check the value or the secret that it refers to.',
    );
  }
  return `${scheme} ${value}`;
}
