import type pg from 'pg';
import { beginAttempts, doByHalves, type Refusal, tryChanges } from './attempts.ts';
import {
  asThrown,
  isContention,
  isUndoneByTrigger,
  LATER,
  type MembersNames,
  readNames,
  throwIfForAll,
  UNTRIED,
  watchForAll,
  wordsFor,
  wordsOf,
} from './refusals.ts';
import createSpare from './sql/apply/create_spare.sql';
import fillSpare from './sql/apply/fill_spare.sql';
import findNeeds from './sql/apply/find_needs.sql';
import findObstacles from './sql/apply/find_obstacles.sql';
import givePlaceholders from './sql/apply/give_placeholders.sql';
import lockKeys from './sql/apply/lock_keys.sql';
import lockRows from './sql/apply/lock_rows.sql';
import orderByNeed from './sql/apply/order_turns.sql';
import putRefusedLast from './sql/apply/put_refused_last.sql';
import rememberRewritten from './sql/apply/remember_rewritten.sql';
import selectPlaces from './sql/apply/select_places.sql';
import selectTaken from './sql/apply/select_taken.sql';
import setAside from './sql/apply/set_aside.sql';
import setDependentsAside from './sql/apply/set_dependents_aside.sql';
import setIneffectiveAside from './sql/apply/set_ineffective_aside.sql';
import setTurnAside from './sql/apply/set_turn_aside.sql';
import setUntriedAside from './sql/apply/set_untried_aside.sql';
import { openly } from './staging.ts';
import { isDecision, type Run, type RunError } from './types.ts';

/** Someone else wrote a planned row between plan and apply; the plan has to be made again. */
export class PlanOutdatedError extends Error {
  override readonly name = 'PlanOutdatedError';
}

/** Somebody else holds what is needed: ours yields, and tries again. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
}

/** How a change is met that cannot be made as it was planned. */
export interface Manner {
  /** Give way and try again, or set aside what somebody else holds. */
  patient: boolean;
  /** Set aside what somebody else has changed, because the plan is not made again. */
  isLast: boolean;
  /** Changes that the run before found refused. */
  refusedBefore: number;
}

/**
 * Puts changes that need each other in an order in which they can be made, and those last that the run before found
 * refused; returns how many these are. Throws what pg throws.
 */
export async function orderTurns(client: pg.Client): Promise<number> {
  const { rowCount: refused } = await client.query(putRefusedLast);
  const { rowCount: needs } = await client.query(findNeeds);
  if (needs) await orderNeeds(client, needs);
  return refused ?? 0;
}

async function orderNeeds(client: pg.Client, needs: number): Promise<void> {
  await client.query(`${createSpare}; delete from pg_temp.spare`);
  await client.query(fillSpare, [needs]);
  await client.query(givePlaceholders);
  await client.query(orderByNeed);
}

/** So long the tries of a run wait for what others hold elsewhere, in ms, while others wait for the rows that are ours. */
const LONGEST_WAITS_MS = 5_000;

interface Named {
  code: string;
  external_id: string | null;
}

// What an admin decided by a call is in no other run.
const askAgain = (error: RunError): RunError => ({
  ...error,
  message: error.message.replace(LATER, 'send the same call again'),
});

const inWords = ({ rows }: pg.QueryResult<Named>, said?: string): RunError[] =>
  rows.map(({ code, external_id }) => ({
    code,
    external_id,
    message: said ?? wordsOf[code] ?? '',
  }));

/**
 * Makes the changes of the plan, and writes to the audit trail what the database stored. What it refuses, and what
 * somebody else stands in the way of, is set aside in the plan and returned. Throws PlanOutdatedError and
 * ContentionError in the manner that asks for them, `database_unavailable` for what is about no row, and what pg
 * throws.
 */
export async function changeMembers(run: Run, runId: number, manner: Manner): Promise<RunError[]> {
  const { client, mode } = run;
  const { rows } = await client.query<Places>(selectPlaces);
  const { first, last, rows: changing } = rows[0] as Places;
  if (first === null || last === null) return [];
  await beginAttempts(run, runId);
  if (changing > 0) await takeRows(client, manner);
  const errors = await setObstaclesAside(client, manner);
  const names = once(() => readNames(client));
  let waited = 0;
  const attempt = async (from: number, to: number) => {
    if (errors.length > 0) errors.push(...(await setWaitingAside(client)));
    const begun = performance.now();
    const refusal = await tryChanges(client, from, to);
    if (refusal && isContention(refusal)) waited += performance.now() - begun;
    if (refusal) await judge(client, { ...refusal, first: from, last: to }, await names(), manner);
    return refusal;
  };
  const ofAll = watchForAll(client);
  const refuse = async (turn: number, refusal: Refusal) => {
    ofAll.note(turn, refusal);
    const code = await codeOf(client, { ...refusal, first: turn, last: turn }, await names());
    const said = wordsFor(code, refusal, await names());
    errors.push(...inWords(await client.query<Named>(setTurnAside, [turn, code]), said));
  };
  const leave = async (from: number, to: number) => {
    errors.push(...inWords(await client.query<Named>(setUntriedAside, [from, to]), UNTRIED));
  };
  const parts = { attempt, refuse, leave };
  const isOver = () => waited > LONGEST_WAITS_MS;
  const all = await doByHalves(first, last, parts, manner.refusedBefore, isOver);
  if (all) throw asThrown(all, (await names()).triggers);
  await ofAll.settle();
  if (errors.length > 0) errors.push(...(await setWaitingAside(client)));
  if (mode !== 'undo') errors.push(...(await nameRewritten(client, runId)));
  await client.query(setIneffectiveAside);
  return isDecision(run.request) ? errors.map(askAgain) : errors;
}

interface Places {
  first: number | null;
  last: number | null;
  /** Changes of rows that are there. */
  rows: number;
}

// Where a node of Citus has a copy, one transaction at a time changes the table, and the next waits for it here.
async function takeRows(client: pg.Client, { patient }: Manner): Promise<void> {
  try {
    for (const statement of [lockRows, lockKeys]) await client.query(statement);
  } catch (error) {
    const { code = '' } = error as { code?: string };
    throw patient && isContention({ state: code }) ? new ContentionError(code) : error;
  }
}

async function setObstaclesAside(client: pg.Client, manner: Manner): Promise<RunError[]> {
  const { rows } = await client.query<{ id: number; code: string }>(findObstacles);
  const is = (code: string) => rows.filter((row) => row.code === code).length;
  if (is('plan_outdated') > 0 && !manner.isLast) throw new PlanOutdatedError(outdated);
  if (is('row_locked') > 0 && manner.patient) throw new ContentionError('rows are locked');
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const codes = rows.map(({ code }) => code);
  return inWords(await client.query<Named>(setAside, [ids, codes]));
}

const outdated = 'another service has written members that the plan changes';

async function setWaitingAside(client: pg.Client): Promise<RunError[]> {
  const waiting: RunError[] = [];
  // One that waits can be needed by another one.
  for (;;) {
    const result = await client.query<Named>(setDependentsAside);
    if (!result.rowCount) return waiting;
    waiting.push(...inWords(result));
  }
}

interface Turns {
  first: number;
  last: number;
}

// What is no refusal of a row ends the try, the plan or the run.
async function judge(
  client: pg.Client,
  refusal: Refusal & Turns,
  names: MembersNames,
  manner: Manner,
): Promise<void> {
  throwIfForAll(refusal, names);
  if (isContention(refusal) && manner.patient) throw new ContentionError(refusal.state);
  if (!manner.isLast && (await codeOf(client, refusal, names)) === 'plan_outdated') {
    throw new PlanOutdatedError(outdated);
  }
}

async function codeOf(
  client: pg.Client,
  refusal: Refusal & Turns,
  names: MembersNames,
): Promise<string> {
  if (isContention(refusal)) return 'row_locked';
  if (refusal.state === '23505' && names.kennitala_keys.includes(refusal.constraint_name)) {
    return 'plan_outdated';
  }
  if (!isUndoneByTrigger(refusal)) return 'change_refused';
  // An addition leaves no trace either where another service has just written its kennitala.
  const taken = await client.query(selectTaken, [refusal.first, refusal.last]);
  return taken.rowCount ? 'plan_outdated' : 'change_refused';
}

async function nameRewritten(client: pg.Client, runId: number): Promise<RunError[]> {
  const { rows } = await openly(client, () =>
    client.query<{ external_id: string; fields: string }>(rememberRewritten, [runId]),
  );
  return rows.map(({ external_id, fields }) => ({
    code: 'value_rewritten',
    external_id,
    message: `a trigger of another service stores ${fields} otherwise than the register has it; this is said once`,
  }));
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read();
    return reading;
  };
}
