import type { Request } from '@google-cloud/functions-framework';
import { SyncError } from '../errors.ts';
import { LARGEST_BODY, tooLarge } from './request.ts';

type Received = Pick<Request, 'query' | 'body' | 'rawBody' | 'headers'>;

/**
 * The request with its body read. The framework leaves a body without Content-Type on the wire;
 * to answer as if there were none would silently drop what the caller asked for. Throws SyncError
 * payload_too_large, or invalid_request when the body does not come to its end.
 */
export async function receive(request: Request): Promise<Received> {
  const { query, headers, body, rawBody } = request;
  const isUnread = headers['content-type'] === undefined && body === undefined;
  const rest = isUnread ? await readAll(request) : undefined;
  if (!rest) return { query, headers, body, ...(rawBody && { rawBody }) };
  return { query, headers, body: rest, rawBody: rest };
}

async function readAll(request: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The answer still has to go out on this connection.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > LARGEST_BODY) break;
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    throw new SyncError('invalid_request', 'The body ended too early.', { cause });
  }
  if (size > LARGEST_BODY) throw tooLarge();
  return Buffer.concat(chunks);
}
