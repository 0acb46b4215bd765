import type { Duplex } from 'node:stream';
import type pg from 'pg';

/**
 * Has a client lose its connection where the server, or what stands in its place, says something that pg cannot read: a
 * kind of login that it does not know, a message that is cut short. pg throws that where the socket is read, outside any
 * promise, and it would end the process.
 */
export function endOnNonsense(client: pg.Client): void {
  const { connection } = client as unknown as {
    connection: { attachListeners(stream: Duplex): void };
  };
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    attach(stream);
    for (const read of stream.listeners('data')) {
      stream.off('data', read as () => void);
      stream.on('data', (chunk: Buffer) => {
        try {
          read.call(stream, chunk);
        } catch (cause) {
          stream.destroy(new Error('Connection terminated by what pg cannot read', { cause }));
        }
      });
    }
  };
}
