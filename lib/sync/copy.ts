import type pg from 'pg';
import { from } from 'pg-copy-streams';

/** Lines are sent when this many bytes have gathered. */
const BATCH = 256 * 1024;

type Value = string | number | boolean | null | undefined;

export interface CopyWriter {
  /** Adds a row; its values in the order of the columns that the statement names. */
  add(...values: Value[]): void;
  /** Sends the rows if they make a batch; resolves as soon as more may be added. */
  write(): Promise<void>;
  /** Resolves when nothing is on its way, so that the connection can be used. */
  settled(): Promise<void>;
  /** Resolves when every row is in the table. Throws what pg throws. */
  end(): Promise<void>;
}

/**
 * Streams rows into a temporary table in batches, one COPY each, so that between two of them the connection
 * is free for progress and nothing waits in a transaction while pages are fetched. One batch is on its
 * way while the next one gathers. Values go as data and never as parameters, which PostgreSQL may log.
 */
export function openCopy(client: pg.Client, statement: string): CopyWriter {
  let lines: string[] = [];
  let size = 0;
  let sending: Promise<void> = Promise.resolve();

  const flush = async () => {
    await sending;
    if (lines.length === 0) return;
    const batch = Buffer.from(lines.join(''));
    lines = [];
    size = 0;
    sending = sendBatch(client, statement, batch);
    // The rejection is seen by the next flush; it must not count as unhandled until then.
    sending.catch(() => undefined);
  };

  return {
    add: (...values) => {
      const line = copyLine(values);
      lines.push(line);
      size += line.length;
    },
    write: async () => {
      if (size >= BATCH) await flush();
    },
    settled: () => sending,
    end: async () => {
      await flush();
      await sending;
    },
  };
}

// What COPY's text format writes after a backslash (PostgreSQL manual, "COPY", File Formats).
const escapes: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };

/** One line of COPY text; pure. null and undefined are NULL. */
export function copyLine(values: readonly Value[]): string {
  return `${values.map(copyValue).join('\t')}\n`;
}

function copyValue(value: Value): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (typeof value === 'number') return String(value);
  return value.replace(/[\t\n\r\\]/g, (character) => escapes[character] as string);
}

function sendBatch(client: pg.Client, statement: string, batch: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.query(from(statement));
    stream.once('finish', resolve);
    stream.once('error', (error) => {
      reject(error);
      // Or it goes on writing, to a connection that it lets go of now, which would end the process.
      stream.destroy();
    });
    stream.end(batch);
  });
}
