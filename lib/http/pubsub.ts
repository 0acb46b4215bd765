import { SyncError } from '../errors.ts';

/**
 * The message in the body of a Pub/Sub push, which is an envelope around it:
 * {"message":{"data":"<base64>",…},"subscription":"projects/…"}. undefined for a body that is none. Throws
 * SyncError invalid_request for data that is no base64.
 */
export function messageIn(body: Record<string, unknown>): Buffer | undefined {
  const { subscription, message } = body;
  if (typeof subscription !== 'string' || typeof message !== 'object' || message === null) {
    return undefined;
  }
  const { data = '' } = message as { data?: unknown };
  if (typeof data !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) {
    throw new SyncError('invalid_request', 'message.data must be base64.');
  }
  return Buffer.from(data, 'base64');
}
