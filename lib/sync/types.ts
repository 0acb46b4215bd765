import type { Config } from '../config.ts';
import type { Connection } from '../database.ts';
import type { Log } from '../log.ts';
import type { Credential } from '../secrets.ts';

export type SyncType = 'membership' | 'manual' | 'webhook' | 'undo';
/** full and incremental walk the register; selected looks at named members; undo at an earlier run. */
export type SyncMode = 'full' | 'incremental' | 'selected' | 'undo';
export type Action = 'add' | 'update' | 'reactivate' | 'remove';
/** The classes of change that have a limit each; additions are new and returning members. */
export const changeClasses = ['removals', 'additions', 'updates', 'kennitala_changes'] as const;
export type ChangeClass = (typeof changeClasses)[number];
export type HeldReason =
  | 'limit_exceeded'
  | 'window_limit_exceeded'
  | 'snapshot_empty'
  | 'snapshot_incomplete'
  | 'unidentified_record'
  | 'undone'
  | 'blocked';

/** What a caller asks for. */
export interface SyncRequest {
  syncType: SyncType;
  dryRun: boolean;
  /** How many changes a dry run lists. */
  previewLimit: number;
  /** Where the list begins: the `next` of an earlier dry run. */
  previewAfter?: string | undefined;
  /** Whether it says of each change whose it is, what was before, what will be, and why. */
  details?: boolean | undefined;
  /** undefined: as the configuration and the last complete run say. */
  mode?: 'full' | 'incremental' | undefined;
  /** The digest of the plan that an admin approves. */
  approvedPlan?: string | undefined;
  /** The classes of the approved plan that are to be applied; undefined: all. */
  approvedClasses?: ChangeClass[] | undefined;
  /** The run whose changes are taken back; with externalIds, those of these members only. */
  undo?: number | undefined;
  /** Only these members, by Django id. */
  externalIds?: string[] | undefined;
  /** Whether they become active although they are suspended here. */
  release?: boolean | undefined;
  /** Who called, for the log. */
  caller: string;
}

/** Whether the caller approved this class of change. */
export const isApproved = (
  { approvedPlan, approvedClasses }: SyncRequest,
  name: ChangeClass,
): boolean => approvedPlan !== undefined && (approvedClasses?.includes(name) ?? true);

/** Whether an admin decided it by this very call: no other run makes it. */
export const isDecision = ({ undo, release }: SyncRequest): boolean =>
  undo !== undefined || release === true;

/** What a run needs from outside. */
export interface SyncContext {
  config: Config<'django' | 'sync' | 'notify'>;
  secrets: Record<'DATABASE_URL' | 'DJANGO_API_KEY' | 'NOTIFY_SECRET', Credential>;
  log: Log;
  /** Aborted at the run's deadline or at shutdown; its reason is a SyncError. */
  signal: AbortSignal;
  /** When the signal aborts at the latest; undefined where nothing limits the run. */
  deadline?: Date | undefined;
}

/** Something that an admin should look at; it never holds personal data. */
export interface RunError {
  code: string;
  external_id: string | null;
  message: string;
}

/** The errors of a run: every one counted, the first ten thousand kept, the first hundred shown. */
export interface ErrorList {
  add(code: string, externalId: string | null | undefined, message: string): void;
  /** Leaves out this id where it was named. */
  hideId(externalId: string): void;
  count(): number;
  kept(): readonly RunError[];
  /** How many were counted and not kept, by their codes. */
  unkept(): ReadonlyMap<string, number>;
  shown(): RunError[];
}

export type Phase = 'fetch' | 'plan' | 'confirm' | 'apply';

export interface Counts {
  pages_done?: number;
  pages_total?: number | null;
  members_fetched?: number;
}

export interface Progress {
  /** Reports how far the run is, once `free` resolves: the connection is free then. It never fails the run. */
  report(phase: Phase, counts?: Counts, free?: () => Promise<void>): Promise<void>;
  /** How long each phase has taken until now, in ms. */
  durations(): Partial<Record<Phase, number>>;
}

/** How a run reads the register. */
export interface ChosenMode {
  mode: SyncMode;
  /** For an incremental run: what has changed since then. */
  since: Date | undefined;
}

/** A run that has begun, before it knows how it reads the register. */
export interface StartedRun {
  request: SyncRequest;
  context: SyncContext;
  /** The run's only connection: lock, temporary tables and transaction live and die with it. */
  client: Connection;
  /** null for a dry run, which is not logged. */
  id: number | null;
  startedAt: Date;
  /** Milliseconds since then, whatever the clock does meanwhile. */
  elapsed: () => number;
}

/** One run while it goes on. */
export interface Run extends StartedRun, ChosenMode {
  progress: Progress;
}

export interface HeldClass {
  count: number;
  limit: number;
  reason: HeldReason;
  /** How many of them an admin took back before, where the class waits for another reason. */
  undone?: number;
}
export type Held = Partial<Record<ChangeClass, HeldClass>>;

/** Records of the register that could not be used, where they are more than the limit. */
export interface SetAside {
  count: number;
  limit: number;
}

export interface PreviewedChange {
  action: Action;
  external_id: string | null;
  kennitala: string;
  fields: string[];
  held?: HeldReason;
  /** With `details`. */
  name?: string | null;
  /** The changed fields as they are; null for a new member. The kennitala is masked, here and in `after`. */
  before?: Record<string, unknown> | null;
  after?: Record<string, unknown>;
  /** Why, in words. */
  reason?: string;
}

/** What a run leaves in sync_log.details, as far as the status reads it. */
export interface RunDetails {
  /** The classes that the run held back. */
  held?: Held;
  /** Makes the run no complete one. */
  set_aside?: SetAside;
  /** Whether an admin asked for these members to be released, or not to be. */
  release?: boolean;
  external_ids?: string[];
  /** How the walk was proved. */
  snapshot?: { mismatches?: string[] };
}

/** What a run or a dry run answers; the field names are the API's. */
export interface SyncResult {
  run_id: number | null;
  sync_type: SyncType;
  mode: SyncMode;
  status: 'success' | 'partial' | 'held';
  dry_run: boolean;
  timestamp: string;
  duration_ms: number;
  members_fetched: number;
  members_added: number;
  members_updated: number;
  /** Of the updated ones, those that got another kennitala. */
  members_kennitala_changed: number;
  members_reactivated: number;
  members_removed: number;
  members_verified: number;
  members_suspended: number;
  removals_unconfirmed: number;
  error_count: number;
  errors: RunError[];
  /** What an approval must name; not there where a part of the register was not seen and no change waits. */
  plan?: string;
  held?: Held;
  /** Why the walk did not see the whole register, in words; not there where it did. */
  mismatches?: string[];
  /** More records could not be used than SYNC_MAX_SET_ASIDE allows: the run is no complete one. */
  set_aside?: SetAside;
  changes?: PreviewedChange[];
  /** How many changes the plan has in all. */
  changes_total?: number;
  /** Pass it as `after` for the changes behind these; null when these were the last. */
  next?: string | null;
}

/** How many members a run changed. */
export const changedIn = (result: SyncResult): number =>
  result.members_added +
  result.members_removed +
  result.members_updated +
  result.members_reactivated;

/** What the row of a run says in the end. */
export interface FinishedRun {
  result: SyncResult;
  /** Django's clock at the start of a complete run; null for any other. */
  mark: Date | null;
  countsTowardsLimits: boolean;
  /** Names the changes that an admin approved; null for none. */
  approvedChanges: string | null;
  /** The time of the run if every member that is not marked was seen by it; null otherwise. */
  registerSeenAt: Date | null;
  /** It wrote last_verified_at of every member that it saw. */
  membersStamped: boolean;
  details: Record<string, unknown>;
}
