import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../lib/http/answer.ts';
import { changeClasses } from '../../lib/sync/types.ts';
import { type Acting, logSeen, refusal, runOf, seeOther } from './acting.ts';
import { changedView } from './changedView.tsx';
import { compareLooks, isShown, type Look, takeLook, undoOf, waitingIn } from './look.ts';
import { lookView } from './lookView.tsx';
import { apply, ask } from './memberActs.ts';
import type { Visit } from './visit.ts';

type Act = (visit: Visit, acting: Acting) => Promise<Answer>;

/** Acts that change something, or begin a run: for those who may decide. */
export const decisions: Record<string, Act> = {
  run: (visit, acting) => start(visit, acting, {}),
  full: (visit, acting) => start(visit, acting, { mode: 'full' }),
  approve,
  undo,
  apply,
  // It shows what would change; `apply` makes it.
  release: (visit, acting) => ask(visit, acting, { release: true }),
};

/** Acts that only look. */
export const glances: Record<string, Act> = {
  ask: (visit, acting) => ask(visit, acting),
  look: (visit, acting) => look(visit, acting, { mode: 'full' }),
  lookUndo: (visit, acting) => {
    const [run, member] = [Number(acting.form.get('run')), acting.form.get('member')];
    return look(visit, acting, { undo: run, ...(member ? { external_ids: [member] } : {}) });
  },
};

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
  const id = reply && runOf(reply);
  if (id) return seeOther(visit, visit.link('run', { id }));
  if (reply) return refusal(visit, acting, reply);
  return seeOther(visit, visit.link('status', { started: Date.now() }));
}

async function look(visit: Visit, acting: Acting, asked: object): Promise<Answer> {
  const { functions, looks, log, signal, views } = acting;
  const lastRun = await views.lastRun();
  const outcome = await takeLook(functions, asked, visit.person, signal, lastRun);
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
  const { lookGone, noneOfThese, notShown } = visit.words;
  if (!seen || !name) return lookView(visit, { problem: lookGone, status: 409 });
  const count = waitingIn(seen, name);
  const problem = count === 0 ? noneOfThese : isShown(seen, name) ? undefined : notShown;
  if (problem) return lookView(visit, { look: seen, problem, status: 409 });
  if (!typedRightly(form, count)) {
    return lookView(withTab(visit, form), { look: seen, wrong: count, status: 400 });
  }
  return decide(visit, acting, seen, { classes: [name] });
}

async function undo(visit: Visit, acting: Acting): Promise<Answer> {
  const { form, looks } = acting;
  const seen = looks.find(form.get('plan'));
  if (!seen || undoOf(seen) === undefined) {
    return lookView(visit, { problem: visit.words.lookGone, status: 409 });
  }
  if (seen.total > seen.changes.length) {
    return lookView(visit, { look: seen, problem: visit.words.notShown, status: 409 });
  }
  if (!typedRightly(form, seen.total)) {
    return lookView(withTab(visit, form), { look: seen, wrong: seen.total, status: 400 });
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
  const { functions, looks, log, signal, views } = acting;
  const fields = { caller: visit.person.name, plan: seen.plan, ...seen.asked, ...more };
  log('NOTICE', 'admin_acted', 'somebody asks to approve a plan', { act: 'approve', ...fields });
  const type = undoOf(seen) === undefined ? { sync_type: 'manual' } : {};
  const body = { ...type, ...seen.asked, ...more, plan: seen.plan };
  const reply = await functions.sync(body, visit.person, signal);
  const id = runOf(reply);
  if (id) return seeOther(visit, visit.link('run', { id }));
  if (reply.body.error?.code !== 'plan_changed') return refusal(visit, acting, reply);
  const lastRun = await views.lastRun();
  const outcome = await takeLook(functions, seen.asked, visit.person, signal, lastRun);
  if ('reply' in outcome) return refusal(visit, acting, outcome.reply);
  looks.keep(outcome.look);
  const difference = compareLooks(seen, outcome.look);
  logSeen(log, visit, outcome.look, Object.values(difference).flat());
  return changedView(visit, outcome.look, difference, await views.madeAfter(seen.after));
}
