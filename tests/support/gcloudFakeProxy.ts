import { generateKeyPairSync, sign } from 'node:crypto';
import type { Route } from './gcloudFakeTypes.ts';

// Identity-Aware Proxy: its key, and what it says of those whom it lets pass.
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The keys, by their ids. */
export const proxyKeys: Route[] = [
  [
    'GET',
    /^\/iap\/keys$/,
    () => ({ one: String(publicKey.export({ type: 'spki', format: 'pem' })) }),
  ],
];

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The header x-goog-iap-jwt-assertion of somebody who has signed in, for the service of that audience. */
export function passedBy(audience: string | undefined, email: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'https://cloud.google.com/iap',
    aud: audience,
    sub: 'accounts.google.com:1',
    email,
    iat: now,
    exp: now + 600,
  };
  const signed = `${part({ alg: 'ES256', kid: 'one', typ: 'JWT' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${signed}.${signature.toString('base64url')}`;
}
