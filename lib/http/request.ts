import type { Request } from '@google-cloud/functions-framework';
import { SyncError } from '../errors.ts';

/** No request of ours needs more; the framework would read up to a gigabyte. */
export const LARGEST_BODY = 64 * 1024;

interface Accepted {
  name: string;
  path: string;
  methods: readonly string[];
}

/** Refuses what is not for this function: throws SyncError not_found, method_not_allowed or payload_too_large. */
export function checkRequest(
  request: Pick<Request, 'path' | 'method' | 'headers' | 'rawBody'>,
  { name, path, methods }: Accepted,
): void {
  if (!['', `/${name}`, path].includes(request.path.replace(/\/$/, ''))) {
    throw new SyncError('not_found', `There is nothing at this path; ask for ${path}.`);
  }
  if (!methods.includes(request.method)) {
    throw new SyncError('method_not_allowed', `Use ${methods.join(' or ')}.`);
  }
  const size = Math.max(Number(request.headers['content-length'] ?? 0), bodySize(request.rawBody));
  if (size > LARGEST_BODY) throw tooLarge();
}

export const tooLarge = () =>
  new SyncError('payload_too_large', `The body may have at most ${LARGEST_BODY} bytes.`);

const bodySize = (body: Buffer | undefined) => body?.length ?? 0;
