type Code =
  | 'lock_held'
  | 'run_missing'
  | 'held'
  | 'undone'
  | 'records_set_aside'
  | 'removals_unconfirmed'
  | 'inactive_here'
  | 'changes_refused'
  | 'unseen_members'
  | 'notifications_dead';

/** Something that waits for a person. */
export interface Attention {
  code: Code;
  message: string;
  count: number;
  /** When it began; null where nobody knows. */
  since: string | null;
  /** The run to look at; null where nobody knows. */
  run_id: number | null;
}

/** Why an election may not open now. */
export interface ElectionReason {
  code:
    | Code
    | 'never_synced'
    | 'full_run_too_old'
    | 'running'
    | 'failing'
    | 'notifications_pending';
  message: string;
}

/** How much there is of something, since when, and the run to look at. */
export interface Tally {
  count: number;
  since: string | Date | null;
  run_id: number | null;
}

/** Who holds our lock that is no run of ours, and since when where that may be seen. */
export interface LockTaken {
  role: string | null;
  since: string | null;
}

/** What is counted of that which may wait for a person. */
export interface AttentionFacts {
  taken: LockTaken | null;
  /** When a run should have begun that has left no trace in sync_log; null when there is none. */
  missingSince: Date | null;
  held: (Tally & { what: string; wayOn: string }) | undefined;
  undone: Tally;
  findings: (Tally & { code: Code })[];
  unseen: Tally;
  undelivered: Tally;
}

type Words = (count: number) => string;

const counted = (count: number, one: string, more: string) =>
  `${count} ${count === 1 ? one : more}`;

const words: Record<Exclude<Code, 'held' | 'lock_held'>, Words> = {
  run_missing: () =>
    'a run is due and none has begun, or it could not even write that to sync_log: look at the scheduler and at the log of syncScheduled',
  undone: (n) =>
    `${counted(n, 'change was', 'changes were')} undone by an admin, so the members differ from the register: approve the plan, or correct the register`,
  records_set_aside: (n) =>
    `${counted(n, 'record', 'records')} of the register could not be used, and the members that they name stay as they are: correct the records in Django`,
  removals_unconfirmed: (n) =>
    `${counted(n, 'member is', 'members are')} not in the list, but Django does not confirm that they are gone: look at them in Django`,
  inactive_here: (n) =>
    `${counted(n, 'person is', 'persons are')} in the register, but made inactive here by somebody else: release them with {"external_ids":[…],"release":true}; as long as they wait no election may open`,
  changes_refused: (n) =>
    `${counted(n, 'change is', 'changes are')} not made: a rule of the database refuses it, somebody holds the member, or a call for the member said otherwise minutes ago. The errors of the run say which; what an undo or a release could not do waits until the same call is sent again`,
  unseen_members: (n) =>
    `${counted(n, 'member who may vote was', 'members who may vote were')} not seen by the last complete full run: look at the other points, then run a full sync`,
  notifications_dead: (n) =>
    `${counted(n, 'notification was', 'notifications were')} given up after three days: have the receiver read the members once`,
};

/** Everything that waits for a person, in the order of its weight; pure. */
export function listAttention(facts: AttentionFacts): Attention[] {
  const { taken, missingSince, held, undone, findings, unseen, undelivered } = facts;
  const found = (code: Code) => findings.find((finding) => finding.code === code);
  const since = found('run_missing')?.since ?? missingSince;
  const missing = { count: since ? 1 : 0, since, run_id: null };
  const tallies: [keyof typeof words, Tally | undefined][] = [
    ['run_missing', missing],
    ['undone', undone],
    ['records_set_aside', found('records_set_aside')],
    ['removals_unconfirmed', found('removals_unconfirmed')],
    ['inactive_here', found('inactive_here')],
    ['changes_refused', found('changes_refused')],
    ['unseen_members', unseen],
    ['notifications_dead', undelivered],
  ];
  const waiting = tallies.flatMap(([code, tally]) =>
    tally && tally.count > 0 ? [toAttention(code, words[code](tally.count), tally)] : [],
  );
  if (held && held.count > 0) {
    const message = `held: ${held.what}; ${held.wayOn}`;
    waiting.unshift(toAttention('held', message, held));
  }
  if (taken) {
    const message = `${taken.role ?? 'another service'} holds the lock of the sync, and no run can begin: pg_locks has the session`;
    waiting.unshift(
      toAttention('lock_held', message, { count: 1, since: taken.since, run_id: null }),
    );
  }
  return waiting;
}

function toAttention(code: Code, message: string, { count, since, run_id }: Tally): Attention {
  return { code, message, count, since: since && new Date(since).toISOString(), run_id };
}

/** What an election is judged by, besides what waits for a person. */
export interface Readiness {
  running: boolean;
  failures: number;
  /** Minutes since the last complete full run began; null when there was none. */
  fullRunAge: number | null;
  notificationsPending: number;
}

/** Why an election may not open, empty when it may; pure. */
export function reasonsNotToOpen(
  attention: Attention[],
  { running, failures, fullRunAge, notificationsPending }: Readiness,
  withinMinutes: number,
): ElectionReason[] {
  const reasons: ElectionReason[] = [];
  if (running) reasons.push({ code: 'running', message: 'a run is going on: wait for its end' });
  if (failures > 0) {
    reasons.push({ code: 'failing', message: `the last ${failures} run(s) failed: see syncLogs` });
  }
  if (fullRunAge === null) {
    reasons.push({ code: 'never_synced', message: 'the register was never read completely' });
  } else if (!isRecent(fullRunAge, withinMinutes)) {
    reasons.push({
      code: 'full_run_too_old',
      message: `the last complete full run began ${ago(fullRunAge)}, and may be ${withinMinutes} minutes old: call syncScheduled with {"mode":"full"}`,
    });
  }
  reasons.push(...attention.map(({ code, message }) => ({ code, message })));
  if (notificationsPending > 0) {
    reasons.push({
      code: 'notifications_pending',
      message: `${notificationsPending} notification(s) have not arrived yet: wait, or look at the receiver`,
    });
  }
  return reasons;
}

const ago = (minutes: number) =>
  minutes < 0 ? 'in the future, so a clock was wrong' : `${Math.floor(minutes)} minutes ago`;

/** How far ahead a time may be and still be the past, in minutes: the database's clock is adjusted too. */
const AHEAD_MINUTES = 1;

/** Whether something is so young. A time in the future is not: a clock was wrong, and nobody knows which. */
export const isRecent = (ageMinutes: number, withinMinutes: number): boolean =>
  ageMinutes <= withinMinutes && ageMinutes >= -AHEAD_MINUTES;
