import type { Answer } from '../../lib/http/answer.ts';
import { type Acting, idOf, refusal, runOf, seeOther } from './acting.ts';
import type { Visit } from './visit.ts';

interface Asking {
  /** Whether a member who was made inactive here is to become active. */
  release?: boolean;
  /** What somebody wanted to do was no longer what they had been shown. */
  isChanged?: boolean;
}

/** Asks the register about one member and shows what would change; changes nothing. */
export async function ask(
  visit: Visit,
  acting: Acting,
  { release = false, isChanged = false }: Asking = {},
): Promise<Answer> {
  const { functions, form, signal, views, log } = acting;
  const id = idOf(form.get('id'));
  const asked = { external_ids: [id], ...(release ? { release } : {}) };
  const reply = await functions.dryRun({ ...asked, details: true }, visit.person, signal);
  // Of an id that cannot be in an address.
  if (reply.body.error?.code === 'invalid_request') reply.body.error.code = 'not_askable';
  if (reply.status !== 200 || reply.body.plan === undefined) {
    return refusal(visit, acting, reply, visit.link('member', { id }));
  }
  return views.showAsked(visit, log, id, { result: reply.body, release, isChanged });
}

/**
 * Makes the change of one member that was shown, which its digest names. Where it is another one by now nothing is
 * done, and the page shows what it would be.
 */
export async function apply(visit: Visit, acting: Acting): Promise<Answer> {
  const { functions, form, log, signal } = acting;
  const id = idOf(form.get('id'));
  const plan = form.get('plan');
  const release = form.get('release') === 'true';
  // Of a page that says not what it showed.
  if (!plan) return ask(visit, acting, { release });
  const asked = { external_ids: [id], ...(release ? { release } : {}), plan };
  log('NOTICE', 'admin_acted', 'somebody asks to sync a member', {
    caller: visit.person.name,
    act: release ? 'release' : 'apply',
    external_id: id,
    plan,
  });
  const reply = await functions.sync({ sync_type: 'manual', ...asked }, visit.person, signal);
  const { status, error } = reply.body;
  const run = runOf(reply);
  if (error?.code === 'plan_changed') return ask(visit, acting, { release, isChanged: true });
  const member = visit.link('member', { id });
  if (!run) return refusal(visit, acting, reply, member);
  return seeOther(visit, status === 'success' ? member : visit.link('run', { id: run }));
}
