import { type Config, ConfigError } from '../config.ts';
import { SyncError } from '../errors.ts';
import { isPersonalId } from '../redact.ts';
import { DjangoError, DjangoHttpError, DjangoShapeError } from './errors.ts';
import {
  addCounts,
  eitherOf,
  inEvery,
  type KeyCounts,
  type MembershipKeys,
  noKeys,
  onlyMapped,
  refuseLostKeys,
  refuseOtherSpelling,
} from './membershipKeys.ts';
import { readPageBody } from './page.ts';
import { parseRecord, type RecordRules } from './record.ts';
import { type Ask, createRequests, type JsonReply, type RequestOptions } from './request.ts';
import type { MemberLookup, MembersPage } from './types.ts';
import { walkPages } from './walk.ts';

export interface DjangoClientOptions extends RequestOptions {
  /** Ends every request, pause and walk at once, and its reason is what they throw. */
  signal?: AbortSignal | undefined;
  /** Keys that every record had when the whole register was last read. */
  required?: MembershipKeys;
  /** The time by which somebody has left, in ms since 1970; that of this process where nothing else is given. */
  now?: () => number;
}

export interface DjangoHealth {
  ok: true;
  /** Of the call with the key. */
  latencyMs: number;
  count: number | undefined;
  /** Whether a call without a key gets 401 or 403. If not, a wrong scheme shows a public part of the list. */
  refusesAnonymous: boolean;
}

/**
 * The member register, over HTTP. Every method throws the errors of errors.ts, `secrets_unavailable`
 * where the key cannot be read, and the signal's reason when it aborts. A signal that is given to a
 * method stands in for the client's own.
 */
export interface DjangoClient {
  /** Every member, page by page, as far ahead of the consumer as DJANGO_CONCURRENCY allows. */
  getMembers(signal?: AbortSignal): AsyncGenerator<MembersPage>;
  /** The members that the register says have changed since then. Throws ConfigError where it cannot be asked. */
  getMembersModifiedSince(timestamp: Date): AsyncGenerator<MembersPage>;
  /**
   * One member by Django id; a 404 or 410 is no error. The caller compares id and kennitala with what it
   * asked for. Throws SyncError `invalid_request` for an id that cannot be asked for.
   */
  getMember(externalId: string, signal?: AbortSignal): Promise<MemberLookup>;
  /** One call with the key and one without. Throws when the one with the key fails. */
  healthCheck(): Promise<DjangoHealth>;
  /** The keys that decide membership and that a record has to have, by what is known now. */
  requiredKeys(): MembershipKeys;
  /** Closes idle connections; they would close by themselves a little later. */
  close(): void;
}

/** Opens no connection before the first call. */
export function createDjangoClient(
  config: Config['django'],
  options: DjangoClientOptions,
): DjangoClient {
  const { DJANGO_FIELD_MAP: fieldMap, DJANGO_EXCLUDE_KENNITALA: exclude } = config;
  const { origin, listPath, query, memberPath } = membersUrl(
    config.DJANGO_BASE_URL,
    config.DJANGO_MEMBERS_PATH,
  );
  const { getJson, close } = createRequests(origin, config, options);
  const { now = Date.now } = options;
  let required = onlyMapped(options.required ?? noKeys, fieldMap);
  const own = options.signal ?? new AbortController().signal;
  // How the path of a member ends, with or without a slash; undefined until a member was found.
  let memberEnding: string | undefined;

  const rules = ({ damaged }: JsonReply, needed = noKeys): RecordRules => ({
    fieldMap,
    exclude,
    damaged,
    required: needed,
    now: now(),
  });

  async function* walk(filter: [string, string][], given = own): AsyncGenerator<MembersPage> {
    // Ends what is still on its way when the consumer stops early or one page fails.
    const left = new AbortController();
    const signal = AbortSignal.any([given, left.signal]);
    signal.throwIfAborted();
    const listed: KeyCounts = { rows: 0, is_active: 0, deleted_at: 0 };
    try {
      const pages = walkPages({
        path: listPath,
        ownQuery: [...query, ['page_size', String(config.DJANGO_PAGE_SIZE)], ...filter],
        concurrency: config.DJANGO_CONCURRENCY,
        signal,
        get: (added) => getJson({ path: listPath, query: added, signal }),
        rules: (reply) => rules(reply),
      });
      for await (const page of pages) {
        addCounts(listed, page.keys);
        yield page;
      }
      refuseLostKeys(listed, required, fieldMap, listPath, filter.length === 0);
      // Pages of members that lack what the whole list has say nothing either.
      if (filter.length === 0) required = eitherOf(required, inEvery(listed));
    } finally {
      left.abort();
    }
  }

  async function look(path: string, signal: AbortSignal): Promise<MemberLookup | DjangoError> {
    try {
      const reply = await getJson({ path, query: new URLSearchParams(query), signal, stays: true });
      refuseOtherSpelling([reply.body], fieldMap, path);
      return {
        found: true,
        record: parseRecord(reply.body, rules(reply, required)),
        stale: reply.stale,
      };
    } catch (error) {
      if (!(error instanceof DjangoError)) throw error;
      if (!(error instanceof DjangoHttpError)) return error;
      const { status, byApi, stale, isElsewhere } = error;
      // What another address says (a login, the page of an error) is not said of this member.
      if (isElsewhere) return { found: false, byApi: false, stale };
      return status === 404 || status === 410 ? { found: false, byApi, stale } : error;
    }
  }

  async function refuses(ask: Ask): Promise<boolean> {
    try {
      await getJson({ ...ask, anonymous: true });
      return false;
    } catch (error) {
      if (error instanceof DjangoHttpError && !error.retryable) {
        return error.status === 401 || error.status === 403;
      }
      // A login page, say: no proof that strangers are refused, and no reason to fail.
      if (error instanceof DjangoShapeError) return false;
      throw error;
    }
  }

  return {
    requiredKeys: () => required,
    getMembers: (signal) => walk([], signal),
    async *getMembersModifiedSince(timestamp) {
      const parameter = config.DJANGO_MODIFIED_SINCE_PARAM;
      if (!parameter) {
        throw new ConfigError([
          'DJANGO_MODIFIED_SINCE_PARAM is missing (needed to ask for changes)',
        ]);
      }
      yield* walk([[parameter, timestamp.toISOString()]]);
    },
    async getMember(externalId, signal = own) {
      const path = memberPath(externalId);
      const endings = memberEnding === undefined ? ['/', ''] : [memberEnding];
      const replies: (MemberLookup | DjangoError)[] = [];
      for (const ending of endings) {
        const reply = await look(path + ending, signal);
        if (isAbout(reply, externalId)) memberEnding = ending;
        replies.push(reply);
        if (memberEnding === ending || (reply instanceof DjangoError && reply.retryable)) break;
      }
      return mostTelling(replies);
    },
    async healthCheck() {
      const sized = new URLSearchParams([...query, ['page_size', '1']]);
      const ask = { path: listPath, query: sized, signal: own };
      const { body, durationMs, list } = await getJson(ask);
      const { count } = readPageBody(body, listPath, list);
      return { ok: true, latencyMs: durationMs, count, refusesAnonymous: await refuses(ask) };
    },
    close,
  };
}

function isAbout(reply: MemberLookup | DjangoError, externalId: string): boolean {
  if (reply instanceof DjangoError || !reply.found) return false;
  const { record } = reply;
  return record.kind === 'member'
    ? record.member.externalId === externalId
    : record.kind !== 'rejected' && record.externalId === externalId;
}

// Of what two paths replied: a record before the API's own "not found", and an error last.
function mostTelling(replies: (MemberLookup | DjangoError)[]): MemberLookup {
  const lookups = replies.filter((reply): reply is MemberLookup => !(reply instanceof DjangoError));
  const telling =
    lookups.find(({ found }) => found) ??
    lookups.find((lookup) => !lookup.found && lookup.byApi) ??
    lookups[0];
  if (!telling) throw replies[0];
  return telling;
}

/** Where the members are: the one origin that may see the key, the path of the list, and its fixed query. */
export interface MembersUrl {
  origin: string;
  /** As configured, with or without a trailing slash. */
  listPath: string;
  /** A query that DJANGO_MEMBERS_PATH itself has, sent with every request. */
  query: [string, string][];
  /**
   * The path of one member, without a trailing slash. Throws SyncError `invalid_request` for an id that fits in
   * no path, or must be in none because it looks like a kennitala or an e-mail address.
   */
  memberPath(externalId: string): string;
}

/** Joins DJANGO_BASE_URL, which may have a path, with DJANGO_MEMBERS_PATH, however their slashes are. */
export function membersUrl(baseUrl: string, membersPath: string): MembersUrl {
  const url = new URL(baseUrl);
  const [path = '', query = ''] = membersPath.trim().split('?', 2);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
  const listPath = url.pathname;
  return {
    origin: url.origin,
    listPath,
    query: [...new URLSearchParams(query)],
    memberPath(externalId) {
      const problem = isPathSegment(externalId)
        ? isPersonalId(externalId) && 'looks like a kennitala, a name or an e-mail address'
        : 'does not fit in a URL path';
      if (problem) {
        throw new SyncError(
          'invalid_request',
          `This member cannot be asked for by its Django id: the id ${problem}.`,
        );
      }
      return `${listPath.replace(/\/+$/, '')}/${encodeURIComponent(externalId)}`;
    },
  };
}

// URL parsers resolve dots even when they are encoded, and servers refuse an encoded slash with a
// 404 of their own, which must not be taken for "this member does not exist".
function isPathSegment(id: string): boolean {
  return id !== '' && id !== '.' && id !== '..' && id.isWellFormed() && !/[/\\\p{Cc}]/u.test(id);
}
