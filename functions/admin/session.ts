import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { isSameKey } from '../../lib/http/authPolicy.ts';

/** How long somebody stays signed in, in seconds. */
const SESSION_SECONDS = 8 * 3600;

// Without a script that could read it, and to nobody but us: a cookie named __Host- is refused by browsers
// unless it is Secure, for this host alone, and for all of its paths.
const nameOf = (secure: boolean) => (secure ? '__Host-membership-sync' : 'membership-sync');
const attributes = (secure: boolean) =>
  `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;

/** The Set-Cookie of somebody who has given the admin key. It ends by itself, and when the key is rotated. */
export function signedIn(adminKey: string, secure: boolean, now = Date.now()): string {
  const claim = `${Math.floor(now / 1000) + SESSION_SECONDS}.${randomBytes(12).toString('hex')}`;
  const value = `${claim}.${sign(adminKey, claim)}`;
  return `${nameOf(secure)}=${value}; Max-Age=${SESSION_SECONDS}; ${attributes(secure)}`;
}

/** The Set-Cookie that ends it in this browser. */
export const signedOut = (secure: boolean): string =>
  `${nameOf(secure)}=; Max-Age=0; ${attributes(secure)}`;

/** Whether a Cookie header proves that the admin key was given, and not too long ago; pure. */
export function isSignedIn(
  cookies: string | undefined,
  adminKey: string,
  secure: boolean,
  now = Date.now(),
): boolean {
  const prefix = `${nameOf(secure)}=`;
  const given = (cookies ?? '').split(/; */).filter((cookie) => cookie.startsWith(prefix));
  const [, expiry = '', nonce = '', signature = ''] =
    /^(\d{1,12})\.([0-9a-f]{24})\.([0-9a-f]{64})$/.exec(given[0]?.slice(prefix.length) ?? '') ?? [];
  if (given.length !== 1 || signature === '') return false;
  const rightly = isSameKey(signature, sign(adminKey, `${expiry}.${nonce}`));
  return rightly && Number(expiry) * 1000 > now;
}

function sign(adminKey: string, claim: string): string {
  const key = hkdfSync('sha256', adminKey, '', 'membership-sync admin session', 32);
  return createHmac('sha256', Buffer.from(key)).update(claim).digest('hex');
}
