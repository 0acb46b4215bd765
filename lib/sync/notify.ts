import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { CHECK_MS, type Connection, queryOnce, withConnection } from '../database.ts';
import type { Log } from '../log.ts';
import { type Credential, withRenewal } from '../secrets.ts';
import claimNotification from './sql/outbox/claim_notification.sql';
import dueReceivers from './sql/outbox/due_receivers.sql';
import expireNotifications from './sql/outbox/expire_notifications.sql';
import outboxWaitsStatement from './sql/outbox/outbox_waits.sql';
import pruneNotifications from './sql/outbox/prune_notifications.sql';
import settleNotification from './sql/outbox/settle_notification.sql';
import writeNotifications from './sql/outbox/write_notifications.sql';
import { changedIn, type SyncContext, type SyncResult } from './types.ts';

/** How long a caller of the sync waits for deliveries, in ms; what is slower goes on behind the answer. */
const PATIENCE_MS = 2_000;
/** How long the outbox is asked whether anything waits, in ms, before it is taken to. */
const ASKING_MS = 1_000;
/** How long all of it may take, in ms; what is left then is for a later run. */
const DELIVERY_MS = 600_000;
/** How long a receiver may take to reply, in ms. */
const RECEIVER_TIMEOUT_MS = 10_000;
/** A try that failed is followed by another after the shortest wait, then after twice as long each time. */
const WAIT = { shortest: '30 seconds', longest: '6 hours' };
/** How long a notification is tried. */
const GIVEN_UP_AFTER = '3 days';

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
  if (changedIn(result) === 0 || receivers.length === 0) return;
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

interface Notification {
  webhook_id: string;
  payload: string;
}

interface Claimed extends Notification {
  id: string;
  attempts: number;
}

type Query = <Row extends pg.QueryResultRow>(
  statement: string,
  values: unknown[],
) => Promise<pg.QueryResult<Row>>;

interface Delivery {
  query: Query;
  secret: Credential;
  log: Log;
}

/** Whether the outbox has something to post or to tidy; also where that cannot be asked any more. */
export async function outboxWaits(client: pg.Client): Promise<boolean> {
  const asked = client.query<{ waits: boolean }>(outboxWaitsStatement).catch(() => undefined);
  const reply = await Promise.race([asked, sleep(ASKING_MS, undefined, { ref: false })]);
  return reply?.rows[0]?.waits ?? true;
}

/**
 * Posts what the outbox holds: for each receiver the oldest first, and no later one until that has
 * arrived. It never throws and takes at most two seconds of the caller's time; what could not be
 * delivered is tried again by a later run, under the same webhook-id, for three days.
 */
export async function deliverNotifications(context: SyncContext): Promise<void> {
  const delivery = deliverAll(context).catch((error: unknown) =>
    context.log(
      'WARNING',
      'notifications_postponed',
      'the outbox could not be delivered; a later run does it',
      { reason: (error as { code?: string }).code ?? (error as Error).name },
    ),
  );
  const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
  await Promise.race([delivery, patience]);
}

async function deliverAll({ secrets, config, log }: SyncContext): Promise<void> {
  const receivers = config.notify.NOTIFY_URLS;
  await withConnection(secrets.DATABASE_URL, DELIVERY_MS, async (connection) => {
    const query = inTurn(connection);
    // Also without receivers: what still waits for a former one must not wait for ever.
    await query(expireNotifications, [receivers, GIVEN_UP_AFTER]);
    await query(pruneNotifications, []);
    const { rows } = await query<{ receiver: string }>(dueReceivers, [receivers]);
    const delivery = {
      query,
      log,
      secret: secrets.NOTIFY_SECRET,
    };
    await Promise.all(rows.map(({ receiver }) => deliverInOrder(delivery, receiver)));
  });
}

// The receivers share one connection, which takes one statement at a time.
function inTurn(connection: Connection): Query {
  let last: Promise<unknown> = Promise.resolve();
  return <Row extends pg.QueryResultRow>(statement: string, values: unknown[]) => {
    const turn = last.then(() =>
      queryOnce<Row>(connection, statement, values, { checkMs: CHECK_MS }),
    );
    last = turn.catch(() => undefined);
    return turn;
  };
}

async function deliverInOrder({ query, secret, log }: Delivery, receiver: string): Promise<void> {
  const { origin } = new URL(receiver);
  for (;;) {
    const { rows } = await query<Claimed>(claimNotification, [receiver]);
    const notification = rows[0];
    if (!notification) return;
    const failure = await postNotification(receiver, notification, secret);
    const settled = await query<{ status: string }>(settleNotification, [
      notification.id,
      failure === undefined,
      failure ?? null,
      notification.attempts,
      WAIT.shortest,
      WAIT.longest,
      GIVEN_UP_AFTER,
    ]);
    if (failure === undefined) continue;
    const dead = settled.rows[0]?.status === 'dead';
    log(
      dead ? 'ERROR' : 'WARNING',
      'notification_failed',
      `a notification did not arrive: ${failure}`,
      { receiver: origin, webhook_id: notification.webhook_id, dead },
    );
    if (!dead) return;
  }
}

// Posts one notification; undefined when the receiver took it, else why not. A receiver that refuses the
// signature may know a newer secret than this instance: then it is posted once more. Throws only when the
// secret cannot be read.
async function postNotification(
  receiver: string,
  notification: Notification,
  secret: Credential,
): Promise<string | undefined> {
  const reply = await withRenewal(secret, (key) => postOnce(receiver, notification, key), {
    returned: ({ status = 0 }) => [400, 401, 403].includes(status),
  });
  return reply.failure;
}

interface ReceiverReply {
  failure: string | undefined;
  status?: number;
}

// A redirect is a failure: following one would turn the POST into a GET (Fetch standard) and send the
// signature to an address nobody configured.
async function postOnce(
  receiver: string,
  notification: Notification,
  key: string,
): Promise<ReceiverReply> {
  const timestamp = new Date();
  // Signed by the Standard Webhooks scheme.
  const { Webhook } = await import('standardwebhooks');
  const { webhook_id, payload } = notification;
  const signature = new Webhook(key).sign(webhook_id, timestamp, payload);
  try {
    const response = await fetch(receiver, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(RECEIVER_TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'membership-sync',
        'webhook-id': webhook_id,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': signature,
      },
      body: payload,
    });
    // The status is the reply; what follows it is not read, and may break off.
    response.body?.cancel().catch(() => undefined);
    const { ok, status } = response;
    return { status, failure: ok ? undefined : `the receiver answered ${status}` };
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') {
      return { failure: `no answer within ${RECEIVER_TIMEOUT_MS} ms` };
    }
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    return { failure: `the receiver could not be reached (${code ?? 'no code'})` };
  }
}
