import * as z from 'zod/mini';
import { SyncError } from '../errors.ts';
import { looksLikeKennitala } from '../kennitala.ts';
import type { SyncRequest, SyncType } from './types.ts';

/** Most members that one call may name; more are a full run. */
const MAX_EXTERNAL_IDS = 100;

const runId = z.int().check(z.minimum(1), z.maximum(2_147_483_647));

// Django's own ids are numbers, and a webhook sends them as it has them. Ids are logged and answered,
// where a kennitala must never be.
const djangoId = z
  .union([z.string().check(z.minLength(1), z.maxLength(255)), z.int().check(z.minimum(0))], {
    error: 'must be text of 1 to 255 characters or a whole number',
  })
  .check(
    z.refine((id) => !looksLikeKennitala(String(id)), {
      error: "must be the member's id in Django, and looks like a kennitala",
    }),
  );

const common = {
  sync_type: z.optional(z.enum(['scheduled', 'membership', 'manual', 'webhook'])),
  mode: z.optional(z.enum(['full', 'incremental'])),
  undo: z.optional(runId),
  external_ids: z.optional(z.array(djangoId).check(z.minLength(1), z.maxLength(MAX_EXTERNAL_IDS))),
};

const digestWords = { error: 'must be sha256: and 64 hex digits, as syncDryRun answered it' };
const digest = z.string(digestWords).check(z.regex(/^sha256:[0-9a-f]{64}$/, digestWords));

/** What syncScheduled takes. */
export const syncParameters = z.strictObject({
  ...common,
  plan: z.optional(digest),
});

/** What syncDryRun takes; `limit` is how many changes it lists. */
export const dryRunParameters = z.strictObject({
  ...common,
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(1000))),
});

/** What syncStatus takes: how old the last complete full run may be when an election opens. */
export const statusParameters = z.strictObject({
  within_minutes: z.optional(z.int().check(z.minimum(1), z.maximum(525_600))),
});

/** What syncLogs takes; `before` is a run id, as `next_before` gave it. */
export const logsParameters = z.strictObject({
  limit: z.optional(z.int().check(z.minimum(1), z.maximum(200))),
  before: z.optional(z.int().check(z.minimum(1), z.maximum(2_147_483_647))),
  status: z.optional(z.enum(['pending', 'success', 'partial', 'held', 'failed', 'refused'])),
  sync_type: z.optional(z.enum(['membership', 'manual', 'webhook', 'undo', 'scheduled'])),
});

type Parameters = z.output<typeof syncParameters> & z.output<typeof dryRunParameters>;

/** The changes that a dry run lists unless told otherwise. */
const PREVIEWED = 100;

/** What the caller asked for. Throws `invalid_request` for parameters that do not go together. */
export function syncRequest(parameters: Parameters, dryRun: boolean, caller: string): SyncRequest {
  const { sync_type, mode, plan, undo, external_ids, limit } = parameters;
  const chosen = Object.entries({ mode, undo, external_ids }).filter(
    ([, value]) => value !== undefined,
  );
  if (chosen.length > 1) {
    throw new SyncError(
      'invalid_request',
      `${chosen.map(([name]) => name).join(' and ')} do not go together; give one of them.`,
    );
  }
  if (undo !== undefined && plan !== undefined) {
    throw new SyncError(
      'invalid_request',
      'plan and undo do not go together; an undo needs no approval.',
    );
  }
  return {
    syncType: storedType(sync_type, undo, external_ids),
    dryRun,
    previewLimit: limit ?? PREVIEWED,
    mode,
    approvedPlan: plan,
    undo,
    externalIds: external_ids?.map(String),
    caller,
  };
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
