import type { Request, Response } from '@google-cloud/functions-framework';

/**
 * Sends JSON that no cache keeps. gcloud gets status 200 whatever happened, because
 * `gcloud functions call` shows the body of no other answer; the error is in the body.
 */
export function send(request: Request, response: Response, status: number, body: object): void {
  if (response.headersSent) return;
  const json = JSON.stringify(body);
  response
    .status(isGcloud(request.headers['user-agent']) ? 200 : status)
    .set('Cache-Control', 'no-store')
    .set('X-Content-Type-Options', 'nosniff')
    .type('json')
    .send(json);
}

/** Whether a User-Agent is that of gcloud, which is `google-cloud-sdk gcloud/528.0.0 command/… …`. */
export const isGcloud = (userAgent: string | undefined): boolean =>
  /(^|\s)(google-cloud-sdk|gcloud\/)/.test(userAgent ?? '');
