import type pg from 'pg';
import { planRun } from './planRun.ts';
import { describe } from './result.ts';
import { begin, closeSession, databaseTime, openSession, stopwatch } from './session.ts';
import type { SyncContext, SyncRequest, SyncResult } from './types.ts';

/**
 * Tells what a run would change now, and changes nothing: it plans as a run does, without the lock and without a row in
 * the log, in a session that can write nothing. Throws SyncError and what pg throws.
 */
export async function rehearse(request: SyncRequest, context: SyncContext): Promise<SyncResult> {
  const elapsed = stopwatch();
  const client = await openSession(context);
  try {
    const startedAt = await databaseTime(client);
    const run = await begin({ request, context, client, id: null, startedAt, elapsed });
    await makeReadOnly(client);
    return await describe(run, await planRun(run));
  } finally {
    await closeSession(client);
  }
}

/** From here on the session can write nothing but its own temporary tables: a dry run persists nothing. */
export async function makeReadOnly(client: pg.Client): Promise<void> {
  await client.query('set default_transaction_read_only = on');
}
