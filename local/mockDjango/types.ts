import type { IncomingHttpHeaders } from 'node:http';
import type { MemberRecord } from './people.ts';

/** How the mock behaves. All of it may change while it runs; a reply goes by what holds then. */
export interface Behaviour {
  /** The one key that is accepted. */
  key: string;
  /** Django REST framework's own is `Token`; a subclass may say `Bearer`. */
  scheme: 'Bearer' | 'Token' | 'Basic';
  /**
   * The reply to a call without a key, or with one in another scheme. Django takes it for anonymous, not for
   * wrong. It may be 200 with nobody (`empty`) or with every tenth member (`public`).
   */
  anonymous: 401 | 403 | 'empty' | 'public';
  pagination: 'page-number' | 'limit-offset' | 'cursor' | 'array' | 'results' | 'members';
  /** `{"links":{"next":…}}` as some paginators write it, in place of `next`. */
  nestedLinks: boolean;
  pageSize: number;
  /** A larger page_size or limit is silently cut to this. */
  maxPageSize: number;
  /** Scheme, host and port that `next` links name; empty: those of the request. */
  nextOrigin: string;
  /** The parameter that filters on `updated_at`; empty: none, it is ignored like any unknown one. */
  modifiedParam: string;
  /** `organisation`: `ssn`, `contact_info.email`, `contact_info.phone`. */
  shape: 'plain' | 'organisation';
  /** Whether `<path><id>/` exists. */
  detail: boolean;
  /** Members that the list leaves out, though their own pages are there. */
  unlisted: ReadonlySet<number>;
  /** Whether paths end in a slash, to which the others are redirected. Without, a path with a slash is none. */
  trailingSlash: boolean;
  /** Every reply waits this long. */
  latencyMs: number;
  /** The clock behind the Date header and `updated_at`. */
  now: () => Date;
  /** Called before each reply, and awaited: the place to change the register during a walk. */
  onRequest: (request: SeenRequest, n: number) => unknown;
}

export type MockDjangoOptions = Partial<Behaviour> & {
  /** How many to make up (35 by default), or which. */
  members?: number | readonly MemberRecord[];
  /** A free one by default. */
  port?: number;
  /** Where the list is. */
  path?: string;
};

/** What the mock remembers about a request. */
export interface SeenRequest {
  /** From 1, in the order of arrival. */
  n: number;
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  /** How many requests were under way when this one had come, itself included. */
  concurrent: number;
  /** 0 until the reply. */
  status: number;
}

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** Of the body on its way; UTF-8 when left out. */
  encoding?: 'latin1';
}

export const json = (
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json', Vary: 'Accept', ...headers },
  body: JSON.stringify(body),
});

export const html = (status: number, title: string): Reply => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8', Vary: 'Accept' },
  body: `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
});
