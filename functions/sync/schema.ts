import * as z from 'zod/mini';
import { SyncError } from '../../lib/errors.ts';
import { isPersonalId } from '../../lib/redact.ts';
import { changeClasses, type SyncRequest, type SyncType } from '../../lib/sync/types.ts';

/** Most members that one call may name; more are a full run. */
const MAX_EXTERNAL_IDS = 100;

export const MAX_RUN_ID = 2_147_483_647;
/** The id of a run, as sync_log has it. */
export const runId = z.int().check(z.minimum(1), z.maximum(MAX_RUN_ID));

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

/** Throws `invalid_request` with what is wrong with the parameters. */
export function refuse(problem: string): never {
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
