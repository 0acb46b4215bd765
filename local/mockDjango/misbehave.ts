import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { html, json, type Reply, type SeenRequest } from './types.ts';

/** What can go wrong, in the words of the party that sees it. */
export type Fault =
  /** 429; `retryAfter` in seconds or as a date, none when null. */
  | { kind: 'throttle'; retryAfter?: number | string | null }
  /** Any status with Django's JSON body for it, e.g. 503. */
  | { kind: 'status'; status: number; body?: unknown }
  | { kind: 'slow'; ms: number }
  /** Never replies. */
  | { kind: 'hang' }
  /** Closes the connection without a reply. */
  | { kind: 'reset' }
  /** Half of the body, then the connection is gone. */
  | { kind: 'truncate' }
  /** A page of a proxy or a login form, with 200 or another status. */
  | { kind: 'html'; status?: number }
  /** An answer that a cache has kept for so many seconds: what was right then, or is right still. */
  | { kind: 'old'; seconds: number; kept?: (request: SeenRequest) => Kept | undefined }
  /** The right answer in bytes that are no UTF-8, where it has letters beyond ASCII. */
  | { kind: 'latin1' }
  /** JSON that does not parse, with 200. */
  | { kind: 'malformed' }
  /** 302 to wherever it says. */
  | { kind: 'redirect'; location: string; status?: number }
  /** The right reply with its JSON body changed: a wrong count, an endless `next`, an empty list. */
  | { kind: 'rewrite'; body: (body: never, request: SeenRequest) => unknown };

/** What a cache has kept. */
export interface Kept {
  status: number;
  body: unknown;
}

/** A fault, and when it happens: for all requests, or those that `when` picks, at most `times` times. */
export type Misbehaviour = Fault & { when?: (request: SeenRequest) => boolean; times?: number };

/** The first misbehaviour in force for this request; it is used up by one. */
export function pickFault(rules: Misbehaviour[], request: SeenRequest): Fault | undefined {
  const rule = rules.find(({ when, times }) => times !== 0 && (when?.(request) ?? true));
  if (rule?.times !== undefined) rule.times -= 1;
  return rule;
}

/** The reply after the fault, or undefined when the fault itself has dealt with the connection. */
export async function applyFault(
  fault: Fault,
  right: Reply,
  request: SeenRequest,
  response: ServerResponse,
): Promise<Reply | undefined> {
  switch (fault.kind) {
    case 'throttle':
      return throttled(fault.retryAfter === undefined ? 1 : fault.retryAfter);
    case 'status':
      return json(fault.status, fault.body ?? { detail: 'A server error occurred.' });
    case 'slow':
      await sleep(fault.ms);
      return right;
    case 'hang':
      return undefined;
    case 'reset':
      response.socket?.resetAndDestroy();
      return undefined;
    case 'truncate':
      return truncated(right, response);
    case 'html':
      return html(fault.status ?? 200, 'Log in');
    case 'old': {
      const was = fault.kept?.(request);
      const reply = was ? json(was.status, was.body) : right;
      return { ...reply, headers: { ...reply.headers, Age: String(fault.seconds) } };
    }
    case 'latin1':
      return { ...right, encoding: 'latin1' };
    case 'malformed':
      return { ...right, body: right.body.slice(0, -1) };
    case 'redirect':
      return { ...html(fault.status ?? 302, 'Moved'), headers: { Location: fault.location } };
    case 'rewrite':
      return {
        ...right,
        body: JSON.stringify(fault.body(JSON.parse(right.body) as never, request)),
      };
  }
}

function throttled(retryAfter: number | string | null): Reply {
  if (retryAfter === null) return json(429, { detail: 'Request was throttled.' });
  const detail = `Request was throttled. Expected available in ${retryAfter} seconds.`;
  return json(429, { detail }, { 'Retry-After': String(retryAfter) });
}

function truncated(right: Reply, response: ServerResponse): undefined {
  const body = Buffer.from(right.body);
  response.writeHead(right.status, { ...right.headers, 'Content-Length': body.length });
  response.write(body.subarray(0, body.length / 2), () => response.socket?.destroy());
}
