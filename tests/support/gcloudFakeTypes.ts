import type { IncomingMessage } from 'node:http';

export type Json = Record<string, unknown>;
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Json;
  raw: Buffer;
  headers: IncomingMessage['headers'];
}
export interface Reply {
  status: number;
  /** JSON, or a text as it stands. */
  body: unknown;
}
type Handler = (call: Call, ...groups: string[]) => Json | Reply | undefined;
/** Method, path (a regular expression over the whole of it), and what it answers; undefined is 404. */
export type Route = [method: string, path: RegExp, handler: Handler];

export interface Refusal {
  match: RegExp;
  status: number;
  message: string;
  times?: number;
}

export interface CloudFake {
  url: string;
  /** Every call, in the order they came. */
  calls: Call[];
  /** The calls that would have changed something. */
  changes(): Call[];
  /** What is stored, by its full name: functions, jobs, secrets, metrics, ... */
  resources: Map<string, Json>;
  /** Members by role, for the resource with that name. */
  policies: Map<string, { role: string; members: string[] }[]>;
  /** The zip that each function was last deployed from. */
  uploads: Map<string, Buffer>;
  /** Answers to calls of a function; the default is a healthy system. */
  answers: Map<string, Json>;
  /** Where functions really run: calls of them are passed on, as the platform would. */
  running: Map<string, string>;
  /** Refuses matching calls, METHOD and path, as often as it says. */
  refusals: Refusal[];
  /** Whether it begins as an empty project: nothing is enabled, and what needs something else is refused. */
  strict: boolean;
  /** How many lists do not show yet what was made. */
  lag: number;
  /** How many lists could have shown each thing. */
  seen: Map<string, number>;
  /** What a deployment drops besides the Cloud SQL instances, which it always drops here. */
  forgets: Set<'iap'>;
  close(): Promise<void>;
}

export const PROJECT = 'membership-test';
export const REGION = 'europe-west2';
export const operation = { name: 'operations/noop.DONE_OPERATION', done: true };

export const problem = (code: number, status: string, message: string): Reply => ({
  status: code,
  body: { error: { code, status, message } },
});

/** A name that is never used twice. */
let serial = 0;
export const nextName = (prefix: string) => `${prefix}${++serial}`;

/** Of the identity tokens that the fake gives out. */
export const SIGNATURE = 'c2lnbmF0dXJl';
