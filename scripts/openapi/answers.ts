import * as z from 'zod/mini';
import { listedCodes } from '../../functions/status/schema.ts';
import type { SyncStatus } from '../../functions/status/status.ts';
import { statusOf } from '../../lib/errors.ts';
import type { SyncResult } from '../../lib/sync/types.ts';

// What the functions answer, field by field. The bundles do not load this: it makes openapi.json, and a
// test holds real answers against it.

const count = () => z.int().check(z.minimum(0));
const time = () => z.iso.datetime();
const oneOf = <const V extends readonly string[]>(...values: V) => z.enum(values);
/** The same, as the named schema of the document. */
const named = <S extends z.ZodMiniType>(id: string, description: string, schema: S): S => {
  z.globalRegistry.add(schema, { id, description });
  return schema;
};
const told = <S extends z.ZodMiniType>(description: string, schema: S): S => {
  z.globalRegistry.add(schema, { description });
  return schema;
};

const syncType = oneOf('membership', 'manual', 'webhook', 'undo');
const mode = oneOf('full', 'incremental', 'selected', 'undo');
const digest = z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/));
const reason = oneOf(
  'limit_exceeded',
  'window_limit_exceeded',
  'snapshot_empty',
  'snapshot_incomplete',
  'unidentified_record',
  'undone',
  'blocked',
);

const runError = named(
  'RunError',
  'Something in a run that an admin should look at. It names a member by Django id only.',
  z.strictObject({
    code: z.string(),
    external_id: z.nullable(z.string()),
    message: z.string(),
  }),
);

const heldClass = named(
  'HeldClass',
  'A class of change that was not applied and waits for an approval.',
  z.strictObject({
    count: count(),
    limit: count(),
    reason,
    undone: told(
      'How many of them an admin took back before, where the class waits for another reason.',
      z.exactOptional(count()),
    ),
  }),
);
const held = z.strictObject({
  removals: z.exactOptional(heldClass),
  additions: z.exactOptional(heldClass),
  updates: z.exactOptional(heldClass),
  kennitala_changes: z.exactOptional(heldClass),
});

const change = named(
  'PreviewedChange',
  'One change that a run would make.',
  z.strictObject({
    action: oneOf('add', 'update', 'reactivate', 'remove'),
    external_id: z.nullable(z.string()),
    kennitala: told('Masked: the date of birth only.', z.string().check(z.regex(/^\d{6}-\*{4}$/))),
    fields: z.array(z.string()),
    held: z.exactOptional(reason),
    name: z.exactOptional(told('With `details`.', z.nullable(z.string()))),
    before: z.exactOptional(
      told(
        'With `details`: the changed fields as they are; null for a new member.',
        z.nullable(z.looseObject({})),
      ),
    ),
    after: z.exactOptional(
      told('With `details`: the changed fields as they will be.', z.looseObject({})),
    ),
    reason: z.exactOptional(told('With `details`: why, in words.', z.string())),
  }),
);

const figures = {
  sync_type: syncType,
  mode,
  status: oneOf('success', 'partial', 'held'),
  timestamp: time(),
  duration_ms: count(),
  members_fetched: count(),
  members_added: count(),
  members_updated: count(),
  members_kennitala_changed: told(
    'Of the updated ones, those that got another kennitala.',
    count(),
  ),
  members_reactivated: count(),
  members_removed: count(),
  members_verified: told('Members in Django that were already active here.', count()),
  members_suspended: told('Members that were suspended by hand here, and stay so.', count()),
  removals_unconfirmed: told('Removals dropped because Django did not confirm them.', count()),
  error_count: count(),
  errors: told('The first 100.', z.array(runError)),
  plan: told(
    'The digest of the changes, as an approval must name it; not there where a part of the register was not seen and no change waits.',
    z.exactOptional(digest),
  ),
  held: z.exactOptional(held),
  mismatches: told(
    'Why the walk did not see the whole register, in words; not there where it did.',
    z.exactOptional(z.array(z.string())),
  ),
  set_aside: told(
    'Records that could not be used, where they are more than SYNC_MAX_SET_ASIDE allows.',
    z.exactOptional(z.strictObject({ count: count(), limit: count() })),
  ),
};

export const syncResult = named(
  'SyncResult',
  'What a run did.',
  z.strictObject({ run_id: z.int(), dry_run: z.literal(false), ...figures }),
) satisfies z.ZodMiniType<SyncResult>;

export const syncSkipped = named(
  'SyncSkipped',
  'The sync is switched off (SYNC_ENABLED=false).',
  z.strictObject({ status: z.literal('skipped'), reason: z.literal('sync_disabled') }),
);

export const dryRunResult = named(
  'DryRunResult',
  'What a run would do. Nothing was written.',
  z.strictObject({
    run_id: z.null(),
    dry_run: z.literal(true),
    ...figures,
    changes: told('`limit` of them, from `after` on.', z.array(change)),
    changes_total: told('All changes of the plan.', count()),
    next: told(
      'Pass it as `after` for the next page; null on the last one.',
      z.nullable(z.string()),
    ),
  }),
) satisfies z.ZodMiniType<SyncResult>;

const nullableCount = () => z.nullable(count());
const logRow = named(
  'LogRow',
  'A run, as sync_log keeps it.',
  z.strictObject({
    id: z.int(),
    sync_type: z.nullable(z.string()),
    sync_timestamp: z.nullable(time()),
    status: oneOf('pending', 'success', 'partial', 'held', 'failed', 'refused'),
    mode: z.nullable(mode),
    finished_at: z.nullable(time()),
    duration_ms: nullableCount(),
    members_fetched: nullableCount(),
    members_added: nullableCount(),
    members_updated: nullableCount(),
    members_kennitala_changed: nullableCount(),
    approved_changes: z.nullable(z.string()),
    members_reactivated: nullableCount(),
    members_removed: nullableCount(),
    members_verified: nullableCount(),
    members_suspended: nullableCount(),
    error_count: nullableCount(),
    plan: z.nullable(digest),
    register_mark: z.nullable(time()),
    register_seen_at: z.nullable(time()),
    members_stamped: z.boolean(),
    progress: z.nullable(z.looseObject({})),
    counts_towards_limits: z.boolean(),
    details: told(
      'Who called, the errors, what was held, how the walk was proved, the time of each phase, and why a run failed.',
      z.nullable(
        z.looseObject({
          caller: z.optional(z.string()),
          errors: z.optional(z.array(runError)),
          held: z.optional(held),
          error: z.optional(z.strictObject({ code: z.string(), message: z.string() })),
        }),
      ),
    ),
  }),
);

export const logPage = named(
  'LogPage',
  'Runs, newest first.',
  z.strictObject({
    logs: z.array(logRow),
    next_before: told('`before` of the next page; null on the last one.', z.nullable(z.int())),
  }),
);

const changedValues = z.record(z.string(), z.unknown());
const loggedChange = named(
  'LoggedChange',
  'One change that a run has applied. Before and after hold the changed fields; a kennitala is masked.',
  z.strictObject({
    id: z.int(),
    changed_at: time(),
    run_id: z.int(),
    sync_type: z.nullable(z.string()),
    action: oneOf('add', 'update', 'reactivate', 'remove'),
    external_id: z.nullable(z.string()),
    kennitala: z.nullable(z.string()),
    name: z.nullable(z.string()),
    fields: z.array(z.string()),
    reason: told('Why, in words.', z.string()),
    before: changedValues,
    after: changedValues,
    caller: z.nullable(z.string()),
    approved_by: z.nullable(z.string()),
    undoes: told('The run that this change takes back.', z.nullable(z.int())),
    undone_by: told('The run that took it back.', z.nullable(z.int())),
  }),
);
const changePage = {
  changes: z.array(loggedChange),
  next_before: told('`before` of the next page; null on the last one.', z.nullable(z.int())),
};

export const runChanges = named(
  'RunChanges',
  'The changes of one run, newest first.',
  z.strictObject({ run: logRow, ...changePage }),
);

export const memberHistory = named(
  'MemberHistory',
  'One member in words, and their history, newest first.',
  z.strictObject({
    member: z.strictObject({
      external_id: z.nullable(z.string()),
      kennitala: told('Masked.', z.nullable(z.string())),
      name: z.nullable(z.string()),
      may_vote: z.boolean(),
      since: z.nullable(time()),
      reason: z.strictObject({
        code: oneOf(
          'active',
          'other_source',
          'left',
          'suspended',
          'inactive_here',
          'set_aside',
          'removal_unconfirmed',
          'held',
          'undone',
          'unknown',
        ),
        message: z.string(),
      }),
    }),
    ...changePage,
  }),
);

const waiting = [
  'lock_held',
  'run_missing',
  'held',
  'undone',
  'records_set_aside',
  'removals_unconfirmed',
  'inactive_here',
  'changes_refused',
  'unseen_members',
  'notifications_dead',
] as const;

const attention = named(
  'Attention',
  'Something that waits for a person.',
  z.strictObject({
    code: oneOf(...waiting),
    message: z.string(),
    count: count(),
    since: told('When it began; null where nobody knows.', z.nullable(time())),
    run_id: told('The run to look at; null where nobody knows.', z.nullable(z.int())),
  }),
);

const electionReason = named(
  'ElectionReason',
  'Why an election may not open now.',
  z.strictObject({
    code: oneOf(
      ...waiting,
      'never_synced',
      'full_run_too_old',
      'running',
      'failing',
      'notifications_pending',
    ),
    message: z.string(),
  }),
);

export const syncStatus = named(
  'SyncStatus',
  'How the sync is doing.',
  z.strictObject({
    status: oneOf('ok', 'running', 'failing', 'stale', 'never_synced', 'attention'),
    running: z.nullable(
      z.strictObject({
        run_id: z.int(),
        started_at: time(),
        phase: oneOf('starting', 'fetch', 'plan', 'confirm', 'apply'),
        pages_done: count(),
        pages_total: nullableCount(),
        members_fetched: count(),
      }),
    ),
    last_run: z.nullable(logRow),
    last_success: told('The last complete walk that ended success or partial.', z.nullable(logRow)),
    next_due_at: z.nullable(time()),
    consecutive_failures: count(),
    members: told(
      'The first three are of the register; other_sources are rows that another service added.',
      z.strictObject({
        active: count(),
        suspended: count(),
        left: count(),
        other_sources: count(),
      }),
    ),
    notifications: z.strictObject({ pending: count(), dead: count() }),
    held: told(
      'What the runs that read the register hold back, and the way on; null when they hold nothing.',
      z.nullable(
        z.strictObject({
          run_id: z.int(),
          classes: held,
          plan: told(
            'The digest, as an approval must name it; null: there is nothing to approve.',
            z.nullable(digest),
          ),
          next_step: z.string(),
        }),
      ),
    ),
    attention: told('Everything that waits for a person.', z.array(attention)),
    election: told(
      'Whether an election may open now, and why not.',
      z.strictObject({ may_open: z.boolean(), reasons: z.array(electionReason) }),
    ),
    list: told(
      'With the parameter `list`: the members behind one code, by Django id.',
      z.exactOptional(
        z.strictObject({
          code: z.enum(listedCodes),
          members: z.array(
            z.strictObject({
              external_id: z.nullable(z.string()),
              since: z.nullable(time()),
              run_id: z.nullable(z.int()),
              error_code: z.nullable(z.string()),
              message: z.nullable(z.string()),
              records: z.int(),
            }),
          ),
          next: told('`skip` of the next page; null on the last one.', z.nullable(z.int())),
        }),
      ),
    ),
  }),
) satisfies z.ZodMiniType<SyncStatus>;

export const health = named(
  'Health',
  'This version can be started and called.',
  z.strictObject({ status: z.literal('healthy'), service: z.literal('membership-sync') }),
);

export const failure = named(
  'Error',
  'Every answer that is not 2xx. docs/API.md says of each code what to do.',
  z.strictObject({
    error: z.strictObject({
      code: z.enum(Object.keys(statusOf)),
      message: z.string(),
      run_id: z.exactOptional(told('The run that failed, where there was one.', z.int())),
      applied: z.exactOptional(
        told(
          'The run was done all the same; its connection was lost before it was known.',
          z.literal(true),
        ),
      ),
      plan: z.exactOptional(told('With plan_changed: the digest that is in force now.', digest)),
      changed: z.exactOptional(
        told(
          'With plan_changed: what is different from the plan of the run that held it, class by class; null when no run did.',
          z.nullable(z.record(z.string(), z.strictObject({ new: count(), gone: count() }))),
        ),
      ),
    }),
  }),
);
