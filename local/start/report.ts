import type { SyncOutcome, SyncResult } from './runSync.ts';

const rows: [label: string, field: string][] = [
  ['in Django', 'members_fetched'],
  ['added', 'members_added'],
  ['updated', 'members_updated'],
  ['reactivated', 'members_reactivated'],
  ['removed', 'members_removed'],
  ['verified', 'members_verified'],
  ['suspended', 'members_suspended'],
  ['errors', 'error_count'],
];
const SHOWN_CHANGES = 10;
const SHOWN_ERRORS = 5;

/** The outcome of a sync or a dry run as a small table. Members are named by their id in the register. */
export function describeOutcome(outcome: SyncOutcome): string {
  if ('failure' in outcome) {
    return `It failed: ${outcome.failure.code}\n  ${outcome.failure.message}\n`;
  }
  const { result } = outcome;
  if (result.status === 'skipped') return `The sync was skipped: ${result.reason}\n`;
  const lines = rows
    .filter(([, field]) => typeof result[field] === 'number')
    .map(([label, field]) => `  ${label.padEnd(12)}${String(result[field]).padStart(8)}`);
  const seconds = ((result.duration_ms ?? 0) / 1000).toFixed(1);
  return [
    `The ${result['dry_run'] ? 'dry run' : 'sync'} ended with ${result.status} in ${seconds} s`,
    ...lines,
    ...changes(result),
    ...problems(result),
    '',
  ].join('\n');
}

/** Whether the sync did its job. It did not where something is held: that waits for an admin. */
export function hasSucceeded(outcome: SyncOutcome): boolean {
  return 'result' in outcome && ['success', 'partial', 'skipped'].includes(outcome.result.status);
}

// Only a dry run lists them.
function changes({ changes: list, changes_total: total }: SyncResult): string[] {
  if (!Array.isArray(list)) return [];
  const lines = list
    .slice(0, SHOWN_CHANGES)
    .map(({ action, external_id, fields }) => `  ${action} ${external_id}: ${fields.join(', ')}`);
  // The list is the first page only.
  const left = (typeof total === 'number' ? total : list.length) - lines.length;
  if (left > 0) lines.push(`  and ${left} more`);
  return lines;
}

function problems({ errors, held }: SyncResult): string[] {
  const list = Array.isArray(errors) ? errors : [];
  const lines = list.slice(0, SHOWN_ERRORS).map(({ code, message }) => `  ${code}: ${message}`);
  if (list.length > SHOWN_ERRORS) lines.push(`  and ${list.length - SHOWN_ERRORS} more`);
  for (const [kind, { count, limit, reason }] of Object.entries((held ?? {}) as Held)) {
    lines.push(`  held back: ${count} ${kind} (${reason}, limit ${limit})`);
  }
  return lines;
}

type Held = Record<string, { count: number; limit: number; reason: string }>;
