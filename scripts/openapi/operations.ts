import type * as z from 'zod/mini';
import { logsParameters } from '../../functions/logs/schema.ts';
import { statusParameters } from '../../functions/status/schema.ts';
import { dryRunParameters, syncParameters } from '../../functions/sync/schema.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { type Route, routes } from '../../lib/http/request.ts';
import {
  dryRunResult,
  health,
  logPage,
  memberHistory,
  runChanges,
  syncResult,
  syncSkipped,
  syncStatus,
} from './answers.ts';

export interface Operation extends Route {
  summary: string;
  parameters?: z.ZodMiniType;
  answers: z.ZodMiniType[];
  /** Parameters that no query string takes. */
  bodyOnly?: string[];
  /** Whether the answer may be a table too. */
  csv?: boolean;
  errors: ErrorCode[];
}

const always: ErrorCode[] = [
  'not_found',
  'method_not_allowed',
  'request_timeout',
  'payload_too_large',
  'unsupported_media_type',
  'internal_error',
  'interrupted',
  'deadline_exceeded',
];
const private_: ErrorCode[] = [
  ...always,
  'invalid_request',
  'unauthorized',
  'forbidden',
  'secrets_unavailable',
  'database_unavailable',
];
const runs: ErrorCode[] = [
  ...private_,
  'plan_changed',
  'django_unreachable',
  'django_unauthorized',
  'django_rate_limited',
  'django_invalid_response',
  'django_error',
];

/** The five functions: what each takes and answers. */
export const operations: Operation[] = [
  {
    ...routes.syncScheduled,
    summary: 'Brings the members in step with the register.',
    parameters: syncParameters,
    answers: [syncResult, syncSkipped],
    errors: [...runs, 'sync_in_progress'],
  },
  {
    ...routes.syncDryRun,
    summary: 'Tells what a run would do now, and writes nothing.',
    parameters: dryRunParameters,
    answers: [dryRunResult],
    errors: runs,
  },
  {
    ...routes.syncStatus,
    summary:
      'Reports whether the members are in step, what waits for a person, and whether an election may open.',
    parameters: statusParameters,
    answers: [syncStatus],
    errors: private_,
  },
  {
    ...routes.syncLogs,
    summary: 'Lists the runs, the changes of one, or a member with their history; newest first.',
    parameters: logsParameters,
    answers: [logPage, runChanges, memberHistory],
    bodyOnly: ['kennitala'],
    csv: true,
    errors: private_,
  },
  {
    ...routes.health,
    summary: 'Tells that the function can be started and called. Public.',
    answers: [health],
    errors: always,
  },
];
