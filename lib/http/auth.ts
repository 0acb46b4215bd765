import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SyncError } from '../errors.ts';

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

/** Who is calling; `name` is an e-mail or `admin-key`, for the log. */
export interface Caller {
  name: string;
  hasAdminKey: boolean;
}

/**
 * Finds out who is calling. Throws SyncError unauthorized when that is not proved; the answer and
 * the log say why, and never repeat the credential.
 */
export async function authenticate(
  headers: NodeJS.Dict<string[]>,
  policy: AuthPolicy,
): Promise<Caller> {
  return policy.mode === 'iam' ? byPlatform(headers, policy) : byKey(headers, policy);
}

/** Throws SyncError forbidden when a known caller may not call. The admin key always may. */
export function authorize(caller: Caller, { mode, allowedCallers }: AuthPolicy): void {
  const name = caller.name.toLowerCase();
  if (mode === 'key' && caller.hasAdminKey) return;
  // IAM has let the caller in already; nobody has where the URL is public.
  if (mode === 'iam' && allowedCallers.length === 0) return;
  if (allowedCallers.some((one) => one.toLowerCase() === name)) return;
  throw new SyncError('forbidden', 'You are known, but not in ALLOWED_CALLERS of this function.');
}

async function byKey(headers: NodeJS.Dict<string[]>, policy: AuthPolicy): Promise<Caller> {
  const token = bearer(headers, 'authorization');
  if (token === undefined) throw unauthorized('Send Authorization: Bearer with the admin key.');
  if (await policy.isAdminKey(token)) return { name: 'admin-key', hasAdminKey: true };
  // Nobody has checked a token before us here, so one without its signature proves nothing.
  const isSigned = isIdToken(token) && !isStripped(token);
  const claims = isSigned ? await policy.verifyIdToken(token) : undefined;
  if (!claims?.email || claims.emailVerified !== true) {
    throw unauthorized('The credential in Authorization is not valid here.');
  }
  return { name: claims.email, hasAdminKey: false };
}

async function byPlatform(headers: NodeJS.Dict<string[]>, policy: AuthPolicy): Promise<Caller> {
  // With both headers present the platform has checked only the first of these two.
  const identity = bearer(headers, 'x-serverless-authorization');
  const authorization = bearer(headers, 'authorization');
  const claims = decodeClaims(identity ?? authorization ?? '');
  const name = claims?.email ?? claims?.subject;
  if (!claims || !name || claims.emailVerified === false) {
    throw unauthorized('No identity token came with this call.');
  }
  const key = identity === undefined || isIdToken(authorization ?? '') ? undefined : authorization;
  if (key !== undefined && !(await policy.isAdminKey(key))) {
    throw unauthorized('The admin key in Authorization is not valid.');
  }
  return { name, hasAdminKey: key !== undefined };
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

/** Whether it has the form of a JSON Web Token. */
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
