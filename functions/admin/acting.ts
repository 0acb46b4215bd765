import { SyncError } from '../../lib/errors.ts';
import type { Answer } from '../../lib/http/answer.ts';
import type { Log } from '../../lib/log.ts';
import type { PreviewedChange } from '../../lib/sync/types.ts';
import { djangoId } from '../sync/schema.ts';
import type { AskedMember } from './askedView.tsx';
import type { Functions, Reply } from './functions.ts';
import { problemView } from './gateViews.tsx';
import { securityHeaders } from './layout.tsx';
import type { Look, Looks, Made } from './look.ts';
import type { Visit } from './visit.ts';

/** What an act reads and shows. */
export interface ActViews {
  /** A member, with what the register was found to say. */
  showAsked(visit: Visit, log: Log, id: string, asked: AskedMember): Promise<Answer>;
  lastRun(): Promise<number>;
  /** What the runs after this one have changed. */
  madeAfter(run: number): Promise<Made>;
}

/** What an act needs besides the visit. */
export interface Acting {
  functions: Functions;
  looks: Looks;
  views: ActViews;
  log: Log;
  signal: AbortSignal;
  form: URLSearchParams;
}

/** What an address names. The names that every object has name nothing here. */
export const named = <T>(all: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(all, name) ? all[name] : undefined;

/** The Django id that was given. It is logged, so nothing else goes. Throws `not_found`. */
export function idOf(given: string | null): string {
  const id = djangoId.safeParse(given);
  if (id.success) return String(id.data);
  throw new SyncError('not_found', 'That is no id of a member in Django.');
}

/** Sends the browser on, so that a reload repeats nothing. */
export const seeOther = ({ secure }: Pick<Visit, 'secure'>, location: string): Answer => ({
  status: 303,
  body: '',
  type: 'html',
  headers: { ...securityHeaders(secure), Location: location },
});

/** Django ids in one line of the log, which the platform cuts at 256 KiB. */
const LOGGED_IDS = 500;

/** Logs who has seen whom of a plan, by Django id. */
export function logSeen(
  log: Log,
  { person }: Visit,
  { plan, total }: Look,
  shown: PreviewedChange[],
): void {
  for (let from = 0; from === 0 || from < shown.length; from += LOGGED_IDS) {
    log('NOTICE', 'members_read', 'somebody looked at a plan', {
      caller: person.name,
      plan,
      changes: total,
      external_ids: shown.slice(from, from + LOGGED_IDS).map(({ external_id }) => external_id),
    });
  }
}

/** The run that did what was asked for; also where its answer was lost on the way. undefined: nothing was done. */
export const runOf = ({ status, body }: Reply): number | null | undefined =>
  status === 200 ? body.run_id : body.error?.applied ? body.error.run_id : undefined;

/** A function refused or failed: says so, logs it, and leads back to where the visitor was. */
export function refusal(visit: Visit, { log }: Acting, reply: Reply, back?: string): Answer {
  const { code, message } = reply.body.error ?? {};
  log('WARNING', 'admin_refused', 'what was asked for on the page was not done', {
    caller: visit.person.name,
    status: reply.status,
    error_code: code,
    reason: message,
  });
  const failed = reply.body.status === 'skipped' ? 409 : 500;
  const status = reply.status === 200 ? failed : reply.status;
  return problemView(visit, status, wordsFor(visit, reply), back);
}

function wordsFor({ words }: Visit, { body }: Reply): string {
  const { code: named, applied } = body.error ?? {};
  const other = body.status === 'skipped' ? 'skipped' : 'internal_error';
  const code = applied === null ? 'unreachable' : (named ?? other);
  return words.errors[code] ?? words.errors['internal_error'] ?? code;
}
