import type pg from 'pg';
import { queryOnce, withConnection } from '../database.ts';
import { type ErrorCode, SyncError } from '../errors.ts';
import type { Log } from '../log.ts';
import { checkSession } from './lock.ts';
import closeAbandonedRuns from './sql/log/close_abandoned_runs.sql';
import failRunStatement from './sql/log/fail_run.sql';
import finishRunStatement from './sql/log/finish_run.sql';
import isFinished from './sql/log/is_finished.sql';
import noteUnwritten from './sql/log/note_unwritten.sql';
import reportProgress from './sql/log/report_progress.sql';
import startRunStatement from './sql/log/start_run.sql';
import type {
  Counts,
  FinishedRun,
  Phase,
  Progress,
  StartedRun,
  SyncMode,
  SyncRequest,
} from './types.ts';

/**
 * Writes the pending row of a new run and returns its id and its time, by the database's clock. Runs that a killed
 * process left pending are closed as failed first; only the holder of the sync lock may call this. Where sync_log takes
 * no row, open_findings says so until a run is written again. Throws what pg throws.
 */
export async function startRun(client: pg.Client, request: SyncRequest, log: Log): Promise<Begun> {
  try {
    return await writeStart(client, request, log);
  } catch (error) {
    await client.query(noteUnwritten).catch(() => undefined);
    throw error;
  }
}

type Begun = Pick<StartedRun, 'startedAt'> & { id: number };

async function writeStart(client: pg.Client, request: SyncRequest, log: Log): Promise<Begun> {
  const { rows: abandoned } = await client.query<{ id: number }>(closeAbandonedRuns);
  for (const { id } of abandoned) {
    log(
      'WARNING',
      'run_abandoned',
      `run ${id} was left pending by a process that ended; it is closed as failed`,
      { abandoned_run_id: id },
    );
  }
  const details = {
    caller: request.caller,
    ...(request.undo === undefined ? {} : { undo: request.undo }),
    // What is decided of these members by name waits until it is decided otherwise.
    ...(request.release === undefined
      ? {}
      : { release: request.release, external_ids: request.externalIds }),
  };
  const { rows } = await client.query<{ id: number; started_at: Date; status: string }>(
    startRunStatement,
    [request.syncType, JSON.stringify(details), knownMode(request)],
  );
  const [begun] = rows;
  if (!begun) throw new SyncError('database_unavailable', `sync_log takes no run: ${dropped}`);
  const { id, started_at: startedAt, status } = begun;
  if (status !== 'pending') {
    throw new SyncError('database_unavailable', `sync_log takes no run: ${rewritten}`);
  }
  return { id, startedAt };
}

const dropped = 'a trigger or a rule of another service drops it without a word. Drop that one.';
const rewritten = 'a trigger of another service writes another one. Drop that one.';

// A run that fails before it has chosen its mode is told from one that reads the register.
function knownMode({ undo, externalIds }: SyncRequest): SyncMode | null {
  if (undo !== undefined) return 'undo';
  return externalIds === undefined ? null : 'selected';
}

/**
 * Writes the final state of a run; part of the transaction that applies it. Throws `interrupted` when the
 * run's row is no longer pending, or its session is another now.
 */
export async function finishRun(client: pg.Client, runId: number, run: FinishedRun): Promise<void> {
  await checkSession(client);
  const values = [
    runId,
    JSON.stringify(run.result),
    run.mark,
    run.countsTowardsLimits,
    JSON.stringify(run.details),
    run.approvedChanges,
    run.registerSeenAt,
    run.membersStamped,
  ];
  const { rows } = await client.query<{ may_be_rewritten: boolean }>(finishRunStatement, values);
  if (!rows[0]) await throwUnfinished(client, runId);
  if (!rows[0]?.may_be_rewritten) return;
  // What would happen at the commit happens here.
  await client.query('set constraints all immediate');
  if (!(await client.query(isFinished, values)).rowCount) throw untaken(rewritten, runId);
}

const untaken = (why: string, runId: number) =>
  new SyncError('database_unavailable', `sync_log takes no result: ${why}`, { runId });

async function throwUnfinished(client: pg.Client, runId: number): Promise<never> {
  const { rows } = await client.query<Found>(findRun, [runId]);
  if (rows[0]?.status === 'pending') throw untaken(dropped, runId);
  if (rows[0]?.is_finished === false) throw untaken(rewritten, runId);
  throw new SyncError('interrupted', `run ${runId} was closed by another run while it went on`, {
    runId,
  });
}

interface Found {
  status: string;
  /** Of a run that did not finish it is what the request alone says. */
  mode: string | null;
  is_finished: boolean;
}
const findRun = `select status::text as status, mode::text as mode, finished_at is not null as is_finished
  from public.sync_log where id = $1::int`;

// Errors that say no to the caller: the run did not fail, it was refused.
const refusals: ErrorCode[] = ['plan_changed', 'not_found', 'invalid_request'];

/** How long closing a run may take, in ms: less than is kept back from the function's own time. */
const CLOSE_MS = 5_000;

/**
 * Closes a run that ended with an error, in sync_log and in the log, on a connection of its own because
 * the run's may be dead. Returns whether the run was applied all the same: a connection can be lost
 * between a commit and its reply. null: that is not known. It never throws and takes five seconds at most: without a
 * database the row stays pending and the next run closes it.
 */
export async function closeFailedRun(
  run: StartedRun,
  runId: number,
  error: SyncError,
  atCommit: boolean,
): Promise<boolean | null> {
  const { log } = run.context;
  const refused = refusals.includes(error.code);
  const fields = { error_code: error.code };
  const status = await storeFailure(run, runId, error, refused ? 'refused' : 'failed');
  const applied = status === undefined && atCommit ? null : wasApplied(status);
  if (status === undefined) {
    const message = `run ${runId} could not be closed; the next run will close it`;
    log('WARNING', 'run_left_pending', message);
  }
  if (applied !== false) {
    const what = applied ? 'was applied' : 'may have been applied';
    log(
      'ERROR',
      'sync_answer_lost',
      `run ${runId} ${what}, and then its connection was lost`,
      fields,
    );
  } else if (refused) {
    log('WARNING', 'sync_refused', `run ${runId} was refused: ${error.message}`, fields);
  } else {
    const message = `run ${runId} failed and changed nothing: ${error.message}`;
    log('ERROR', 'sync_failed', message, fields);
  }
  return applied;
}

// A run that was closed by another while it stood still has not been applied either.
const wasApplied = (status: string | undefined) =>
  status !== undefined && ['success', 'partial', 'held'].includes(status);

// The run's status afterwards; undefined when the database could not be asked.
async function storeFailure(
  { context, request, elapsed }: StartedRun,
  runId: number,
  { code, message }: SyncError,
  status: 'refused' | 'failed',
): Promise<string | undefined> {
  const reason = JSON.stringify({ code, message });
  return withConnection(context.secrets.DATABASE_URL, CLOSE_MS, async (connection) => {
    // Waits for the row when the run's own session is still about to end.
    const failed = [runId, elapsed(), reason, status];
    const { rowCount: isClosed } = await queryOnce(connection, failRunStatement, failed);
    const { rows } = await queryOnce<Found>(connection, findRun, [runId]);
    const [found] = rows;
    const isOther = found?.status !== (isClosed ? status : 'pending');
    if (!isClosed && (!isOther || found?.is_finished)) return found?.status;
    // It was pending, or never finished: whatever a trigger of another service makes of it, nothing was applied.
    if (isOther || found?.mode !== knownMode(request)) await queryOnce(connection, noteUnwritten);
    return status;
  }).catch(() => undefined);
}

/**
 * At most one row version per this many ms: a walk of ten thousand pages must not write as many, and a run that is
 * over sooner none.
 */
const INTERVAL_MS = 500;

/**
 * Keeps sync_log.progress of a run current while it goes on, for syncStatus, and times its phases. A new
 * phase is reported at once, or after the first half second if it lasts. A dry run has no row, and reports nothing.
 */
export function trackProgress(
  client: pg.Client,
  runId: number | null,
  now: () => number = () => performance.now(),
): Progress {
  const durations: Partial<Record<Phase, number>> = {};
  let counts: Counts = {};
  let current: { phase: Phase; since: number; reportedAt: number } | undefined;
  const begunAt = now();
  let later: NodeJS.Timeout | undefined;

  const settle = () => {
    if (!current) return;
    const { phase, since } = current;
    durations[phase] = Math.round((durations[phase] ?? 0) + now() - since);
    current.since = now();
  };
  return {
    report: async (phase, more = {}, free = async () => undefined) => {
      counts = { ...counts, ...more };
      if (current?.phase === phase && now() - current.reportedAt < INTERVAL_MS) return;
      settle();
      clearTimeout(later);
      const age = now() - begunAt;
      current = { phase, since: now(), reportedAt: Math.max(now(), begunAt + INTERVAL_MS) };
      if (runId === null) return;
      const write = async () => {
        const progress = JSON.stringify({ phase, ...counts });
        await free();
        // A connection that is lost is found out by the next statement that matters.
        await client.query(reportProgress, [runId, progress]).catch(() => undefined);
      };
      if (age >= INTERVAL_MS) return write();
      // Never in the transaction that applies the run: a statement that fails there would end it.
      if (phase !== 'apply') later = setTimeout(write, INTERVAL_MS - age).unref();
    },
    durations: () => {
      settle();
      return { ...durations };
    },
  };
}
