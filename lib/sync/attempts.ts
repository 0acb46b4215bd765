import type pg from 'pg';
import attempts from './sql/apply/begin_attempts.sql';
import createAdded from './sql/apply/create_added.sql';
import createAttempt from './sql/apply/create_attempt.sql';
import createLocked from './sql/apply/create_locked_rows.sql';
import createRewritten from './sql/apply/create_rewritten.sql';
import createWritten from './sql/apply/create_written.sql';
import probeStatement from './sql/apply/probe_rows.sql';
import tryStatement from './sql/apply/try_changes.sql';
import { openPath, pinPath } from './staging.ts';
import type { Run } from './types.ts';

/** What the database said when it refused what was tried. `context` and `message` may hold values of a row. */
export interface Refusal {
  state: string;
  constraint_name: string;
  table_name: string;
  column_name: string;
  context: string;
  message: string;
}

/** Makes the tables that hold what is tried in this transaction; they live as long as it. Throws what pg throws. */
export async function beginAttempts(
  { client, mode, startedAt }: Run,
  runId: number,
): Promise<void> {
  await client.query(
    [createAttempt, createLocked, createAdded, createWritten, createRewritten].join(';'),
  );
  await client.query(attempts, [runId, startedAt, mode !== 'undo']);
}

/** Makes the changes whose turns lie between two: all of them, or none and why. Throws what pg throws. */
export async function tryChanges(
  client: pg.Client,
  first: number,
  last: number,
): Promise<Refusal | undefined> {
  await client.query('update pg_temp.attempt set first = $1::int, last = $2::int, state = null', [
    first,
    last,
  ]);
  return write(client, tryStatement);
}

/** The SQLSTATE that rows meet which the plan leaves alone; null: they can be written. Throws what pg throws. */
export async function probeRows(client: pg.Client): Promise<string | null> {
  return (await write(client, probeStatement))?.state ?? null;
}

async function write(client: pg.Client, statement: string): Promise<Refusal | undefined> {
  await client.query(`${openPath};\n${statement};\n${pinPath}`);
  const { rows } = await client.query<Refusal>(
    'select * from pg_temp.attempt where state is not null',
  );
  return rows[0];
}

/** So many refused one by one, and nothing done: others are looked at, far from these. */
const REFUSED_IN_A_ROW = 50;
/** So many more than a run knows of, from several places, and nothing done: what is refused is no row but all of it. */
const ALL_REFUSED = 4 * REFUSED_IN_A_ROW;
/** Tries in one run: the rows that change are ours for so long, and other services wait for them. */
const MOST_TRIES = 500;

interface Range {
  from: number;
  to: number;
}

/** What doByHalves does with a part, and `R` is why it is refused. */
export interface Parts<R> {
  /** Tries all of it; returns why nothing of it was done. */
  attempt(from: number, to: number): Promise<R | undefined>;
  /** One that is refused for itself. */
  refuse(at: number, refusal: R): Promise<void>;
  /** What was not tried, because there were too many tries, or they have to end. */
  leave(from: number, to: number): Promise<void>;
}

/**
 * Does what can be done from first to last: tries all of it, and where that is refused its halves, so that k
 * refused ones among n cost some k · log n tries. Returns the last refusal when it is one of all: nothing was done, and
 * so many were refused from the head, the end and between. `known`: how many the last run found refused; `isOver`: the
 * tries have to end.
 */
export async function doByHalves<R>(
  first: number,
  last: number,
  { attempt, refuse, leave }: Parts<R>,
  known = 0,
  isOver: () => boolean = () => false,
): Promise<R | undefined> {
  let [tries, done, refused] = [0, 0, 0];
  const rest: Range[] = first <= last ? [{ from: first, to: last }] : [];
  const halve = ({ from, to }: Range) => {
    const middle = Math.floor((from + to) / 2);
    rest.push({ from: middle + 1, to }, { from, to: middle });
  };
  for (let range = rest.pop(); range; range = rest.pop()) {
    const { from, to } = range;
    if (tries >= MOST_TRIES || isOver()) {
      await leave(from, to);
      continue;
    }
    tries += 1;
    const refusal = await attempt(from, to);
    if (!refusal) {
      done += 1;
    } else if (from < to) {
      halve(range);
    } else {
      await refuse(from, refusal);
      refused += 1;
      if (done > 0) continue;
      if (refused >= known + ALL_REFUSED) return refusal;
      if (rest.length > 0 && refused % REFUSED_IN_A_ROW === 0) lookElsewhere(rest);
    }
  }
  return undefined;
}

// The second half of the largest part is next.
function lookElsewhere(rest: Range[]): void {
  const sizes = rest.map(({ from, to }) => to - from);
  const [{ from, to }] = rest.splice(sizes.indexOf(Math.max(...sizes)), 1) as [Range];
  const middle = Math.floor((from + to) / 2);
  if (from < to) rest.push({ from, to: middle });
  rest.push({ from: from < to ? middle + 1 : from, to });
}
