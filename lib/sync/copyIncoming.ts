import type pg from 'pg';
import { from } from 'pg-copy-streams';
import { CopyLines } from './copyLines.ts';
import copyStatement from './sql/snapshot/copy_incoming.sql';

/** Lines are sent when this many bytes have gathered. */
const BATCH = 256 * 1024;

export interface IncomingWriter {
  /** Where lines gather. */
  lines: CopyLines;
  /** Sends the lines if they make a batch; resolves as soon as more may be added. */
  write(): Promise<void>;
  /** Resolves when nothing is on its way, so that the connection can be used. */
  settled(): Promise<void>;
  /** Resolves when every line is in the table. */
  end(): Promise<void>;
}

/**
 * Streams lines into `incoming` in batches, one COPY each, so that between two of them the connection
 * is free for progress and nothing waits in a transaction while pages are fetched. One batch is on its
 * way while the next one gathers.
 */
export function copyIncoming(client: pg.Client): IncomingWriter {
  const lines = new CopyLines();
  let sending: Promise<void> = Promise.resolve();

  const flush = async () => {
    await sending;
    if (lines.size === 0) return;
    sending = send(client, lines.take());
    // The rejection is seen by the next flush; it must not count as unhandled until then.
    sending.catch(() => undefined);
  };

  return {
    lines,
    write: async () => {
      if (lines.size >= BATCH) await flush();
    },
    settled: () => sending,
    end: async () => {
      await flush();
      await sending;
    },
  };
}

function send(client: pg.Client, batch: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.query(from(copyStatement));
    stream.once('finish', resolve);
    stream.once('error', (error) => {
      reject(error);
      // Or it goes on writing, to a connection that it lets go of now, which would end the process.
      stream.destroy();
    });
    stream.end(batch);
  });
}
