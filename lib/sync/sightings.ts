import { doByHalves } from './attempts.ts';
import type { Planned } from './planRun.ts';
import { isContention } from './refusals.ts';
import type { Summary } from './result.ts';
import countSightings from './sql/apply/count_sightings.sql';
import createSighting from './sql/apply/create_sighting.sql';
import createUnstamped from './sql/apply/create_unstamped.sql';
import markUnseen from './sql/apply/mark_unseen.sql';
import selectAltered from './sql/apply/select_altered.sql';
import selectUnmarked from './sql/apply/select_unmarked.sql';
import shieldLocked from './sql/apply/shield_locked.sql';
import stampExceptions from './sql/apply/stamp_exceptions.sql';
import stampVerified from './sql/apply/stamp_verified.sql';
import { openPath, pinPath } from './staging.ts';
import type { Run } from './types.ts';

const HOUR_MS = 3_600_000;

/** The first and the last id of rows. */
type Ids = [from: number, to: number];
/** From the least to the greatest that PostgreSQL's `int` can be. */
const ALL_IDS: Ids = [-(2 ** 31), 2 ** 31 - 1];

export interface Sightings {
  /** When this run saw every member that is not marked; null when that is not so. */
  registerSeenAt: Date | null;
  /** It wrote the time of its sighting to every member that it saw, and whose row can be written. */
  membersStamped: boolean;
}

interface Counts {
  to_stamp: number;
  to_mark: number;
  seen_before: Date | null;
  stamped_at: Date | null;
}

/** How far a statement came: `some`: but for rows that a rule or a trigger guards; `none`: somebody holds a row, or all were altered. */
type Reach = 'all' | 'some' | 'none';

/**
 * Notes whom the run saw in the register, so that `member_sightings` says it of every member. A run that read the
 * whole register says it by its own row, and writes only the exceptions: members whom it did not see, and members
 * who were marked so and are back. Every SYNC_STAMP_HOURS it stamps all that it saw. A row that somebody else
 * locks, or that a trigger guards or makes another of, fails no run: the view then says an earlier time, and never a
 * later one.
 */
export async function noteSightings(
  run: Run,
  { snapshot }: Planned,
  { added, updated, reactivated }: Summary,
): Promise<Sightings> {
  const { client, mode, startedAt } = run;
  if (mode === 'undo') return { registerSeenAt: null, membersStamped: false };
  const wholeRegister = mode === 'full';
  await client.query(createSighting);
  const { rows } = await client.query<Counts>(countSightings, [wholeRegister]);
  const { to_mark, to_stamp, seen_before, stamped_at } = rows[0] as Counts;
  const write = writer(run);
  const areMarked = async () => !(await client.query(selectUnmarked, [wholeRegister])).rowCount;
  const marks = [startedAt, seen_before, wholeRegister];
  const isMarked =
    to_mark === 0 || ((await write(markUnseen, marks)) === 'all' && (await areMarked()));
  // Who was added or changed has the stamp already: after a first load that is everybody.
  let membersStamped = added + updated + reactivated >= snapshot.members;
  if (!wholeRegister || !isMarked || (!membersStamped && isDue(run, stamped_at))) {
    membersStamped ||= await stampAll(run, write, isMarked);
  } else if (to_stamp > 0) await write(stampExceptions, [startedAt]);
  return {
    registerSeenAt: wholeRegister && isMarked ? startedAt : null,
    membersStamped: wholeRegister && membersStamped,
  };
}

type Write = ReturnType<typeof writer>;

// Where somebody holds a row, the others get their stamp all the same, if the run's own row does not say it of them.
async function stampAll(run: Run, write: Write, isSaid: boolean): Promise<boolean> {
  const { mode, startedAt } = run;
  const reach = await write(stampVerified, [startedAt]);
  if (reach !== 'none') return true;
  if (mode === 'full' && isSaid) return false;
  await run.client.query(shieldLocked);
  await write(stampVerified, [startedAt]);
  return false;
}

function isDue({ context, startedAt }: Run, stampedAt: Date | null): boolean {
  const hours = context.config.sync.SYNC_STAMP_HOURS;
  if (hours === 0 || stampedAt === null) return true;
  const age = startedAt.getTime() - stampedAt.getTime();
  // A stamp of the future is the trace of a wrong clock.
  return age >= hours * HOUR_MS || age < 0;
}

const indexUnstamped = 'create unique index on pg_temp.unstamped (id)';
// A row that somebody else has written meanwhile is looked at as it is now, and gets no stamp. The columns are those of
// select_altered.sql.
const unlessAltered = `and (
  select row(m.kennitala::text, m.external_id::text, m.is_active, m.removed_at, m.sync_source::text)
    is not distinct from row(u.kennitala, u.external_id, u.is_active, u.removed_at, u.sync_source)
  from pg_temp.unstamped u where u.id = m.id
)`;

// Writes with a statement whose last parameters are the first and the last id of the rows: all of them, or those that
// can be written, found by halves. A stamp changes nothing that decides a vote: where a trigger of another
// service does, it is refused.
function writer({ client, context }: Run) {
  let isWatched: boolean | undefined;
  const keepUnstamped = async () => {
    const { rowCount } = await client.query(createUnstamped);
    if (rowCount) await client.query(indexUnstamped);
    return Boolean(rowCount);
  };
  const isAltered = async (ids: Ids) =>
    isWatched === true && (await client.query(selectAltered, ids)).rowCount === 1;
  const attempt = async (statement: string, values: unknown[], ids: Ids) => {
    await client.query(`savepoint sightings; ${openPath}`);
    try {
      await client.query(isWatched ? statement + unlessAltered : statement, [...values, ...ids]);
      // What would fail at the commit fails here.
      await client.query(`set constraints all immediate; ${pinPath}`);
      if (await isAltered(ids)) throw Object.assign(new Error(), { code: 'MS001' });
      await client.query('release savepoint sightings');
      return undefined;
    } catch (error) {
      // Fails as well where the connection is what was lost, and the run with it.
      await client.query('rollback to savepoint sightings');
      const { code = '' } = error as { code?: string };
      return { state: code };
    }
  };
  return async (statement: string, values: unknown[]): Promise<Reach> => {
    isWatched ??= await keepUnstamped();
    const failure = await attempt(statement, values, ALL_IDS);
    if (!failure) return 'all';
    context.log(
      'WARNING',
      'stamp_postponed',
      'some members could not be stamped or marked as unseen; the next run tries again',
      { sqlstate: failure.state },
    );
    if (isContention(failure)) return 'none';
    const parts = {
      attempt: (from: number, to: number) => attempt(statement, values, [from, to]),
      refuse: async () => undefined,
      leave: async () => undefined,
    };
    const ids = 'select min(id) as first, max(id) as last from public.members';
    const { rows } = await client.query<{ first: number; last: number }>(ids);
    await client.query('savepoint stamps');
    if (rows[0]) await doByHalves(rows[0].first, rows[0].last, parts);
    // A trigger may have changed a member that was not written at all.
    if (!(await isAltered(ALL_IDS))) return 'some';
    await client.query('rollback to savepoint stamps');
    return 'none';
  };
}
