import * as z from 'zod/mini';
import { SyncError } from '../errors.ts';
import { normaliseKennitala } from '../kennitala.ts';
import { isPersonalId } from '../redact.ts';
import { changeClasses, type SyncRequest, type SyncType } from './types.ts';

/** Most members that one call may name; more are a full run. */
const MAX_EXTERNAL_IDS = 100;

const MAX_RUN_ID = 2_147_483_647;
const runId = z.int().check(z.minimum(1), z.maximum(MAX_RUN_ID));

// Django's own ids are numbers, and a webhook sends them as it has them. Ids are logged and answered,
// where a kennitala must never be.
export const djangoId = z
  .union([z.string().check(z.minLength(1), z.maxLength(255)), z.int().check(z.minimum(0))], {
    error: 'must be text of 1 to 255 characters or a whole number',
  })
  .check(
    z.refine((id) => !isPersonalId(String(id)), {
      error:
        "must be the member's id in Django, and looks like a kennitala, a name or an e-mail address",
    }),
    z.refine((id) => !/\p{Cc}/u.test(String(id)), { error: 'must not have control characters' }),
  );

const common = {
  sync_type: z.optional(z.enum(['scheduled', 'membership', 'manual', 'webhook'])),
  mode: z.optional(z.enum(['full', 'incremental'])),
  undo: z.optional(runId),
  external_ids: z.optional(z.array(djangoId).check(z.minLength(1), z.maxLength(MAX_EXTERNAL_IDS))),
  release: z.optional(z.boolean()),
};

const digestWords = { error: 'must be sha256: and 64 hex digits, as syncDryRun answered it' };
const digest = z.string(digestWords).check(z.regex(/^sha256:[0-9a-f]{64}$/, digestWords));

/** What syncScheduled takes. */
export const syncParameters = z.strictObject({
  ...common,
  plan: z.optional(digest),
  classes: z.optional(z.array(z.enum(changeClasses)).check(z.minLength(1))),
});

const afterWords = { error: 'must be the next of an earlier dry run, as it was answered' };

/** What syncDryRun takes; `limit` is how many changes it lists, `after` the `next` of the list before. */
export const dryRunParameters = z.strictObject({
  ...common,
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(1000))),
  after: z.optional(z.string(afterWords).check(z.regex(/^[\w-]{1,2000}$/, afterWords))),
  details: z.optional(z.boolean()),
});

/** What syncStatus lists, member by member. */
export const listedCodes = [
  'suspended',
  'records_set_aside',
  'removals_unconfirmed',
  'inactive_here',
  'unseen_members',
] as const;

/** What syncStatus takes: how old the last complete full run may be when an election opens. */
export const statusParameters = z.strictObject({
  within_minutes: z.optional(z.int().check(z.minimum(1), z.maximum(525_600))),
  list: z.optional(z.enum(listedCodes)),
  skip: z.optional(z.int().check(z.minimum(0), z.maximum(2_147_483_647))),
});

const kennitala = z
  .string()
  .check(
    z.refine((text) => normaliseKennitala(text) !== undefined, { error: 'must be ten digits' }),
  );

/** Most rows of one answer as JSON, and as CSV. */
const MAX_ROWS = 200;
export const MAX_CSV_ROWS = 100_000;

/** What syncLogs takes; `before` is the id of a run or of a change, as `next_before` gave it. */
export const logsParameters = z.strictObject({
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_CSV_ROWS))),
  before: z.optional(z.int().check(z.minimum(1), z.maximum(Number.MAX_SAFE_INTEGER))),
  run_id: z.optional(runId),
  external_id: z.optional(djangoId),
  kennitala: z.optional(kennitala),
  caller: z.optional(z.string().check(z.minLength(1), z.maxLength(255))),
  from: z.optional(z.iso.date()),
  to: z.optional(z.iso.date()),
  format: z.optional(z.enum(['json', 'csv'])),
  language: z.optional(z.enum(['is', 'en'])),
  status: z.optional(z.enum(['pending', 'success', 'partial', 'held', 'failed', 'refused'])),
  sync_type: z.optional(z.enum(['membership', 'manual', 'webhook', 'undo', 'scheduled'])),
});

/** Throws `invalid_request` for parameters of syncLogs that do not go together. */
export function checkLogsRequest(parameters: z.output<typeof logsParameters>): void {
  const { limit = 0, before = 0, format, from, to } = parameters;
  const given = (...names: (keyof typeof parameters)[]) =>
    names.filter((name) => parameters[name] !== undefined);
  const subjects = given('run_id', 'external_id', 'kennitala');
  const filters = given('status', 'sync_type', 'caller');
  if (subjects[0] === 'run_id') filters.push(...given('from', 'to'));
  const apart = subjects.length > 0 ? [...subjects, ...filters] : [];
  if (apart.length > 1) refuse(`${apart.join(' and ')} do not go together`);
  if (limit > MAX_ROWS && format !== 'csv') refuse(`limit: at most ${MAX_ROWS}; more only as csv`);
  if (subjects.length === 0 && before > MAX_RUN_ID) refuse(`before: at most ${MAX_RUN_ID}`);
  if (from !== undefined && to !== undefined && from > to) refuse('from is after to');
}

type Parameters = z.output<typeof syncParameters> & z.output<typeof dryRunParameters>;

/** The changes that a dry run lists unless told otherwise. */
const PREVIEWED = 100;

/** What the caller asked for. Throws `invalid_request` for parameters that do not go together. */
export function syncRequest(parameters: Parameters, dryRun: boolean, caller: string): SyncRequest {
  const { sync_type, mode, plan, undo, external_ids, limit, classes, release } = parameters;
  if (mode !== undefined && undo !== undefined) refuse('mode and undo do not go together');
  if (mode !== undefined && external_ids) refuse('mode and external_ids do not go together');
  if (classes && plan === undefined) refuse('classes needs plan, the digest that you approve');
  if (release && !external_ids) refuse('release needs external_ids, the members to release');
  if (release && undo !== undefined) refuse('release and undo do not go together');
  return {
    syncType: storedType(sync_type, undo, external_ids),
    dryRun,
    previewLimit: limit ?? PREVIEWED,
    previewAfter: parameters.after,
    details: parameters.details,
    mode,
    approvedPlan: plan,
    approvedClasses: classes,
    undo,
    externalIds: external_ids?.map(String),
    release,
    caller,
  };
}

function refuse(problem: string): never {
  throw new SyncError('invalid_request', `${problem}.`);
}

// Scheduled runs have always been stored as `membership`.
function storedType(
  given: Parameters['sync_type'],
  undo?: number,
  externalIds?: unknown[],
): SyncType {
  if (undo !== undefined) return 'undo';
  if (given === undefined) return externalIds === undefined ? 'membership' : 'webhook';
  return given === 'scheduled' ? 'membership' : given;
}
