import { type Config, ConfigError } from '../config.ts';
import { SyncError } from '../errors.ts';
import { DjangoError, DjangoHttpError, DjangoShapeError } from './errors.ts';
import { isPersonalId } from './fields.ts';
import { readPageBody } from './page.ts';
import { parseRecord, type RecordRules } from './record.ts';
import {
  type Ask,
  createRequests,
  type JsonReply,
  type RequestOptions,
  type Requests,
} from './request.ts';
import type { MemberLookup, MembersPage } from './types.ts';
import { walkPages } from './walk.ts';

export interface DjangoClientOptions extends RequestOptions {
  /** Ends every request, pause and walk at once, and its reason is what they throw. */
  signal?: AbortSignal | undefined;
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
 * where the key cannot be read, and the signal's reason when it aborts.
 */
export class DjangoClient {
  readonly #config: Config['django'];
  readonly #url: MembersUrl;
  readonly #requests: Requests;
  readonly #signal: AbortSignal;
  /** How the path of a member ends, with or without a slash; undefined until a member was found. */
  #memberEnding: string | undefined;

  constructor(config: Config['django'], options: DjangoClientOptions) {
    this.#config = config;
    this.#url = membersUrl(config.DJANGO_BASE_URL, config.DJANGO_MEMBERS_PATH);
    this.#requests = createRequests(this.#url.origin, config, options);
    this.#signal = options.signal ?? new AbortController().signal;
  }

  /**
   * Every member, page by page, as far ahead of the consumer as DJANGO_CONCURRENCY allows. Here and below a
   * signal stands in for the client's own.
   */
  getMembers(signal?: AbortSignal): AsyncGenerator<MembersPage> {
    return this.#walk([], signal);
  }

  /** The members that the register says have changed since then. Throws ConfigError where it cannot be asked. */
  async *getMembersModifiedSince(timestamp: Date): AsyncGenerator<MembersPage> {
    const parameter = this.#config.DJANGO_MODIFIED_SINCE_PARAM;
    if (!parameter) {
      throw new ConfigError(['DJANGO_MODIFIED_SINCE_PARAM is missing (needed to ask for changes)']);
    }
    yield* this.#walk([[parameter, timestamp.toISOString()]]);
  }

  /**
   * One member by Django id; a 404 or 410 is no error. The caller compares id and kennitala with what it
   * asked for. Throws SyncError `invalid_request` for an id that cannot be asked for.
   */
  async getMember(externalId: string, signal = this.#signal): Promise<MemberLookup> {
    const path = this.#url.memberPath(externalId);
    const endings = this.#memberEnding === undefined ? ['/', ''] : [this.#memberEnding];
    const replies: (MemberLookup | DjangoError)[] = [];
    for (const ending of endings) {
      const reply = await this.#look(path + ending, signal);
      if (isAbout(reply, externalId)) this.#memberEnding = ending;
      replies.push(reply);
      if (this.#memberEnding === ending || (reply instanceof DjangoError && reply.retryable)) break;
    }
    return mostTelling(replies);
  }

  /** One call with the key and one without. Throws when the one with the key fails. */
  async healthCheck(): Promise<DjangoHealth> {
    const path = this.#url.listPath;
    const query = new URLSearchParams([...this.#url.query, ['page_size', '1']]);
    const ask = { path, query, signal: this.#signal };
    const { body, durationMs } = await this.#requests.getJson(ask);
    const { count } = readPageBody(body, path);
    return { ok: true, latencyMs: durationMs, count, refusesAnonymous: await this.#refuses(ask) };
  }

  /** Closes idle connections; they would close by themselves a little later. */
  close(): void {
    this.#requests.close();
  }

  async #refuses(ask: Ask): Promise<boolean> {
    try {
      await this.#requests.getJson({ ...ask, anonymous: true });
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

  async #look(path: string, signal: AbortSignal): Promise<MemberLookup | DjangoError> {
    const ask = { path, query: new URLSearchParams(this.#url.query), signal };
    try {
      const reply = await this.#requests.getJson(ask);
      const record = parseRecord(reply.body, this.#rules(reply));
      return { found: true, record, stale: reply.stale };
    } catch (error) {
      if (!(error instanceof DjangoError)) throw error;
      return error instanceof DjangoHttpError && (error.status === 404 || error.status === 410)
        ? { found: false, byApi: error.byApi, stale: error.stale }
        : error;
    }
  }

  #rules({ damaged }: JsonReply): RecordRules {
    const { DJANGO_FIELD_MAP: fieldMap, DJANGO_EXCLUDE_KENNITALA: exclude } = this.#config;
    return { fieldMap, exclude, damaged, now: Date.now() };
  }

  async *#walk(filter: [string, string][], given = this.#signal): AsyncGenerator<MembersPage> {
    const config = this.#config;
    const path = this.#url.listPath;
    // Ends what is still on its way when the consumer stops early or one page fails.
    const left = new AbortController();
    const signal = AbortSignal.any([given, left.signal]);
    signal.throwIfAborted();
    try {
      yield* walkPages({
        path,
        ownQuery: [...this.#url.query, ['page_size', String(config.DJANGO_PAGE_SIZE)], ...filter],
        concurrency: config.DJANGO_CONCURRENCY,
        signal,
        get: (query) => this.#requests.getJson({ path, query, signal }),
        rules: (reply) => this.#rules(reply),
      });
    } finally {
      left.abort();
    }
  }
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
        ? isPersonalId(externalId, undefined) && 'looks like a kennitala or an e-mail address'
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
