import type { IncomingHttpHeaders } from 'node:http';
import { SyncError } from '../errors.ts';
import {
  type AuthPolicy,
  type Caller,
  forbidden,
  isIn,
  type Right,
  rightsOf,
} from './authPolicy.ts';
import { decodeClaims, isIdToken } from './idToken.ts';

type Headers = NodeJS.Dict<string[]>;

/**
 * Proves the identity of a caller. Throws SyncError unauthorized otherwise. Its message says why, and never
 * repeats the credential.
 */
export async function authenticate(headers: Headers, policy: AuthPolicy): Promise<Caller> {
  const caller = await proofs[policy.mode](headers, policy);
  return onBehalfOf(headers, caller, policy);
}

/** What a known caller may do. Throws SyncError forbidden when that is nothing. */
export function authorize(caller: Caller, { mode, lists }: AuthPolicy): Right[] {
  const rights = rightsOf(caller, mode, lists);
  if (rights.length > 0) return rights;
  throw forbidden(
    caller.email === undefined
      ? 'You are known by an id only; ask for an identity token with an e-mail.'
      : 'You are known, but not in ALLOWED_CALLERS of this function.',
  );
}

const proofs = { key: byKey, iam: byPlatform, iap: byProxy };

async function byKey(headers: Headers, policy: AuthPolicy): Promise<Caller> {
  const token = bearer(headers, 'authorization');
  if (token === undefined) throw unauthorized('Send Authorization: Bearer with the admin key.');
  const key = await policy.keyOf(token);
  if (key) return { name: key, key };
  // Nobody has checked a token before us here, so one without its signature proves nothing.
  const isSigned = isIdToken(token) && !isStripped(token);
  const claims = isSigned ? await policy.verifyIdToken(token) : undefined;
  if (!claims?.email || claims.emailVerified !== true) {
    throw unauthorized('The credential in Authorization is not valid here.');
  }
  return { name: claims.email, email: claims.email, subject: claims.subject };
}

async function byPlatform(headers: Headers, policy: AuthPolicy): Promise<Caller> {
  // With both headers present the platform has checked only the first of these two.
  const identity = bearer(headers, 'x-serverless-authorization');
  const authorization = bearer(headers, 'authorization');
  const { email, subject, emailVerified } = decodeClaims(identity ?? authorization ?? '') ?? {};
  const name = email || subject;
  if (!name || emailVerified === false) {
    throw unauthorized('No identity token came with this call.');
  }
  const candidate =
    identity === undefined || isIdToken(authorization ?? '') ? undefined : authorization;
  const key = candidate === undefined ? undefined : await policy.keyOf(candidate);
  if (candidate !== undefined && !key) throw unauthorized('The key in Authorization is not valid.');
  return { name, email: email || undefined, subject, key };
}

// The e-mail headers that the proxy sets as well are never looked at: anybody can send them.
async function byProxy(headers: Headers, policy: AuthPolicy): Promise<Caller> {
  const [assertion = '', ...more] = headers['x-goog-iap-jwt-assertion'] ?? [];
  const claims =
    more.length === 0 && isIdToken(assertion) ? await policy.verifyAssertion(assertion) : undefined;
  if (!claims?.email) throw unauthorized('This call did not come through Identity-Aware Proxy.');
  return { name: claims.email, email: claims.email, subject: claims.subject };
}

// A repeated header is refused: the platform may have checked the other one.
function bearer(headers: Headers, name: string): string | undefined {
  const values = headers[name] ?? [];
  if (values.length === 0) return undefined;
  const match = /^Bearer +([^\s,]+)$/i.exec(values.length === 1 ? String(values[0]).trim() : '');
  if (match) return match[1];
  throw unauthorized(`The ${name} header must be given once, as Bearer and the credential.`);
}

const isStripped = (token: string) => token.endsWith('.SIGNATURE_REMOVED_BY_GOOGLE');
const unauthorized = (message: string) => new SyncError('unauthorized', message);

/** What an e-mail in X-Sync-On-Behalf-Of may look like: it is written to logs and to sync_log. */
const person = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$/;

// The admin's page acts for a person and is believed about that; from anybody else it would be a lie.
function onBehalfOf(headers: Headers, caller: Caller, { lists }: AuthPolicy): Caller {
  const values = headers['x-sync-on-behalf-of'];
  if (values === undefined) return caller;
  if (!isIn(lists.page, caller)) {
    throw forbidden('X-Sync-On-Behalf-Of is taken from the account in ADMIN_PAGE_CALLER only.');
  }
  const [email = '', ...more] = values;
  if (more.length > 0 || !person.test(email)) {
    throw new SyncError('invalid_request', 'X-Sync-On-Behalf-Of must be one e-mail address.');
  }
  if (isIn([...lists.reporters, ...lists.starters], { email })) {
    throw forbidden('The account in X-Sync-On-Behalf-Of may not decide.');
  }
  return { ...caller, name: `${email} via page` };
}

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
