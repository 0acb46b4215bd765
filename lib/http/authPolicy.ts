import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config.ts';
import { SyncError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Credential } from '../secrets.ts';
import { withRenewal } from '../secrets.ts';
import { createAssertionVerifier, createIdTokenVerifier, type VerifyToken } from './idToken.ts';

/** How long a wrong key does not make us ask Secret Manager again. */
const RENEWAL_INTERVAL_MS = 60_000;

export type KeyName = 'admin-key' | 'webhook-key';

/** A caller whose identity is proved. */
export interface Caller {
  /** For log and sync_log: an e-mail, the id of an account, the name of a key, or `EMAIL via page`. */
  name: string;
  email?: string | undefined;
  /** The numeric id of the account. */
  subject?: string | undefined;
  key?: KeyName | undefined;
}

/** Accounts, by e-mail or numeric id. */
export interface CallerLists {
  /** These may decide. What an empty list means depends on the mode. */
  allowed: readonly string[];
  /** These may only report that members have changed. */
  reporters: readonly string[];
  /** These may only start ordinary runs. */
  starters: readonly string[];
  /** The admin's page, which may decide in the name of a person. */
  page: readonly string[];
}

export interface AuthPolicy {
  /** `iam` and `iap`: the platform has checked the caller before us. `key`: nobody has. */
  mode: 'key' | 'iam' | 'iap';
  lists: CallerLists;
  /** Which key of ours this is. */
  keyOf(candidate: string): Promise<KeyName | undefined>;
  verifyIdToken: VerifyToken;
  verifyAssertion: VerifyToken;
}

/** The rules of authentication as the environment sets them. */
export function createAuthPolicy(
  config: Config<'auth'>['auth'],
  keys: Record<KeyName, Credential>,
  log: Log,
): AuthPolicy {
  const options = { audiences: config.AUTH_AUDIENCE, certsUrl: config.AUTH_CERTS_URL, log };
  const verifyIdToken = createIdTokenVerifier(options);
  const lists = {
    allowed: config.ALLOWED_CALLERS,
    reporters: config.WEBHOOK_CALLERS,
    starters: config.SCHEDULER_CALLERS,
    page: config.ADMIN_PAGE_CALLER === '' ? [] : [config.ADMIN_PAGE_CALLER],
  };
  const isNobodyListed = Object.values(lists).every((list) => list.length === 0);
  return {
    mode: config.AUTH_MODE,
    lists,
    keyOf: createKeyCheck(keys),
    // Without a list of callers every account in the world could get in.
    verifyIdToken: async (token) => (isNobodyListed ? undefined : verifyIdToken(token)),
    verifyAssertion: createAssertionVerifier(options),
  };
}

/** Compares in a time that says nothing about where, or whether in length, the two differ. */
export function isSameKey(candidate: string, key: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return key !== '' && timingSafeEqual(digest(candidate), digest(key));
}

/**
 * Which key a candidate is. One that matches none may be a rotated one: the secrets are fetched once more,
 * at most once a minute. The key with fewer rights comes first. It counts where both are the same.
 */
export function createKeyCheck(
  keys: Record<KeyName, Credential>,
  now: () => number = Date.now,
): (candidate: string) => Promise<KeyName | undefined> {
  const names: KeyName[] = ['webhook-key', 'admin-key'];
  let renewed = Number.NEGATIVE_INFINITY;
  return async (candidate) => {
    for (const name of names) {
      if (isSameKey(candidate, await keys[name].get())) return name;
    }
    if (now() - renewed < RENEWAL_INTERVAL_MS) return undefined;
    renewed = now();
    const compare = async (key: string) => isSameKey(candidate, key);
    const differs = { returned: (isSame: boolean) => !isSame };
    for (const name of names) {
      if (await withRenewal(keys[name], compare, differs)) return name;
    }
    return undefined;
  };
}

export type Right = 'report' | 'start' | 'decide';

/**
 * What a caller may do; pure. A caller in a restricted list has the rights of these lists and no others.
 * Another list, or a key, adds nothing. Without any right the caller is not let in.
 */
export function rightsOf(caller: Caller, mode: AuthPolicy['mode'], lists: CallerLists): Right[] {
  const restricted: Right[] = [];
  if (caller.key === 'webhook-key' || isIn(lists.reporters, caller)) restricted.push('report');
  if (isIn(lists.starters, caller)) restricted.push('start');
  if (restricted.length > 0) return restricted;
  if (caller.key === 'admin-key' && mode === 'key') return ['decide'];
  if (!canBeCompared(caller, [...lists.reporters, ...lists.starters])) return [];
  // The platform has let the caller in already; nobody has where the URL is public.
  const isOpen = mode !== 'key' && lists.allowed.length === 0;
  return isOpen || isIn([...lists.allowed, ...lists.page], caller) ? ['decide'] : [];
}

/**
 * Whether a caller with these rights may ask for this; pure. A report names members and nothing else, and
 * an ordinary run says at most how it reads the register. All else needs the right to decide.
 */
export function mayAsk(rights: readonly Right[], parameters: object): boolean {
  if (rights.includes('decide')) return true;
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const names = given.map(([name]) => name);
  if (names.includes('external_ids')) return rights.includes('report') && names.length === 1;
  const ordinary = given.every(
    ([name, value]) =>
      name === 'mode' || (name === 'sync_type' && ['scheduled', 'membership'].includes(value)),
  );
  return rights.includes('start') && ordinary;
}

/** Whether this caller is in the list, by id or by e-mail. Only ASCII letters may differ in case. */
export const isIn = (list: readonly string[], { email, subject }: Partial<Caller>): boolean =>
  list.some((one) => one === subject || (email !== undefined && lower(one) === lower(email)));

// toLowerCase would also make an ASCII letter of the Kelvin sign.
const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

// A token may come without an e-mail or an id. Such a caller may be in a list and could not be found there.
const canBeCompared = ({ email, subject }: Caller, list: readonly string[]) =>
  list.every((one) => (one.includes('@') ? email : subject) !== undefined);

/** The refusal of a known caller. */
export const forbidden = (message: string): SyncError => new SyncError('forbidden', message);
