import type pg from 'pg';
import type { Refusal } from './refusals.ts';
import type { Run } from './session.ts';
import attempts from './sql/apply/begin_attempts.sql';
import createAdded from './sql/apply/create_added.sql';
import createAttempt from './sql/apply/create_attempt.sql';
import createLocked from './sql/apply/create_locked_rows.sql';
import createRewritten from './sql/apply/create_rewritten.sql';
import createWritten from './sql/apply/create_written.sql';
import probeStatement from './sql/apply/probe_rows.sql';
import tryStatement from './sql/apply/try_changes.sql';
import { openPath, pinPath } from './writingPath.ts';

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
