import type { SyncResult } from '../../lib/sync/types.ts';

/** The key of an admin in every world of the tests. */
export const ADMIN_KEY = 'the-key-of-an-admin-in-all-tests';

/** Everything of an answer that a test may look at. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined when it is no JSON. */
  body: Body;
}

/** The result of a run, an error with whatever it carries, or what another function answers. */
type Body = SyncResult & {
  error?: { code: string; message: string; plan?: string; run_id?: number };
  [key: string]: unknown;
};

export interface Sending {
  /** Of the admin when left out; empty: none. */
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Sends one request as it is given and reads all of the answer. */
export async function request(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parse(text) };
}

/** A POST of JSON for `request`; a string is sent as it stands. */
export const posting = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'Content-Type': 'application/json', ...headers },
});

/** Posts JSON as an admin. */
export function post(url: string, body: unknown = {}, sending: Sending = {}): Promise<Reply> {
  const { headers, ...rest } = withKey(sending);
  return request(url, { ...posting(body, headers), ...rest });
}

/** Gets as an admin. */
export const get = (url: string, sending: Sending = {}): Promise<Reply> =>
  request(url, withKey(sending));

const withKey = ({ key = ADMIN_KEY, headers = {}, ...rest }: Sending) => ({
  ...rest,
  headers: key === '' ? headers : { Authorization: `Bearer ${key}`, ...headers },
});

function parse(text: string): Body {
  try {
    return JSON.parse(text);
  } catch {
    return undefined as unknown as Body;
  }
}
