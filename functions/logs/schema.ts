import * as z from 'zod/mini';
import { normaliseKennitala } from '../../lib/kennitala.ts';
import { djangoId, MAX_RUN_ID, refuse, runId } from '../sync/schema.ts';

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
