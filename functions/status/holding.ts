import { changeClasses, type Held, type HeldClass, type RunDetails } from '../../lib/sync/types.ts';
import type { AttentionFacts } from './attention.ts';

/** A row of sync_log, as far as it says what its run holds. */
export interface HoldingRun {
  id: number;
  plan?: string | null;
  mode?: string | null;
  details?: RunDetails | null;
}

/** What of the holds of full and incremental runs no later run has applied. */
export interface StillWaiting {
  /** The digest of all of it. */
  plan: string;
  /** The runs that hold some of it. */
  runs: number[];
  classes: { class: string; count: number; undone: number }[];
}

/** Everything that waits for an approval. */
export interface HeldTogether {
  /** The run to look at. */
  run: HoldingRun;
  classes: Held;
  plan: string | null;
}

const WAY_ON =
  'Call syncDryRun to see what is held; if it is right, call syncScheduled with this plan. If the register has changed since, the answer says so.';

const NOT_WHOLE =
  'An approval makes the changes that were shown; the reading stays incomplete until a run sees the whole register.';

const WAY_TO_WHOLE =
  'No change waits, so there is nothing to approve: look at the register and what is in front of it, then start a full run (mode: full).';

const WAY_OF_A_CALL =
  'A call for single members holds this. Start a full run (mode: full): it judges them with all others, and what it holds can be looked at and approved.';

const ofReading = ['snapshot_incomplete', 'snapshot_empty'];

/**
 * What the runs hold whose holds still stand, newest first; pure. What an incremental run holds and what the last full
 * one holds is one sign, without what was applied since. What the register was not seen to say stays until a full run
 * sees it. null where nothing waits.
 */
export function heldTogether(
  holding: HoldingRun[],
  waiting: StillWaiting | null,
): HeldTogether | null {
  const reading = holding
    .filter(({ mode }) => mode !== 'selected')
    .toSorted((one, two) => Number(two.mode === 'full') - Number(one.mode === 'full'));
  if (!waiting || reading.length === 0) return heldBy(holding[0]);
  const classes: Held = {};
  for (const name of changeClasses) {
    const held = reading.flatMap(({ details }) => details?.held?.[name] ?? []);
    const left = leftOf(
      held,
      waiting.classes.find((each) => each.class === name),
    );
    if (left) classes[name] = left;
  }
  const run = reading.find(
    ({ id, details }) => waiting.runs.includes(id) || hasReason(details?.held ?? {}),
  );
  if (!run || Object.keys(classes).length === 0) return heldBy(holding.find(isOfCall));
  const isAsHeld = reading.length === 1 && total(run.details?.held ?? {}) === total(classes);
  const plan = total(classes) > 0 ? waiting.plan : null;
  return { run, classes, plan: isAsHeld ? (run.plan ?? null) : plan };
}

const isOfCall = ({ mode }: HoldingRun) => mode === 'selected';
const isRelease = (run: HoldingRun) => isOfCall(run) && run.details?.release === true;
const hasReason = (held: Held) =>
  Object.values(held).some(({ reason }) => ofReading.includes(reason));
const total = (held: Held) => Object.values(held).reduce((sum, { count }) => sum + count, 0);

const heldBy = (run: HoldingRun | undefined): HeldTogether | null =>
  run ? { run, classes: run.details?.held ?? {}, plan: run.plan ?? null } : null;

function leftOf(
  held: HeldClass[],
  { count, undone } = { count: 0, undone: 0 },
): HeldClass | undefined {
  const first = held.find(({ reason }) => reason !== 'undone') ?? held[0];
  if (!first || (count === 0 && !ofReading.includes(first.reason))) return undefined;
  const { limit, reason } = first;
  if (count > 0 && count === undone) return { count, limit, reason: 'undone' };
  return { count, limit, reason, ...(undone > 0 ? { undone } : {}) };
}

/** As syncStatus answers it. */
export function describeHeld({ run, classes, plan }: HeldTogether) {
  return { run_id: run.id, classes, plan, next_step: wayOn(run, plan) };
}

function wayOn(run: HoldingRun, plan: string | null): string {
  if (isRelease(run)) return wayToRelease(run, plan);
  if (isOfCall(run)) return WAY_OF_A_CALL;
  const unseen = unseenWords(run);
  if (!plan) return `${unseen}${WAY_TO_WHOLE}`;
  return unseen ? `${unseen}${WAY_ON} ${NOT_WHOLE}` : WAY_ON;
}

// A full run leaves those alone who are suspended here, so the same call is what makes it or ends it.
function wayToRelease({ details }: HoldingRun, plan: string | null): string {
  const external_ids = details?.external_ids;
  const call = (more: object) => JSON.stringify({ external_ids, ...more });
  return `A release holds this. Call syncDryRun with ${call({ release: true })} to see it; if it is right, call syncScheduled with ${call({ release: true, plan })}, and if it is not, with ${call({ release: false })}, which lets go of it.`;
}

// Why the run did not see the whole register: the first reason of its walk.
function unseenWords({ details }: HoldingRun): string {
  const [first] = details?.snapshot?.mismatches ?? [];
  return first ? `The register was not seen whole: ${first}. ` : '';
}

/** As attention tells it. What only waits because it was undone is told as that. */
export function tallyOfHeld(
  { run, classes: held, plan }: HeldTogether,
  since: Date | null,
): AttentionFacts['held'] {
  const waiting = Object.entries(held).filter(([, { reason }]) => reason !== 'undone');
  // A run that did not see the whole register holds all removals, and may know of none.
  const countOf = ({ count, undone = 0 }: HeldClass) => Math.max(count - undone, 1);
  const count = waiting.reduce((sum, [, each]) => sum + countOf(each), 0);
  const [unseen] = run.details?.snapshot?.mismatches ?? [];
  const because = (reason: string) =>
    reason === 'snapshot_incomplete' && unseen ? `: ${unseen}` : '';
  const classes = waiting.map(
    ([name, { count, reason }]) => `${count || 'all'} ${name} (${reason}${because(reason)})`,
  );
  const tally = { count, what: classes.join(', '), since, run_id: run.id };
  return { ...tally, wayOn: shortWayOn(run, plan) };
}

function shortWayOn(run: HoldingRun, plan: string | null): string {
  if (isRelease(run)) return 'a release waits, and next_step of held says how to make or end it';
  if (isOfCall(run)) return 'a call for single members holds it: start a full run, which judges it';
  if (!plan) return 'there is nothing to approve: look at the register, then start a full run';
  return 'look with syncDryRun, then approve the plan or correct the register';
}
