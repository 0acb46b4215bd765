import type pg from 'pg';
import { from } from 'pg-copy-streams';

/** Rows are sent when they may take this many bytes; they mostly take a third. */
const BATCH = 1024 * 1024;

export type Value = string | number | boolean | null | undefined;

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
 * way while the next one gathers. Values go as data and never as parameters, which PostgreSQL may log; and in
 * COPY's binary format, because of a line of text the server's log has a copy where a COPY is interrupted. A row with
 * a character that the encoding of the database does not have is left out, and `refused` gets it.
 */
export function openCopy(
  client: pg.Client,
  statement: string,
  refused: (row: readonly Value[]) => void = () => undefined,
): CopyWriter {
  let rows: Value[][] = [];
  let size = 0;
  let sending: Promise<void> = Promise.resolve();
  // One buffer for all batches, since each is in the table before the next is written: V8 takes new ones for a reason
  // to collect garbage, which was a fifth of the function's CPU.
  let room = Buffer.allocUnsafe(0);
  const allocate = (bytes: number) => {
    if (room.length < bytes) room = Buffer.allocUnsafe(bytes);
    return room;
  };
  const send: Send = (some) => sendBatch(client, statement, copyData(some, allocate));

  const flush = async () => {
    await sending;
    if (rows.length === 0) return;
    const batch = rows;
    rows = [];
    size = 0;
    sending = sendRows(send, batch, refused);
    // The rejection is seen by the next flush; it must not count as unhandled until then.
    sending.catch(() => undefined);
  };

  return {
    add: (...values) => {
      rows.push(values);
      for (const value of values) size += most(value);
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

// The frame of COPY's binary format (PostgreSQL manual, "COPY", File Formats): a signature, flags and no extension;
// rows of a count of fields, each with its length and its bytes; and a count of -1 at the end.
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const NULL = -1;

/**
 * Rows in COPY's binary format, in the buffer that `allocate` gives for so many bytes. A string is text, a number bigint,
 * a boolean boolean; null and undefined are NULL. Numbers are whole and not negative.
 */
export function copyData(
  rows: readonly (readonly Value[])[],
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  let size = HEADER.length + 2;
  for (const row of rows) {
    size += 2;
    for (const value of row) size += most(value);
  }
  const data = allocate(size);
  let at = HEADER.copy(data);
  for (const row of rows) {
    at = data.writeInt16BE(row.length, at);
    for (const value of row) at = writeValue(data, value, at);
  }
  return data.subarray(0, data.writeInt16BE(NULL, at));
}

/** The most bytes that a value takes with its length: to measure a text costs as much as to write it. */
const most = (value: Value): number => 12 + (typeof value === 'string' ? 3 * value.length : 0);

function writeValue(data: Buffer, value: Value, at: number): number {
  if (value === null || value === undefined) return data.writeInt32BE(NULL, at);
  const start = at + 4;
  let end: number;
  if (typeof value === 'string') {
    end = start + data.write(value, start);
  } else if (typeof value === 'number') {
    data.writeInt32BE(Math.floor(value / 2 ** 32), start);
    end = data.writeUInt32BE(value % 2 ** 32, start + 4);
  } else end = data.writeUInt8(value ? 1 : 0, start);
  data.writeInt32BE(end - start, at);
  return end;
}

/** untranslatable_character, character_not_in_repertoire (PostgreSQL manual, appendix A). */
const NOT_ENCODABLE = ['22P05', '22021'];

type Send = (rows: Value[][]) => Promise<void>;

// By halves, until the row stands alone: a COPY is done whole or not at all.
async function sendRows(
  send: Send,
  rows: Value[][],
  refused: (row: readonly Value[]) => void,
): Promise<void> {
  try {
    await send(rows);
  } catch (error) {
    if (!NOT_ENCODABLE.includes(String((error as { code?: unknown }).code))) throw error;
    const [row] = rows;
    if (rows.length === 1 && row) return refused(row);
    const middle = Math.ceil(rows.length / 2);
    await sendRows(send, rows.slice(0, middle), refused);
    await sendRows(send, rows.slice(middle), refused);
  }
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
