import { SyncError } from '../../lib/errors.ts';
import type { ChangeClass, PreviewedChange } from '../../lib/sync/types.ts';
import type { Functions, Reply } from './functions.ts';
import type { Person, Visit } from './visit.ts';

/** The groups in which changes are shown: the classes of change, with new and returning members apart. */
export const tabs = ['remove', 'add', 'reactivate', 'update', 'kennitala'] as const;
export type Tab = (typeof tabs)[number];

/** What somebody looked at: a dry run with all of its changes. */
export interface Look {
  /** What names it: the digest, where there is something to approve. */
  plan: string;
  at: Date;
  /** The last run before it. */
  after: number;
  /** What was asked for; an approval asks for the same. */
  asked: object;
  result: Reply['body'];
  changes: PreviewedChange[];
  total: number;
}

/** Changes that are shown at most; more is a first load, which nobody reads. */
const MOST_CHANGES = 10_000;
/** Changes of one dry run's answer. */
const PAGE = 1_000;
/** How often the register may change while its changes are read. */
const ATTEMPTS = 3;

type Outcome = { look: Look } | { reply: Reply };

/**
 * Makes a dry run and reads all of its changes, a page at a time. Each page is a dry run of its own, so it
 * begins again when the plan changes on the way. Returns the reply instead where the dry run was refused.
 * Throws `sync_in_progress` when the register changes too often.
 */
export async function takeLook(
  functions: Functions,
  asked: object,
  person: Person,
  signal: AbortSignal,
  lastRun: number,
): Promise<Outcome> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const outcome = await readAll(functions, asked, person, signal, lastRun);
    if (outcome) return outcome;
  }
  throw new SyncError('sync_in_progress', 'The register kept changing while it was looked at.');
}

// undefined: the plan changed between two pages.
async function readAll(
  functions: Functions,
  asked: object,
  person: Person,
  signal: AbortSignal,
  after: number,
): Promise<Outcome | undefined> {
  const changes: PreviewedChange[] = [];
  let first: Reply['body'] | undefined;
  let next: string | null | undefined;
  do {
    const page = { details: true, limit: PAGE, ...(next ? { after: next } : {}) };
    const reply = await functions.dryRun({ ...asked, ...page }, person, signal);
    if (next && reply.body.error?.code === 'plan_changed') return undefined;
    if (reply.status !== 200 || reply.body.changes === undefined) return { reply };
    first ??= reply.body;
    if (reply.body.plan !== first.plan) return undefined;
    changes.push(...(reply.body.changes ?? []));
    next = reply.body.next;
  } while (next && changes.length < MOST_CHANGES);
  const at = new Date();
  // Where nothing can be approved the time names it.
  const { plan = at.toISOString(), changes_total: total = changes.length } = first;
  return { look: { plan, at, after, asked, result: first, changes, total } };
}

/** The group of a change. */
export function tabOf({ action, fields }: Pick<PreviewedChange, 'action' | 'fields'>): Tab {
  if (action !== 'update') return action;
  return fields.includes('kennitala') ? 'kennitala' : 'update';
}

/** The class by which a change is limited and approved. */
export const classOf = (tab: Tab): ChangeClass =>
  ({
    remove: 'removals',
    add: 'additions',
    reactivate: 'additions',
    update: 'updates',
    kennitala: 'kennitala_changes',
  })[tab] as ChangeClass;

/** The run that a look would take back. */
export const undoOf = ({ asked }: Look): number | undefined => (asked as { undo?: number }).undo;

/** As a dry run lists them. */
const order = ['remove', 'add', 'reactivate', 'update'];
const lastOf: Record<Tab | ChangeClass, string> = {
  remove: 'remove',
  add: 'add',
  reactivate: 'reactivate',
  update: 'update',
  kennitala: 'update',
  removals: 'remove',
  additions: 'reactivate',
  updates: 'update',
  kennitala_changes: 'update',
};

/** Whether the look has every change of a tab, or of a class, although it is cut; pure. */
export function isShown({ changes, total }: Look, what: Tab | ChangeClass): boolean {
  if (total <= changes.length) return true;
  return order.indexOf(lastOf[what]) < order.indexOf(changes.at(-1)?.action ?? 'remove');
}

const names = new Intl.Collator('is', { numeric: true });

/** The changes of a tab, by name; pure. */
export const changesIn = ({ changes }: Look, tab: Tab): PreviewedChange[] =>
  changes
    .filter((change) => tabOf(change) === tab)
    .sort(
      (a, b) =>
        names.compare(a.name ?? '', b.name ?? '') ||
        names.compare(a.external_id ?? '', b.external_id ?? ''),
    );

/** The tab that an address asks for, or the first that has changes. */
export function tabIn({ query }: Pick<Visit, 'query'>, { changes }: Look): Tab {
  const given = tabs.find((tab) => tab === query.get('tab'));
  const filled = new Set(changes.map(tabOf));
  return given ?? tabs.find((tab) => filled.has(tab)) ?? 'remove';
}

/** How many changes of a class wait for an approval: the number that has to be typed. */
export const waitingIn = (look: Look, name: ChangeClass): number =>
  look.result.held?.[name]?.count ?? 0;

// Not the time of leaving, which is that of the dry run.
function keyOf({ action, external_id, kennitala, name, after }: PreviewedChange): string {
  const { removed_at: _time, ...values } = after ?? {};
  return JSON.stringify([action, external_id, kennitala, name, values]);
}

/** What is different between two looks; pure. */
export function compareLooks(before: Look, now: Look): Record<'added' | 'gone', PreviewedChange[]> {
  const known = new Set(before.changes.map(keyOf));
  const left = new Set(now.changes.map(keyOf));
  return {
    added: now.changes.filter((change) => !known.has(keyOf(change))),
    gone: before.changes.filter((change) => !left.has(keyOf(change))),
  };
}

/** What became of a change, by `madeKey`: the run that made it, and who approved that. */
export type Made = Map<string, { run_id: number; approved_by: string | null }>;

export const madeKey = (change: Pick<PreviewedChange, 'action' | 'external_id'>): string =>
  JSON.stringify([change.action, change.external_id]);

/** Runs that made some of these changes. */
export interface Done {
  run_id: number;
  approved_by: string | null;
  count: number;
}

/** The runs that have made some of these changes, and how many of them each; pure. */
export function doneIn(changes: PreviewedChange[], made: Made): Done[] {
  const runs = new Map<number, Done>();
  for (const change of changes) {
    const by = made.get(madeKey(change));
    if (by) runs.set(by.run_id, { ...by, count: (runs.get(by.run_id)?.count ?? 0) + 1 });
  }
  return [...runs.values()];
}

/** The same of what somebody can decide about in a look: what happens by itself may have happened; pure. */
export function decidedIn(look: Look, made: Made): Done[] {
  const waiting = look.changes.filter(({ held }) => held);
  return doneIn(waiting.length > 0 ? waiting : look.changes, made);
}

/** How long a look is kept, in ms. */
const KEPT_MS = 15 * 60_000;
/** How many changes are kept in all, at some hundred bytes each. The newest look is kept whatever it holds. */
const KEPT = 20_000;

/** The looks of the last minutes, in the memory of this instance alone: names are in no store of ours. */
export interface Looks {
  keep(look: Look): void;
  find(plan: string | null): Look | undefined;
}

export function createLooks(now: () => number = Date.now): Looks {
  const kept = new Map<string, Look>();
  const size = () => [...kept.values()].reduce((sum, { changes }) => sum + changes.length + 1, 0);
  return {
    keep: (look) => {
      kept.delete(look.plan);
      kept.set(look.plan, look);
      for (const [plan, { at }] of kept) {
        if (plan === look.plan) break;
        if (size() > KEPT || now() - at.getTime() > KEPT_MS) kept.delete(plan);
      }
    },
    find: (plan) => {
      const look = kept.get(plan ?? '');
      return look && now() - look.at.getTime() <= KEPT_MS ? look : undefined;
    },
  };
}
