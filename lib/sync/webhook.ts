import type { Log } from '../log.ts';
import type { Credential } from '../secrets.ts';

/** How long a receiver may take to reply, in ms. */
const RECEIVER_TIMEOUT_MS = 10_000;

export interface Notification {
  webhook_id: string;
  payload: string;
}

/** Signs by the Standard Webhooks scheme. */
export interface Signer {
  sign(notification: Notification, timestamp: Date): Promise<string>;
  /** Reads the secret again, at most once; true when it has changed. */
  renew(): Promise<boolean>;
}

export function createSigner(secret: Credential, log: Log): Signer {
  let renewed: Promise<boolean> | undefined;
  const renew = async () => {
    try {
      return (await secret.refresh()) !== undefined;
    } catch (error) {
      log('WARNING', 'secret_not_refreshed', (error as Error).message);
      return false;
    }
  };
  return {
    sign: async ({ webhook_id, payload }, timestamp) => {
      const { Webhook } = await import('standardwebhooks');
      return new Webhook(await secret.get()).sign(webhook_id, timestamp, payload);
    },
    renew: () => {
      renewed ??= renew();
      return renewed;
    },
  };
}

/**
 * Posts one notification; undefined when the receiver took it, else why not. A receiver that refuses the
 * signature may know a newer secret than this instance: then it is posted once more. Throws only when the
 * secret cannot be read.
 */
export async function postNotification(
  receiver: string,
  notification: Notification,
  signer: Signer,
): Promise<string | undefined> {
  const reply = await postOnce(receiver, notification, signer);
  const refused = [400, 401, 403].includes(reply.status ?? 0);
  if (!refused || !(await signer.renew())) return reply.failure;
  return (await postOnce(receiver, notification, signer)).failure;
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
  signer: Signer,
): Promise<ReceiverReply> {
  const timestamp = new Date();
  const signature = await signer.sign(notification, timestamp);
  try {
    const response = await fetch(receiver, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(RECEIVER_TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'membership-sync',
        'webhook-id': notification.webhook_id,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': signature,
      },
      body: notification.payload,
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
