import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterTests } from './cleanUp.ts';

export interface Relay {
  /** The given URL, through here. */
  url: string;
  /** How many connections stand now. */
  readonly connections: number;
  /**
   * From now on nothing passes and nothing ends: no byte, no FIN, no RST, as when a NAT forgets a connection
   * or a cable is cut. New connections are taken and hear nothing. `replies`: what we send still arrives.
   */
  silence(direction?: 'both' | 'replies'): void;
  /** Everything passes again, with what was held back in between. */
  resume(): void;
  /** Breaks every connection off on both sides with an RST. */
  reset(): void;
}

/** A relay of TCP between us and the server of that URL, PostgreSQL or a register, that can fall silent. */
export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port, protocol } = new URL(target);
  const usual = protocol.startsWith('postgres') ? 5432 : 80;
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let silent: 'no' | 'both' | 'replies' = 'no';

  const flow = ({ client, server }: { client: Socket; server: Socket }) => {
    for (const [socket, stops] of [
      [client, silent === 'both'],
      [server, silent !== 'no'],
    ] as const) {
      if (stops) {
        socket.pause();
      } else socket.resume();
    }
    // Whatever ended while it was silent ends on the other side only now.
    if (silent !== 'no') return;
    if (client.destroyed) server.destroy();
    if (server.destroyed) client.destroy();
  };

  const listener = createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
    const server = connect({ host: hostname, port: Number(port) || usual, noDelay: true });
    const pair = { client, server };
    pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', (chunk) => to.writable && to.write(chunk));
      from.on('end', () => silent === 'no' && to.end());
      from.on('error', () => {});
      from.once('close', () => {
        if (silent === 'no') to.destroy();
        if (client.destroyed && server.destroyed) pairs.delete(pair);
      });
    }
    flow(pair);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const destroy = (end: (socket: Socket) => unknown) => {
    for (const { client, server } of pairs) [client, server].map(end);
  };
  afterTests(() => {
    destroy((socket) => socket.destroy());
    return new Promise((resolve) => listener.close(resolve));
  });
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);
  const become = (next: typeof silent) => {
    silent = next;
    pairs.forEach(flow);
  };
  return {
    url: protocol.startsWith('postgres') ? url.href : url.origin,
    get connections() {
      return pairs.size;
    },
    silence: (direction = 'both') => become(direction),
    resume: () => become('no'),
    reset: () => destroy((socket) => socket.resetAndDestroy()),
  };
}
