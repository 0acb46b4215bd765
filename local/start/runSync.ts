import { setTimeout as sleep } from 'node:timers/promises';
import { routes } from '../../lib/http/request.ts';
import type { Progress } from './progressLine.ts';

/** The fields of the API's answers that are shown. */
export type SyncResult = { status: string; reason?: string; duration_ms?: number } & Record<
  string,
  unknown
>;
export interface SyncFailure {
  code: string;
  message: string;
}
export type SyncOutcome = { result: SyncResult } | { failure: SyncFailure };

const POLL_MS = 200;

/**
 * Runs a sync or a dry run over HTTP, as any caller would, and reports its progress until the answer
 * comes. What the functions refuse is a failure in the outcome. Throws when there is no answer at all.
 */
export async function runSync(
  at: { url: string; key: string },
  route: typeof routes.syncScheduled | typeof routes.syncDryRun,
  onProgress: (progress: Progress) => void,
): Promise<SyncOutcome> {
  const headers = { Authorization: `Bearer ${at.key}`, 'Content-Type': 'application/json' };
  const answered = new AbortController();
  const watching = watchProgress(at.url, headers, answered.signal, onProgress);
  try {
    const body = JSON.stringify({ sync_type: 'manual' });
    const response = await fetch(`${at.url}${route.path}`, { method: 'POST', headers, body });
    const answer = (await response.json()) as SyncResult & { error: SyncFailure };
    return response.ok ? { result: answer } : { failure: answer.error };
  } finally {
    answered.abort();
    await watching;
  }
}

// Progress is a courtesy. The sync goes on without it.
async function watchProgress(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(url + routes.syncStatus.path, { headers, signal });
      const { running } = (await response.json()) as { running?: Progress };
      if (running) onProgress(running);
      await sleep(POLL_MS, undefined, { signal });
    } catch {
      await sleep(POLL_MS);
    }
  }
}
