import { routes } from '../../lib/http/routes.ts';
import type { SyncOutcome, SyncResult } from './firstSync.ts';

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
const SHOWN_ERRORS = 5;

/** The outcome of a sync as a small table. */
export function describeOutcome(outcome: SyncOutcome): string {
  if ('failure' in outcome) {
    return `The sync failed: ${outcome.failure.code}\n  ${outcome.failure.message}\n`;
  }
  const { result } = outcome;
  if (result.status === 'skipped') return `The sync was skipped: ${result.reason}\n`;
  const lines = rows
    .filter(([, field]) => typeof result[field] === 'number')
    .map(([label, field]) => `  ${label.padEnd(12)}${String(result[field]).padStart(8)}`);
  const seconds = ((result.duration_ms ?? 0) / 1000).toFixed(1);
  return [
    `The sync ended with ${result.status} in ${seconds} s`,
    ...lines,
    ...problems(result),
    '',
  ].join('\n');
}

/** Whether the sync did its job: what is held back waits for an admin, so it has not. */
export function hasSucceeded(outcome: SyncOutcome): boolean {
  return 'result' in outcome && ['success', 'partial', 'skipped'].includes(outcome.result.status);
}

function problems({ errors, held }: SyncResult): string[] {
  const list = Array.isArray(errors) ? errors : [];
  const lines = list.slice(0, SHOWN_ERRORS).map(({ code, message }) => `  ${code}: ${message}`);
  if (list.length > SHOWN_ERRORS) lines.push(`  and ${list.length - SHOWN_ERRORS} more`);
  if (held) lines.push(`  held back: ${JSON.stringify(held)}`);
  return lines;
}

/** The lines to copy into another terminal. */
export function invitation(
  url: string,
  key: string,
  parts: { label: string; command: string }[],
): string {
  const header = `-H 'Authorization: Bearer ${key}'`;
  return [
    'Try it in another terminal:',
    '',
    `  curl -X POST ${header} ${url}${routes.syncScheduled.path}`,
    `  curl -X POST ${header} ${url}${routes.syncDryRun.path}`,
    `  curl ${header} ${url}${routes.syncStatus.path}`,
    `  curl ${header} '${url}${routes.syncLogs.path}?limit=5'`,
    `  curl ${url}${routes.health.path}`,
    ...parts.flatMap(({ label, command }) => ['', `${label}:`, '', `  ${command}`]),
    '',
    'Serving until Ctrl-C.',
  ].join('\n');
}
