import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterTests } from './cleanUp.ts';
import { until } from './until.ts';

/** One notification as it arrived. */
export interface Arrival {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface Receiver {
  /** What NOTIFY_URLS names. */
  url: string;
  /** Every request so far, oldest first. */
  arrivals: Arrival[];
  /** How the next requests are answered; 200 at first. May be changed at any time. */
  answer: (response: ServerResponse, arrival: Arrival) => unknown;
  /** Waits until this many have come; throws when they do not come. */
  hasGot(count: number): Promise<void>;
}

/** A receiver of notifications, over HTTP, for this test file; it stops by itself after the last test. */
export async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = {
    url: '',
    arrivals: [],
    answer: status(200),
    hasGot: async (count) => {
      await until(() => receiver.arrivals.length >= count, `the arrival of ${count} notifications`);
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const arrival = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: single(request.headers),
      body: Buffer.concat(chunks).toString(),
    };
    receiver.arrivals.push(arrival);
    receiver.answer(response, arrival);
  });
  afterTests(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return receiver;
}

/** Answers with this status and these headers. */
export const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(code, headers).end();

/** Takes the request and never answers. */
export const hang = () => undefined;

/** Breaks the connection off without an answer. */
export const reset = (response: ServerResponse) => response.socket?.resetAndDestroy();

const single = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
