import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getTestServer } from '@google-cloud/functions-framework/testing';

/** Everything of an answer that a test may look at. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined when it is no JSON. */
  json: Record<string, unknown>;
}

const servers: Server[] = [];
afterAll(async () => {
  await Promise.all(
    servers.map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

/** Serves a registered function with the functions framework in this process; gives its address. */
export async function serveFunction(name: string): Promise<string> {
  const server = getTestServer(name).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Loads functions, which read their environment as it is then, and serves each; gives their addresses. */
export async function serveFunctions<N extends string>(
  names: readonly N[],
): Promise<Record<N, string>> {
  const urls = {} as Record<N, string>;
  for (const name of names) {
    await import(`../../functions/${name}.ts`);
    urls[name] = await serveFunction(name);
  }
  return urls;
}

/** Sends one request and reads all of the answer. */
export async function request(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return undefined as unknown as Record<string, unknown>;
  }
}

/** A POST of JSON. */
export const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'Content-Type': 'application/json', ...headers },
});
