import type pg from 'pg';
import { withConnection } from '../database.ts';
import type { Log } from '../log.ts';
import claimNotification from '../sql/claim_notification.sql';
import dueReceivers from '../sql/due_receivers.sql';
import expireNotifications from '../sql/expire_notifications.sql';
import pruneNotifications from '../sql/prune_notifications.sql';
import settleNotification from '../sql/settle_notification.sql';
import type { SyncContext } from './types.ts';

/** How long a receiver may take to answer, in ms. */
const RECEIVER_TIMEOUT_MS = 10_000;
/** How long a caller of the sync waits for deliveries, in ms; what is slower goes on behind the answer. */
const PATIENCE_MS = 2_000;

interface Notification {
  id: string;
  webhook_id: string;
  payload: string;
}

/**
 * Posts what the outbox holds: for each receiver the oldest first, and no later one until that has
 * arrived. It never throws and takes at most two seconds of the caller's time; what could not be
 * delivered is tried again by a later run, under the same webhook-id, for three days.
 */
export async function deliverNotifications(context: SyncContext): Promise<void> {
  const { log } = context;
  const delivery = deliverAll(context).catch((error: unknown) =>
    log(
      'WARNING',
      'notifications_postponed',
      'the outbox could not be read; a later run delivers it',
      {
        reason: (error as { code?: string }).code ?? 'unknown',
      },
    ),
  );
  const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
  await Promise.race([delivery, patience]);
}

async function deliverAll(context: SyncContext): Promise<void> {
  const { secrets, config, log } = context;
  const receivers = config.notify.NOTIFY_URLS;
  if (receivers.length === 0) return;
  const secret = await secrets.NOTIFY_SECRET.get();
  await withConnection(secrets.DATABASE_URL, async (client) => {
    const { rows } = await client.query<{ receiver: string }>(dueReceivers, [receivers]);
    await Promise.all(rows.map(({ receiver }) => deliverInOrder(client, receiver, secret, log)));
    await client.query(expireNotifications, [receivers]);
    await client.query(pruneNotifications);
  });
}

async function deliverInOrder(
  client: pg.Client,
  receiver: string,
  secret: string,
  log: Log,
): Promise<void> {
  const { origin } = new URL(receiver);
  for (;;) {
    const { rows } = await client.query<Notification>(claimNotification, [receiver]);
    const notification = rows[0];
    if (!notification) return;
    const failure = await post(receiver, notification, secret);
    const settled = await client.query<{ status: string }>(settleNotification, [
      notification.id,
      failure === undefined,
      failure ?? null,
    ]);
    if (failure === undefined) continue;
    const dead = settled.rows[0]?.status === 'dead';
    log(
      dead ? 'ERROR' : 'WARNING',
      'notification_failed',
      `a notification did not arrive: ${failure}`,
      {
        receiver: origin,
        webhook_id: notification.webhook_id,
        dead,
      },
    );
    if (!dead) return;
  }
}

// undefined when the receiver took it, else why not. A redirect is a failure: following one would turn
// the POST into a GET (Fetch standard) and send the signature to an address nobody configured.
async function post(
  receiver: string,
  { webhook_id, payload }: Notification,
  secret: string,
): Promise<string | undefined> {
  const { Webhook } = await import('standardwebhooks');
  const timestamp = new Date();
  try {
    const response = await fetch(receiver, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(RECEIVER_TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        'webhook-id': webhook_id,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(webhook_id, timestamp, payload),
      },
      body: payload,
    });
    await response.body?.cancel();
    return response.ok ? undefined : `the receiver answered ${response.status}`;
  } catch (error) {
    if ((error as Error).name === 'TimeoutError')
      return `no answer within ${RECEIVER_TIMEOUT_MS} ms`;
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    return `the receiver could not be reached (${code ?? 'no code'})`;
  }
}
