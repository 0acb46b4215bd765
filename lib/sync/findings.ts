import type pg from 'pg';
import { shownId } from '../redact.ts';
import { allowance } from '../variables.ts';
import countSetAside from './sql/apply/count_set_aside.sql';
import followDecisions from './sql/apply/follow_decisions.sql';
import settleDecisionsStatement from './sql/apply/settle_decisions.sql';
import settle from './sql/apply/settle_findings.sql';
import {
  type ErrorList,
  isDecision,
  type Run,
  type RunError,
  type SetAside,
  type SyncRequest,
} from './types.ts';

/** Errors shown in an answer and in sync_log; all of them are counted. */
const SHOWN = 100;

/** Errors kept for syncStatus: what waits for a person, member by member. Some 2 MB of memory. */
const KEPT = 10_000;

/** An empty list. */
export function createErrorList(): ErrorList {
  let count = 0;
  const kept: RunError[] = [];
  const unkept = new Map<string, number>();
  return {
    add: (code, externalId, message) => {
      count += 1;
      if (kept.length < KEPT) {
        kept.push({ code, external_id: shownId(externalId ?? null), message });
      } else unkept.set(code, (unkept.get(code) ?? 0) + 1);
    },
    hideId: (externalId) => {
      const shown = shownId(externalId);
      for (const error of kept) {
        if (error.external_id === shown) error.external_id = null;
      }
    },
    count: () => count,
    kept: () => kept,
    unkept: () => unkept,
    shown: () => kept.slice(0, SHOWN),
  };
}

/** What of a snapshot says what waits. */
interface Seen {
  errors: ErrorList;
  proof: { complete: boolean };
  fetched: number;
}

interface Finding {
  code: string;
  external_id: string;
  records: number;
  error_code: string;
  message: string;
}

const CHANGES_REFUSED = 'changes_refused';
// An error that is not here means a record that could not be used.
const codes: Record<string, string | undefined> = {
  removal_unconfirmed: 'removals_unconfirmed',
  inactive_here: 'inactive_here',
  change_refused: CHANGES_REFUSED,
  change_waits: CHANGES_REFUSED,
  row_locked: CHANGES_REFUSED,
  plan_outdated: CHANGES_REFUSED,
  // List and page of a member say two things, until a full run decides.
  just_changed: CHANGES_REFUSED,
  // Reported once; nobody has to do anything.
  value_rewritten: undefined,
  // What the caller asked for was not possible; nothing waits for anybody.
  undo_conflict: undefined,
  unknown_id: undefined,
  stale_reply: undefined,
};
const SET_ASIDE = 'records_set_aside';
/** What an admin decided by a call, and could not be made: no other call makes it. */
const waitsOf = ({ undo }: SyncRequest) => (undo === undefined ? 'release_waits' : 'undo_waits');

/**
 * The errors of a run as findings, one for each member and one for all records that name nobody; pure. Errors
 * that were counted and not kept are among the latter.
 */
export function findingsOf(errors: Pick<ErrorList, 'kept' | 'unkept'>): Finding[] {
  const found = new Map<string, Finding>();
  const add = ({ code: error_code, external_id, message }: RunError, more = 1) => {
    const code = Object.hasOwn(codes, error_code) ? codes[error_code] : SET_ASIDE;
    if (code === undefined) return;
    const key = JSON.stringify([code, external_id]);
    const records = (found.get(key)?.records ?? 0) + more;
    found.set(key, { code, external_id: external_id ?? '', records, error_code, message });
  };
  for (const error of errors.kept()) add(error);
  const message = 'not kept: too many at once';
  for (const [code, count] of errors.unkept()) add({ code, external_id: null, message }, count);
  return [...found.values()];
}

interface Counts {
  set_aside: number;
  active: number;
}

/**
 * Writes what waits for a person to open_findings, in the transaction that applies the run. An undo did not read the
 * register, so it says only what of it was not made. Throws what pg throws.
 */
export async function settleFindings(run: Run, runId: number, snapshot: Seen): Promise<void> {
  const { client, request } = run;
  const found = findingsOf(snapshot.errors).map((finding) =>
    isDecision(request) && finding.code === CHANGES_REFUSED
      ? { ...finding, error_code: waitsOf(request) }
      : finding,
  );
  const column = <K extends keyof Finding>(name: K) => found.map((finding) => finding[name]);
  if (await anyDecisionWaits(client)) await settleDecisions(run, snapshot);
  await client.query(settle, [
    runId,
    isWhole(run, snapshot),
    column('code'),
    column('external_id'),
    column('records'),
    column('error_code'),
    column('message'),
    run.mode === 'full' || run.mode === 'incremental',
  ]);
}

async function anyDecisionWaits(client: pg.Client): Promise<boolean> {
  const waiting = `select from public.open_findings where error_code::text in ('undo_waits', 'release_waits') limit 1`;
  return (await client.query(waiting)).rowCount === 1;
}

async function settleDecisions(run: Run, snapshot: Seen): Promise<void> {
  const { client, request } = run;
  await client.query(followDecisions);
  const named = snapshot.errors.kept().flatMap(({ external_id }) => external_id ?? []);
  await client.query(settleDecisionsStatement, [
    isWhole(run, snapshot),
    request.undo ?? null,
    request.release === true ? (request.externalIds ?? []) : [],
    named,
  ]);
}

const isWhole = ({ mode }: Run, { proof }: Seen) => mode === 'full' && proof.complete;

/**
 * Judges the records that could not be used, those of earlier runs that still wait among them; a dry run and its run
 * alike. `more`: active members that are yet to come. Returns undefined where they are within the limit, or the run
 * did not read the register. Throws what pg throws.
 */
export async function judgeSetAside(
  run: Run,
  snapshot: Seen,
  more: number,
): Promise<SetAside | undefined> {
  const { client, mode, context } = run;
  if (mode === 'undo' || mode === 'selected') return undefined;
  const { SYNC_MAX_SET_ASIDE, SYNC_LIMIT_FLOOR } = context.config.sync;
  const found = findingsOf(snapshot.errors).filter(({ code }) => code === SET_ASIDE);
  const { rows } = await client.query<Counts>(countSetAside, [
    SYNC_LIMIT_FLOOR,
    isWhole(run, snapshot),
    found.map(({ external_id }) => external_id),
    found.map(({ records }) => records),
  ]);
  const { set_aside, active } = rows[0] as Counts;
  const records = mode === 'full' ? snapshot.fetched : Math.max(snapshot.fetched, active + more);
  const limit = allowance(SYNC_MAX_SET_ASIDE, records, SYNC_LIMIT_FLOOR);
  return set_aside > limit ? { count: set_aside, limit } : undefined;
}
