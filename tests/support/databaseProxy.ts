import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { afterTests } from './cleanUp.ts';

/** Where a run is stopped: at a statement, before it is sent, in the middle of its COPY data, or when it is done but not answered. */
export interface Stage {
  when: 'before' | 'during' | 'after';
  statement: RegExp;
}

export interface DatabaseProxy {
  /** The same database, through here. */
  url: string;
  /** Every statement that passed, in its order. */
  statements: string[];
  /** From now on; resolves when a run has come to that stage and stands there. Only one stops, the others pass. */
  stopAt(stage: Stage): Promise<void>;
  /** The connection that stands is cut, on both sides. */
  cut(): void;
  /** Cuts by itself as soon as the stage is reached. */
  cutAt(stage: Stage): Promise<void>;
}

interface Order extends Stage {
  reached: () => void;
}

/**
 * Stands between a run and its database and understands the messages (PostgreSQL manual, "Frontend/Backend
 * Protocol"), so that a process can be killed and a connection cut at an exact statement.
 */
export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const real = new URL(databaseUrl);
  const statements: string[] = [];
  const sockets = new Set<Socket>();
  let order: Order | undefined;
  let standing: (() => void) | undefined;

  const serve = (client: Socket) => {
    const server = connect(Number(real.port), real.hostname);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      // Many small messages to and fro: waiting to fill a packet would cost 40 ms for each.
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    let mine: Order | undefined;
    let stopped = false;
    let started = false;
    let waitsForReady = false;
    const stand = (reached: () => void) => {
      stopped = true;
      standing = () => {
        client.destroy();
        server.destroy();
      };
      reached();
    };
    // Whole messages at a time; the very first one has no type.
    const messages = (handle: (message: Buffer, type: string) => void, typed: () => boolean) => {
      let rest = Buffer.alloc(0);
      return (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk]);
        for (;;) {
          const at = typed() ? 1 : 0;
          if (rest.length < at + 4) return;
          const length = at + rest.readInt32BE(at);
          if (rest.length < length) return;
          const message = rest.subarray(0, length);
          rest = rest.subarray(length);
          handle(message, at ? String.fromCharCode(message[0] ?? 0) : '');
        }
      };
    };
    client.on(
      'data',
      messages(
        (message, type) => {
          started = true;
          if (stopped) return;
          const statement = statementOf(message, type);
          if (statement !== undefined) {
            statements.push(statement);
            if (order?.statement.test(statement)) {
              mine = order;
              order = undefined;
              if (mine.when === 'before') return stand(mine.reached);
            }
          }
          if (mine?.when === 'during' && type === 'd') {
            server.write(message.subarray(0, message.length / 2));
            return stand(mine.reached);
          }
          server.write(message);
          if (mine?.when === 'after' && (type === 'Q' || type === 'S')) waitsForReady = true;
        },
        () => started,
      ),
    );
    server.on(
      'data',
      messages(
        (message, type) => {
          if (stopped) return;
          // The answer is kept; ReadyForQuery says that the statement is done.
          if (!waitsForReady) {
            client.write(message);
          } else if (type === 'Z' && mine) stand(mine.reached);
        },
        () => true,
      ),
    );
  };

  const listener = createServer(serve);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  afterTests(async () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await once(listener, 'close');
  });
  const target = new URL(databaseUrl);
  target.port = String((listener.address() as AddressInfo).port);
  const url = target.href;

  const stopAt = (stage: Stage) =>
    new Promise<void>((resolve) => {
      order = { ...stage, reached: resolve };
    });
  const cut = () => {
    standing?.();
    standing = undefined;
  };
  return {
    url,
    statements,
    stopAt,
    cut,
    cutAt: (stage) =>
      new Promise<void>((resolve) => {
        order = {
          ...stage,
          reached: () => {
            cut();
            resolve();
          },
        };
      }),
  };
}

function statementOf(message: Buffer, type: string): string | undefined {
  if (type === 'Q') return message.toString('utf8', 5, message.length - 1);
  // Parse: the name of the statement, then its text, then its types.
  if (type === 'P') return message.toString('utf8', 5).split('\0')[1];
  return undefined;
}
