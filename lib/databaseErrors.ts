import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { BufferReader } from 'pg-protocol/dist/buffer-reader.js';
import { type Kind, kinds } from './databaseWords.ts';
import { isError, SyncError } from './errors.ts';

/**
 * The SyncError that stands for anything thrown while a request or a run went on. Once the signal has
 * aborted, an error of a library is only the echo of that. What nobody expected becomes `internal_error`,
 * without any detail, and keeps the original as its cause.
 */
export function toSyncError(thrown: unknown, signal: AbortSignal): SyncError {
  const known = thrown instanceof SyncError ? thrown : undefined;
  if (known && known.code !== 'internal_error') return known;
  const { aborted, reason } = signal;
  if (aborted && reason instanceof SyncError) {
    return new SyncError(reason.code, reason.message, { cause: thrown });
  }
  return (
    asDatabaseUnavailable(thrown) ??
    new SyncError('internal_error', 'Something went wrong that nobody expected. See the log.', {
      cause: thrown,
      runId: known?.runId,
    })
  );
}

/**
 * The SyncError for a driver's error that means the database cannot be reached, refuses us or cannot do
 * now what we ask, or undefined for anything else: such an error is a bug.
 */
export function asDatabaseUnavailable(thrown: unknown): SyncError | undefined {
  // A host name with several addresses: one error per address, all of much the same kind.
  const errors = isError(thrown) && 'errors' in thrown ? (thrown.errors as unknown[]) : [thrown];
  for (const error of errors) {
    const kind = isError(error) && kindOf(error);
    if (!kind) continue;
    const place = [codeOf(error), kind.inFunction && functionOf(error), objectOf(error)]
      .filter(Boolean)
      .join(', ');
    return new SyncError(
      'database_unavailable',
      `${wordsOf(kind, error)}${place && ` (${place})`}.`,
      {
        cause: thrown,
      },
    );
  }
  return undefined;
}

/** Whether the server or a pooler refused the user or the password, which a rotated secret may cure. */
export function isLoginRefused(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return (
    code.startsWith('28') ||
    (code === '08P01' && /authentication failed/.test((thrown as Error).message))
  );
}

const LOST = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', '57P01', '57P02', '57P05', '25P03', '08006'];

/** Whether a connection that was there is gone: pg's words for it, or the server's before it ended it. */
export function isConnectionLost(thrown: unknown): boolean {
  if (!isError(thrown)) return false;
  return (
    LOST.includes(codeOf(thrown)) ||
    /^(Connection terminated|Client has encountered a connection error|Received unexpected)(?!.*timeout)/.test(
      thrown.message,
    )
  );
}

function kindOf(error: Error): Kind | undefined {
  const code = codeOf(error);
  if (code === '') return kinds.find(({ message }) => message?.test(error.message));
  // A file that is missing is our bug; a socket that is missing is the database's absence.
  const isSocket = 'syscall' in error && isSocketCall(error.syscall);
  return kinds.find(
    ({ codes, says, constraint, inFunction = false, isSystem = false }) =>
      codes.some((one) => fits(code, one)) &&
      (!says || says.test(error.message)) &&
      (!constraint || constraint.test(constraintOf(error))) &&
      (!inFunction || /\bfunction /.test(contextOf(error))) &&
      (!isSystem || isSocket),
  );
}

// Two characters name a class of SQLSTATEs, which have five; those of OpenSSL have an end for each cause.
const fits = (code: string, one: string) => {
  if (one.length === 2) return /^[0-9A-Z]{5}$/.test(code) && code.startsWith(one);
  return code === one || (one.startsWith('ERR_') && code.startsWith(`${one}_`));
};

/** In which function of the database an error came up, with whatever it was at; empty: in none. */
export function contextOf(error: Error): string {
  const where = 'where' in error && typeof error.where === 'string' ? error.where : '';
  // What PostgreSQL itself was at, as in "while updating tuple (0,1) in relation "members"".
  return /^while \w+ [^\n]*$/.test(where) ? '' : where;
}

/**
 * The innermost function of others; of the context nothing else is shown. Our own block has no name, and a function in
 * SQL is named without its arguments.
 */
export function functionIn(context: string): string | undefined {
  for (const line of context.split('\n')) {
    const [, name] =
      /^(?:PL\/\w+|SQL)[ -][^\n"(]*?((?:"[^"]+"|[\w.])+)\(/.exec(line) ??
      /^SQL function "([^"]+)" (?:statement \d+|during \w+)$/.exec(line) ??
      [];
    if (name !== undefined) return name;
  }
  return undefined;
}

const functionOf = (error: Error) => functionIn(contextOf(error)) ?? 'of no known name';

const constraintOf = (error: Error) =>
  'constraint' in error && typeof error.constraint === 'string' ? error.constraint : '';

// Where a right is missing, what for; a server may say it in another language. A trigger may raise any text.
function wordsOf({ words }: Kind, error: Error): string {
  const [, object] = /^permission denied for (\w+ \w+)$/.exec(error.message) ?? [];
  if (
    codeOf(error) !== '42501' ||
    functionIn(contextOf(error)) !== undefined ||
    object === undefined
  ) {
    return words;
  }
  return words.replace('lacks a right', `lacks a right on ${object}`);
}

// The sequence that has no number left, or whose table has the number already: names of ours, and no value.
function objectOf(error: Error): string | undefined {
  if (codeOf(error) === '2200H' && contextOf(error) === '') {
    return /"(\w+_seq)"/.exec(error.message)?.[1];
  }
  // A trigger may name what it likes.
  return codeOf(error).startsWith('23') && contextOf(error) === ''
    ? constraintOf(error)
    : undefined;
}

const isSocketCall = (syscall: unknown) =>
  typeof syscall === 'string' && /^(connect|read|write|getaddrinfo|queryA)/.test(syscall);

function codeOf(thrown: unknown): string {
  const code = isError(thrown) && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** What pg keeps of a client for itself. */
interface Inside {
  connection: { attachListeners(stream: Duplex): void };
  _connectionError: boolean;
  _queryable: boolean;
}

/**
 * Has a client lose its connection where the server, or what stands in its place, says something that pg cannot read, or
 * that it did not expect: a kind of login that it does not know, a message that is cut short, one that nobody asked for.
 * pg throws where the socket is read, outside any promise, and it would end the process; or it leaves the socket open.
 */
export function endOnNonsense(client: pg.Client): void {
  const inside = client as unknown as Inside;
  const { connection } = inside;
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    attach(stream);
    for (const read of stream.listeners('data')) {
      stream.off('data', read as () => void);
      stream.on('data', (chunk: Buffer) => {
        try {
          read.call(stream, chunk);
          if (inside._connectionError || !inside._queryable) stream.destroy();
        } catch (cause) {
          stream.destroy(new Error('Connection terminated by what pg cannot read', { cause }));
        }
      });
    }
  };
}

// Past the end of what was received there is an empty text for ever, and pg-protocol looks there for the end of an error
// or a notice that has none: nothing else would run in this process again.
const { string: read } = BufferReader.prototype;
BufferReader.prototype.string = function (length) {
  const { offset, buffer } = this as unknown as { offset: number; buffer: Buffer };
  if (offset + length > buffer.length) throw new RangeError('a message has no end');
  return read.call(this, length);
};
