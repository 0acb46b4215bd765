import type { Request, Response } from '@google-cloud/functions-framework';
import type { SyncError } from '../errors.ts';

/** The body of an answer that reports an error. */
export function errorBody(error: SyncError): Record<string, unknown> {
  const run = error.runId === undefined ? {} : { run_id: error.runId };
  return { error: { ...error.extra, code: error.code, message: error.message, ...run } };
}

/** What a function answers. */
export interface Answer {
  /** 200 when left out. */
  status?: number;
  /** An object is sent as JSON, a text as its type says. */
  body: object | string;
  type?: 'csv' | 'html';
  headers?: Record<string, string>;
}

/**
 * Sends an answer that no cache keeps. gcloud always gets status 200, because `gcloud functions call` shows
 * the body of no other answer. An error is in the body.
 */
export function sendAnswer(
  request: Request,
  response: Response,
  { status = 200, body, type, headers = {} }: Answer,
): void {
  if (response.headersSent) return;
  response
    .status(isGcloud(request.headers['user-agent']) ? 200 : status)
    .set('Cache-Control', 'no-store')
    .set('X-Content-Type-Options', 'nosniff')
    .set(headers)
    .type(type ?? 'json')
    // Not `send`, which answers 304 to a caller that claims to have the body already.
    .end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Whether a User-Agent is that of gcloud, which is `google-cloud-sdk gcloud/528.0.0 command/… …`. */
export const isGcloud = (userAgent: string | undefined): boolean =>
  /(^|\s)(google-cloud-sdk|gcloud\/)/.test(userAgent ?? '');
