import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { routes } from '../../lib/http/request.ts';
import { prettyJson } from './pretty.ts';

// `/<function>` works as well.
const functionAt = new Map<string, string>(
  Object.values(routes).map(({ path, name }) => [path, name]),
);

/** Answers the JSON body of a POST. What it throws is answered with 400 and the message. */
export type Answerer = (body: unknown) => unknown;

export interface Gateway {
  url: string;
  /** Sends requests to these ports from now on. */
  route(ports: ReadonlyMap<string, number>): void;
  /** Answers POST requests to a path here, in this process. */
  answer(path: string, answerer: Answerer): void;
  stop(): Promise<void>;
}

/**
 * Puts all functions on one port of 127.0.0.1, and indents their JSON for reading. Throws, saying what
 * to do, when the port is taken.
 */
export async function startGateway(port: number): Promise<Gateway> {
  let ports: ReadonlyMap<string, number> = new Map();
  const answerers = new Map<string, Answerer>();
  const server = createServer((incoming, outgoing) => {
    // No URL parser: `//` would be a URL without a host.
    const [pathname = '/'] = (incoming.url ?? '/').split('?');
    const target = ports.get(functionAt.get(pathname) ?? pathname.slice(1));
    const answerer = answerers.get(pathname);
    if (answerer) {
      void answerHere(incoming, outgoing, answerer);
    } else if (target !== undefined) {
      forward(incoming, outgoing, target);
    } else if (ports.size === 0) {
      refuse(outgoing, 503, 'starting', 'The functions are being started.');
    } else {
      refuse(outgoing, 404, 'not_found', 'There is nothing at this path.');
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error) => {
    throw problemWithPort(port, error);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    route: (functions) => {
      ports = functions;
    },
    answer: (path, answerer) => {
      answerers.set(path, answerer);
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, port: number): void {
  const { method, url: path, headers } = incoming;
  const onward = request({ host: '127.0.0.1', port, method, path, headers }, async (answer) => {
    try {
      const body = prettyJson(await text(answer));
      const { 'content-length': _, ...rest } = answer.headers;
      respond(outgoing, answer.statusCode ?? 502, rest, body);
    } catch {
      refuseStopped(outgoing);
    }
  });
  onward.on('error', () => refuseStopped(outgoing));
  incoming.pipe(onward);
}

function refuseStopped(outgoing: ServerResponse): void {
  if (outgoing.headersSent) return;
  refuse(outgoing, 503, 'stopped', 'The function ended without an answer; see the terminal.');
}

// A page of the web cannot send application/json to us without asking first, and we answer no such question.
async function answerHere(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answerer: Answerer,
): Promise<void> {
  if (incoming.method !== 'POST' || incoming.headers['content-type'] !== 'application/json') {
    return refuse(
      outgoing,
      405,
      'method_not_allowed',
      'Send a POST with Content-Type: application/json.',
    );
  }
  try {
    const answer = await answerer(JSON.parse(await text(incoming)));
    respond(outgoing, 200, jsonHeaders, JSON.stringify(answer));
  } catch (error) {
    refuse(outgoing, 400, 'invalid_request', error instanceof Error ? error.message : '');
  }
}

const jsonHeaders = { 'Content-Type': 'application/json; charset=utf-8' };

function refuse(outgoing: ServerResponse, status: number, code: string, message: string): void {
  respond(outgoing, status, jsonHeaders, prettyJson(JSON.stringify({ error: { code, message } })));
}

// A caller may be gone. What is written then goes nowhere.
function respond(
  outgoing: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string,
): void {
  outgoing.writeHead(status, headers);
  outgoing.end(body);
}

function problemWithPort(port: number, cause: NodeJS.ErrnoException): Error {
  if (cause.code === 'EADDRINUSE') {
    const message = `Port ${port} is taken by another process. Choose another one: PORT=${port + 1} npm start`;
    return new Error(message, { cause });
  }
  if (cause.code === 'EACCES') {
    return new Error(
      `Port ${port} is not for you to use. Choose one above 1023: PORT=8080 npm start`,
      { cause },
    );
  }
  return cause;
}
