import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import writeNotifications from './sql/outbox/write_notifications.sql';
import type { SyncResult } from './types.ts';

/**
 * Writes one notification per receiver, in the transaction that changes the members: it exists exactly
 * when the change does. The payload holds counts only, no personal data.
 */
export async function writeOutbox(
  client: pg.Client,
  receivers: string[],
  result: SyncResult,
  now: Date,
): Promise<void> {
  const { members_added, members_removed, members_updated, members_reactivated } = result;
  const changed = members_added + members_removed + members_updated + members_reactivated;
  if (changed === 0 || receivers.length === 0) return;
  const payload = JSON.stringify({
    type: 'membership.synced',
    timestamp: now.toISOString(),
    data: {
      run_id: result.run_id,
      sync_type: result.sync_type,
      members_added,
      members_removed,
      members_updated,
      members_reactivated,
    },
  });
  await client.query(writeNotifications, [
    result.run_id,
    [...new Set(receivers)],
    `msg_${randomUUID()}`,
    payload,
  ]);
}
