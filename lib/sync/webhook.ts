import type { Credential } from '../secrets.ts';
import { withRenewal } from '../secrets.ts';

/** How long a receiver may take to reply, in ms. */
const RECEIVER_TIMEOUT_MS = 10_000;

export interface Notification {
  webhook_id: string;
  payload: string;
}

/**
 * Posts one notification; undefined when the receiver took it, else why not. A receiver that refuses the
 * signature may know a newer secret than this instance: then it is posted once more. Throws only when the
 * secret cannot be read.
 */
export async function postNotification(
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
