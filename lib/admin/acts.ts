import { setTimeout as sleep } from 'node:timers/promises';
import { SyncError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import type { Log } from '../log.ts';
import { djangoId } from '../sync/parameters.ts';
import { changeClasses } from '../sync/types.ts';
import { changedView } from './changedView.tsx';
import type { Functions, Reply } from './functions.ts';
import { problemView } from './gateViews.tsx';
import { securityHeaders } from './layout.tsx';
import { type Look, type Looks, takeLook, waitingIn } from './look.ts';
import { lookView, undoOf } from './lookView.tsx';
import type { Visit } from './visit.ts';

/** What an act needs besides the visit. */
export interface Acting {
  functions: Functions;
  looks: Looks;
  log: Log;
  signal: AbortSignal;
  form: URLSearchParams;
}

type Act = (visit: Visit, acting: Acting) => Promise<Answer>;

/** Acts that change something, or begin a run: for those who may decide. */
export const decisions: Record<string, Act> = {
  run: (visit, acting) => start(visit, acting, {}),
  full: (visit, acting) => start(visit, acting, { mode: 'full' }),
  approve,
  undo,
  apply: (visit, acting) => single(visit, acting, {}),
  release: (visit, acting) => single(visit, acting, { release: true }),
};

/** Acts that only look. */
export const glances: Record<string, Act> = {
  look: (visit, acting) => look(visit, acting, { mode: 'full' }),
  lookUndo: (visit, acting) => {
    const [run, member] = [Number(acting.form.get('run')), acting.form.get('member')];
    return look(visit, acting, { undo: run, ...(member ? { external_ids: [member] } : {}) });
  },
};

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

/** How long a run that was started is waited for, in ms: long enough to hear that it was refused. */
const START_MS = 700;

// A caller who goes does not stop a run.
async function start(visit: Visit, acting: Acting, more: object): Promise<Answer> {
  acting.log('NOTICE', 'admin_acted', 'a run was started from the page', {
    caller: visit.person.name,
    act: 'run',
    ...more,
  });
  const unstopped = AbortSignal.timeout(3_600_000);
  const run = acting.functions.sync({ sync_type: 'manual', ...more }, visit.person, unstopped);
  run.catch(() => undefined);
  const reply = await Promise.race([run, sleep(START_MS, undefined)]);
  if (reply?.status === 200 && reply.body.run_id) {
    return seeOther(visit, visit.link('run', { id: reply.body.run_id }));
  }
  if (reply) return refusal(visit, acting, reply);
  return seeOther(visit, visit.link('status', { started: Date.now() }));
}

/** The words for a function that refused or failed. */
function wordsFor({ words }: Visit, { body }: Reply): string {
  const code = body.error?.code ?? (body.status === 'skipped' ? 'skipped' : 'internal_error');
  return words.errors[code] ?? words.errors['internal_error'] ?? code;
}

function refusal(visit: Visit, { log }: Acting, reply: Reply): Answer {
  const { code, message } = reply.body.error ?? {};
  log('WARNING', 'admin_refused', 'what was asked for on the page was not done', {
    caller: visit.person.name,
    status: reply.status,
    error_code: code,
    reason: message,
  });
  const status = reply.body.status === 'skipped' ? 409 : 500;
  return problemView(visit, reply.status === 200 ? status : reply.status, wordsFor(visit, reply));
}

async function look(visit: Visit, acting: Acting, asked: object): Promise<Answer> {
  const { functions, looks, log, signal } = acting;
  const outcome = await takeLook(functions, asked, visit.person, signal);
  if ('reply' in outcome) return refusal(visit, acting, outcome.reply);
  looks.keep(outcome.look);
  log('NOTICE', 'members_read', 'somebody looked at the changes that wait', {
    caller: visit.person.name,
    plan: outcome.look.plan,
    changes: outcome.look.total,
    ...asked,
  });
  return seeOther(visit, visit.link('look', { plan: outcome.look.plan }));
}

async function approve(visit: Visit, acting: Acting): Promise<Answer> {
  const { form, looks } = acting;
  const seen = looks.find(form.get('plan'));
  const name = changeClasses.find((one) => one === form.get('class'));
  if (!seen || !name) return lookView(visit, { problem: visit.words.lookGone, status: 409 });
  const count = waitingIn(seen, name);
  if (count === 0) {
    return lookView(visit, { look: seen, problem: visit.words.noneOfThese, status: 409 });
  }
  if (!typedRightly(form, count)) {
    return lookView(withTab(visit, form), { look: seen, wrong: true, status: 400 });
  }
  return decide(visit, acting, seen, { classes: [name] });
}

async function undo(visit: Visit, acting: Acting): Promise<Answer> {
  const { form, looks } = acting;
  const seen = looks.find(form.get('plan'));
  if (!seen || undoOf(seen) === undefined) {
    return lookView(visit, { problem: visit.words.lookGone, status: 409 });
  }
  if (!typedRightly(form, seen.total)) {
    return lookView(withTab(visit, form), { look: seen, wrong: true, status: 400 });
  }
  return decide(visit, acting, seen, {});
}

// As a person writes a number: 2.174, 2,174 or 2 174.
const typedRightly = (form: URLSearchParams, count: number): boolean =>
  (form.get('typed') ?? '').replace(/[\s.,]/g, '') === String(count);

// A page that was posted to shows the tab that was posted from.
function withTab(visit: Visit, form: URLSearchParams): Visit {
  const query = new URLSearchParams({ view: 'look', plan: form.get('plan') ?? '' });
  const tab = form.get('tab');
  if (tab) query.set('tab', tab);
  return { ...visit, query };
}

async function decide(visit: Visit, acting: Acting, seen: Look, more: object): Promise<Answer> {
  const { functions, looks, log, signal } = acting;
  const fields = { caller: visit.person.name, plan: seen.plan, ...seen.asked, ...more };
  log('NOTICE', 'admin_acted', 'a plan was approved on the page', { act: 'approve', ...fields });
  const type = undoOf(seen) === undefined ? { sync_type: 'manual' } : {};
  const body = { ...type, ...seen.asked, ...more, plan: seen.plan };
  const reply = await functions.sync(body, visit.person, signal);
  if (reply.status === 200 && reply.body.run_id) {
    return seeOther(visit, visit.link('run', { id: reply.body.run_id }));
  }
  if (reply.body.error?.code !== 'plan_changed') return refusal(visit, acting, reply);
  const outcome = await takeLook(functions, seen.asked, visit.person, signal);
  if ('reply' in outcome) return refusal(visit, acting, outcome.reply);
  looks.keep(outcome.look);
  return changedView(visit, seen, outcome.look);
}

async function single(visit: Visit, acting: Acting, more: object): Promise<Answer> {
  const { functions, form, log, signal } = acting;
  const id = idOf(form.get('id'));
  const act = 'release' in more ? 'release' : 'apply';
  log('NOTICE', 'admin_acted', 'a member was synced from the page', {
    caller: visit.person.name,
    act,
    external_id: id,
  });
  const body = { sync_type: 'manual', external_ids: [id], ...more };
  const reply = await functions.sync(body, visit.person, signal);
  const { run_id: run, status } = reply.body;
  if (reply.status !== 200 || !run) return refusal(visit, acting, reply);
  const isDone = status === 'success';
  return seeOther(visit, isDone ? visit.link('member', { id }) : visit.link('run', { id: run }));
}
