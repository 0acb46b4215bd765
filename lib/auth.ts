import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SyncError } from './errors.ts';

/** What is in an identity token of Google; nothing here is proof by itself. */
export interface Claims {
  email?: string | undefined;
  emailVerified?: boolean | undefined;
  subject?: string | undefined;
}

export interface AuthPolicy {
  /** `iam`: the platform has verified the caller before us. `key`: nobody has. */
  mode: 'key' | 'iam';
  /** E-mails; what an empty list means depends on the mode. */
  allowedCallers: readonly string[];
  /** Whether this is the admin key. */
  isAdminKey(candidate: string): Promise<boolean>;
  /** Verifies signature, issuer, audience and age of a token; undefined when it must not be trusted. */
  verifyIdToken(token: string): Promise<Claims | undefined>;
}

/** Compares in a time that tells nothing about where, or whether in length, the two differ. */
export function isSameKey(candidate: string, key: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return key !== '' && timingSafeEqual(digest(candidate), digest(key));
}

/**
 * Who is calling, as a name for the log: an e-mail, or `admin-key`. Throws SyncError unauthorized
 * when the caller has not proved anything, forbidden when it is known but not allowed.
 */
export async function authenticate(
  headers: NodeJS.Dict<string[]>,
  policy: AuthPolicy,
): Promise<string> {
  return policy.mode === 'iam' ? byPlatform(headers, policy) : byKey(headers, policy);
}

async function byKey(headers: NodeJS.Dict<string[]>, policy: AuthPolicy): Promise<string> {
  const token = bearer(headers, 'authorization');
  if (token === undefined) throw unauthorized('Send Authorization: Bearer with the admin key.');
  if (await policy.isAdminKey(token)) return 'admin-key';
  // Behind a public URL nobody has checked a token, so one without its signature proves nothing.
  const claims = isIdToken(token) && !isStripped(token) ? await policy.verifyIdToken(token) : null;
  if (!claims?.email || claims.emailVerified !== true) {
    throw unauthorized('The credential in Authorization is not valid.');
  }
  return allowed(claims.email, policy.allowedCallers, { emptyMeansAll: false });
}

async function byPlatform(headers: NodeJS.Dict<string[]>, policy: AuthPolicy): Promise<string> {
  // With both headers present the platform has checked only the first of these two.
  const identity = bearer(headers, 'x-serverless-authorization');
  const authorization = bearer(headers, 'authorization');
  const claims = decodeClaims(identity ?? authorization ?? '');
  const caller = claims?.email ?? claims?.subject;
  if (!claims || !caller || claims.emailVerified === false) {
    throw unauthorized('No identity token came with this call.');
  }
  if (identity !== undefined && authorization !== undefined && !isIdToken(authorization)) {
    if (!(await policy.isAdminKey(authorization))) {
      throw unauthorized('The admin key in Authorization is not valid.');
    }
  }
  return allowed(caller, policy.allowedCallers, { emptyMeansAll: true });
}

function allowed(
  caller: string,
  callers: readonly string[],
  { emptyMeansAll }: { emptyMeansAll: boolean },
): string {
  const isListed = callers.some((one) => one.toLowerCase() === caller.toLowerCase());
  if (isListed || (emptyMeansAll && callers.length === 0)) return caller;
  throw new SyncError('forbidden', 'This caller is not in ALLOWED_CALLERS.', {
    cause: new Error(`caller ${caller}`),
  });
}

// A repeated header is refused: the platform may have checked the other one.
function bearer(headers: NodeJS.Dict<string[]>, name: string): string | undefined {
  const values = headers[name] ?? [];
  if (values.length === 0) return undefined;
  const match = /^Bearer +([^\s,]+)$/i.exec(values.length === 1 ? String(values[0]).trim() : '');
  if (match) return match[1];
  throw unauthorized(`The ${name} header must be given once, as Bearer and the credential.`);
}

const isStripped = (token: string) => token.endsWith('.SIGNATURE_REMOVED_BY_GOOGLE');

/** Whether it has the form of a JSON Web Token, which no admin key has to our knowledge. */
export const isIdToken = (token: string): boolean => /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(token);

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

function decodePayload(token: string): Record<string, unknown> | undefined {
  if (!isIdToken(token)) return undefined;
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof payload === 'object' && payload !== null ? payload : undefined;
  } catch {
    return undefined;
  }
}

/** The claims that we use, whatever types came. */
export function toClaims(payload: Record<string, unknown>): Claims {
  const { email, sub, email_verified: verified } = payload;
  return {
    email: typeof email === 'string' ? email : undefined,
    subject: typeof sub === 'string' ? sub : undefined,
    emailVerified: typeof verified === 'boolean' ? verified : undefined,
  };
}

const unauthorized = (message: string) => new SyncError('unauthorized', message);

/** What the scheduler says of itself. Anybody can send these headers, so they are only logged. */
export function schedulerHints(headers: IncomingHttpHeaders): Record<string, string> {
  if (headers['x-cloudscheduler'] !== 'true') return {};
  const hints = {
    scheduler_job: headers['x-cloudscheduler-jobname'],
    schedule_time: headers['x-cloudscheduler-scheduletime'],
  };
  return Object.fromEntries(
    Object.entries(hints).filter(
      (hint): hint is [string, string] => /^[\w.:/+-]{1,200}$/.test(String(hint[1])) && !!hint[1],
    ),
  );
}
