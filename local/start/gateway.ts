import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { routes } from '../../lib/http/routes.ts';

// `/<function>` works as well.
const functionAt = new Map<string, string>(
  Object.values(routes).map(({ path, name }) => [path, name]),
);

export interface Gateway {
  url: string;
  /** Sends requests to these ports from now on. */
  route(ports: ReadonlyMap<string, number>): void;
  stop(): Promise<void>;
}

/** Puts all functions on one port of this machine. Throws, saying what to do, when the port is taken. */
export async function startGateway(port: number): Promise<Gateway> {
  let ports: ReadonlyMap<string, number> = new Map();
  const server = createServer((incoming, outgoing) => {
    // Not as a URL: `//` would be one without a host.
    const [pathname = '/'] = (incoming.url ?? '/').split('?');
    const target = ports.get(functionAt.get(pathname) ?? pathname.slice(1));
    if (target !== undefined) {
      forward(incoming, outgoing, target);
    } else if (ports.size === 0) {
      refuse(outgoing, 503, 'starting', 'The functions are being started.');
    } else refuse(outgoing, 404, 'not_found', 'There is nothing at this path.');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch((error) => {
    throw error.code === 'EADDRINUSE' ? taken(port, error) : error;
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    route: (functions) => {
      ports = functions;
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
  const onward = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', () => {
    if (outgoing.headersSent) {
      outgoing.destroy();
    } else {
      refuse(outgoing, 503, 'stopped', 'The function ended without an answer; see the terminal.');
    }
  });
  incoming.pipe(onward);
}

function refuse(outgoing: ServerResponse, status: number, code: string, message: string): void {
  outgoing.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
  outgoing.end(JSON.stringify({ error: { code, message } }));
}

function taken(port: number, cause: Error): Error {
  const message = `Port ${port} is taken by another process. Choose another one: PORT=${port + 1} npm start`;
  return new Error(message, { cause });
}
