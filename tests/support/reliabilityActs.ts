import { SyncError } from '../../lib/errors.ts';
import type { PreviewedChange, SyncRequest } from '../../lib/sync/types.ts';
import type { Row } from './database.ts';
import { type Audited, changesOf } from './reliabilityAudit.ts';
import { fillCache } from './reliabilityCache.ts';
import { expectApplied, expectUndone, planned } from './reliabilityChecks.ts';
import { applyDamages, disturb, look, visible, type Watched } from './reliabilityFaults.ts';
import type { Action } from './reliabilityHistory.ts';
import {
  dryRun,
  expectClean,
  expectSafe,
  type History,
  isEmpty,
  note,
  rowsOf,
  run,
} from './reliabilityLife.ts';
import { apply, membersNow, recordsOf } from './reliabilityRegister.ts';
import { personOf } from './reliabilityRules.ts';
import { attempt } from './reliabilityWorld.ts';

async function runOnce(history: History, { mode, dry, later }: Action<'run'>) {
  if (later) await history.world.wait();
  const before = await rowsOf(history);
  const request = { mode };
  const looked = dry ? await dryRun(history, request) : undefined;
  if (dry) expect(await rowsOf(history)).toEqual(before);
  const result = await run(history, request);
  const { after, changes } = await note(history, before, result);
  if (looked) expectApplied(planned(looked), changes, looked, result);
  expectSafe(history, before, after, result);
  if (mode === 'full') await expectClean(history, before, after, result);
}

async function runDisturbed(history: History, asked: Action<'disturbed run'>) {
  const { django, database } = history.world;
  const before = await rowsOf(history);
  const { during, faults } = visible(django, history.given, before, asked);
  const watched = disturb(django, during, faults);
  const { damaged: unreadable } = applyDamages(django, asked.damages);
  const result = await attempt(history.settings, { mode: 'full' });
  django.clear();
  django.behaviour.onRequest = () => undefined;
  history.undone.look(django);
  if (result instanceof SyncError) {
    expect(result).toMatchObject({ code: expect.stringMatching(/^django_/) });
    expect(await rowsOf(history)).toEqual(before);
    const [log] = await database.query('select * from public.sync_log order by id desc limit 1');
    expect(log).toMatchObject({ status: 'failed' });
    expect(await changesOf(database, Number(log?.['id']))).toEqual([]);
    return;
  }
  const { after } = await note(history, before, result);
  expectSafe(history, before, after, result, watched, unreadable);
}

// What was so when the cache was filled, and what is so now, may both come of it; nothing else may.
async function runOnOldReplies(history: History, { replies, changes }: Action<'old replies'>) {
  const { django } = history.world;
  const before = await rowsOf(history);
  const cache = await fillCache(django, () => dryRun(history, { mode: 'full' }));
  const watched = disturb(django);
  for (const each of changes) {
    apply(django, each);
    look(watched, membersNow(django));
    history.undone.look(django);
  }
  cache.serve(replies);
  const result = await run(history, { mode: 'full' });
  django.clear();
  const { after } = await note(history, before, result);
  if (replies.of !== 'pages') expect(result.members_reactivated).toBe(0);
  expectSafe(history, before, after, result, watched);
}

const pick = <T>(all: readonly T[], places: readonly number[]): T[] =>
  all.length === 0 ? [] : places.map((place) => all[place % all.length] as T);

// Who is entered anew and asked for under the old id alone has left, as far as that page can say.
function askedFor({ world }: History, before: Row[]): Watched {
  const watched = disturb(world.django);
  const now = membersNow(world.django);
  const isGone = ({ external_id }: Row) => external_id !== null && !now.has(Number(external_id));
  for (const [id, { kennitala, person }] of watched.throughout) {
    const own = before.filter((row) => row['kennitala'] === kennitala || personOf(row) === person);
    if (own.some(isGone)) watched.throughout.delete(id);
  }
  return watched;
}

async function runSelected(history: History, { picks, release, approve }: Action<'selected'>) {
  const before = await rowsOf(history);
  const known = recordsOf(history.world.django).map(({ id }) => String(id));
  const gone = before.flatMap((row) => (row['external_id'] as string) ?? []);
  const externalIds = [...new Set(pick([...new Set([...known, ...gone, '77'])], picks))];
  const request = { externalIds, release, syncType: 'webhook' as const };
  const looked = await dryRun(history, request);
  expect(await rowsOf(history)).toEqual(before);
  const first = await run(history, request);
  const { after, changes } = await note(history, before, first);
  expectApplied(planned(looked), changes, looked, first);
  expectSafe(history, before, after, first, askedFor(history, before));
  if (release) history.undone.forget(new Set(changes.map(({ member_id }) => member_id)));
  if (first.held && approve) await approveOnce(history, { ...request, approvedPlan: first.plan });
  // Without a page of the member nothing is concluded.
  const { detail } = history.world.django.behaviour;
  const isDone = approve || !first.held;
  if (release && detail && isDone) await expectReleased(history, externalIds, before);
}

// Whom the register has under the id that was asked for, and under the kennitala of the row, is active now.
async function expectReleased(history: History, externalIds: string[], before: Row[]) {
  const after = await rowsOf(history);
  const members = membersNow(history.world.django);
  for (const id of externalIds) {
    const member = members.get(Number(id));
    const row = after.find(({ kennitala }) => kennitala === member?.kennitala);
    const was = before.find((one) => one['id'] === row?.['id']);
    if (member && was?.['external_id'] === id) expect(row).toMatchObject({ is_active: true });
  }
}

/** Approves a digest that was answered for the register as it is; a second time it is refused. */
async function approveOnce(history: History, request: Partial<SyncRequest>) {
  const before = await rowsOf(history);
  if (request.undo === undefined) history.undone.forget();
  const result = await run(history, request);
  const { after } = await note(history, before, result, true);
  history.spent.push(request);
  if (request.undo === undefined) {
    expectSafe(history, before, after, result, request.externalIds && askedFor(history, before));
  }
  return { before, after, result };
}

async function approve(history: History, { classes }: Action<'approve'>) {
  const looked = await dryRun(history, { mode: 'full' });
  if (!looked.held || looked.plan === undefined) return;
  const approvedClasses = classes ?? undefined;
  const request = { mode: 'full' as const, approvedPlan: looked.plan, approvedClasses };
  const { before, after, result } = await approveOnce(history, request);
  const changes = await changesOf(history.world.database, result.run_id);
  // Nobody is asked about a change while it is held.
  const unconfirmed = new Set(
    result.errors.flatMap(({ code, external_id }) =>
      code.endsWith('_unconfirmed') ? [external_id] : [],
    ),
  );
  const { certain, possible } = planned(looked, approvedClasses ?? 'all');
  const isAsked = (one: PreviewedChange) => ['remove', 'reactivate'].includes(one.action);
  const sure = certain.filter((one) => !(isAsked(one) && unconfirmed.has(one.external_id)));
  expectApplied({ certain: sure, possible }, changes);
  // Where nobody is active any more the next run is a first load, which no limit holds.
  if (isEmpty(after)) return;
  if (classes && result.held) {
    await approveOnce(history, { mode: 'full', approvedPlan: result.plan });
  } else await expectClean(history, before, after, result);
}

async function replay(history: History, { which }: Action<'replay'>) {
  const { spent, settings } = history;
  const [request] = pick(spent, [which]);
  if (!request) return;
  const before = await rowsOf(history);
  const result = await attempt(settings, request);
  expect(result).toMatchObject({ code: 'plan_changed' });
  expect(await rowsOf(history)).toEqual(before);
}

const membersWith = (id: string, changes: Audited[]) =>
  new Set(
    changes
      .filter(({ before, after }) => [before, after].some((one) => one?.['external_id'] === id))
      .map(({ member_id }) => member_id),
  );

async function undo(history: History, { back, picks, approve }: Action<'undo'>) {
  const { database } = history.world;
  const target = history.runs.at(-1 - back);
  if (target === undefined) return;
  const changes = await changesOf(database, target);
  const ids = [
    ...new Set(
      changes.flatMap(({ before, after }) =>
        [before, after].flatMap((one) => (one?.['external_id'] as string) ?? []),
      ),
    ),
  ];
  const externalIds = picks ? [...new Set(pick([...ids, '77'], picks))] : undefined;
  const request: Partial<SyncRequest> = { undo: target, syncType: 'undo', externalIds };
  const before = await rowsOf(history);
  const looked = await dryRun(history, request);
  expect(await rowsOf(history)).toEqual(before);
  const outcome = await attempt(history.settings, request);
  if (outcome instanceof SyncError) {
    // Nobody knows which one is meant by an id that two members have had.
    const isShared = externalIds?.some((id) => membersWith(id, changes).size > 1);
    expect([outcome.code, isShared]).toEqual(['invalid_request', true]);
    expect(await rowsOf(history)).toEqual(before);
    return;
  }
  let result = outcome;
  const first = await note(history, before, result);
  expectApplied(planned(looked), first.changes, looked, result);
  let done = first.changes;
  if (result.held && approve) {
    const approved = { ...request, approvedPlan: result.plan };
    result = (await approveOnce(history, approved)).result;
    done = [...done, ...(await changesOf(database, result.run_id))];
  }
  const after = await rowsOf(history);
  expectUndone(changes, before, after, result, externalIds);
  history.undone.add(done, after);
  history.undone.look(history.world.django);
}

async function byHand(history: History, { how, a }: Action<'by hand'>) {
  const { database, django } = history.world;
  const [row] = pick(await rowsOf(history), [a]);
  if (how === 'suspend' || how === 'unlink') {
    const to = how === 'suspend' ? 'is_active = false' : 'external_id = null';
    await database.query(`update public.members set ${to} where id = $1 and is_active`, [
      row?.['id'] ?? 0,
    ]);
    return;
  }
  // Another service has had the row of somebody who becomes a member now.
  apply(django, { kind: 'join', a: 0, b: 0, c: 0 });
  const { kennitala, name } = recordsOf(django).at(-1) ?? {};
  await database.query(
    `insert into public.members (kennitala, name, sync_source, external_id, metadata, is_active, removed_at)
     values ($1, $2, 'elections', '7', '{"theirs":true}', $3, $4)`,
    [
      kennitala,
      a % 2 ? name : 'Annað Kerfi',
      how === 'active',
      how === 'removed' ? '2026-01-01' : null,
    ],
  );
}

/** Does what a step says, and looks whether all that must hold does. */
export async function act(history: History, action: Action): Promise<void> {
  switch (action.do) {
    case 'run':
      return runOnce(history, action);
    case 'disturbed run':
      return runDisturbed(history, action);
    case 'old replies':
      return runOnOldReplies(history, action);
    case 'selected':
      return runSelected(history, action);
    case 'undo':
      return undo(history, action);
    case 'approve':
      return approve(history, action);
    case 'replay':
      return replay(history, action);
    case 'by hand':
      return byHand(history, action);
  }
}
