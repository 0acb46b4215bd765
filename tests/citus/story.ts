import type { SyncResult } from '../../lib/sync/types.ts';
import { noSessionLeft, type Row, type TestDatabase } from '../support/database.ts';
import { asksForList } from '../support/register.ts';
import { createWorld, type World } from '../support/world.ts';

export interface Chapter {
  name: string;
  /** What each run answered, but for its times and its number. */
  results: object[];
  members: Row[];
  audit: Row[];
}

const incremental = { settings: { DJANGO_MODIFIED_SINCE_PARAM: 'modified_since' } };

/** All that a run can be, told in this database; two databases that do the same tell the same. */
export async function tellStory(database: TestDatabase): Promise<Chapter[]> {
  const world = await createWorld({ database, members: 200, pageSize: 50, maxPageSize: 50 });
  world.django.behaviour.modifiedParam = 'modified_since';
  const register = world.django.members;
  const story: Chapter[] = [];
  const tell = async (name: string, results: SyncResult[]) =>
    story.push({
      name,
      results: results.map(figures),
      members: sorted((await world.members()).map(timeless)),
      audit: sorted((await world.changes()).map(audited)),
    });

  await tell('a first load', [await world.run()]);
  await tell('nothing changed', [await world.run()]);

  register.remove(1);
  register.update(2, { name: 'Annað Nafn', email: null });
  swap(world, 3, 4);
  register.update(5, { kennitala: '0000000005' });
  register.add({ id: 201, kennitala: '0000000201', name: 'Ný' });
  await tell('one change of each class', [await world.dryRun(), await world.run()]);

  register.add({ id: 1, kennitala: '0000000001', name: 'Endurkomin' });
  for (let id = 20; id < 50; id++) register.remove(id);
  const held = await world.run();
  const approved = await world.run({ approvedPlan: held.plan });
  await tell('held and approved', [held, approved]);

  const inverse = await world.dryRun({ undo: Number(approved.run_id) });
  const undone = await world.run({ undo: Number(approved.run_id), approvedPlan: inverse.plan });
  await tell('undone, and held from then on', [inverse, undone, await world.run()]);

  register.update(60, { phone: '+354 000 0060' });
  register.softDelete(61);
  await tell('members named in a call', [
    await world.run({ externalIds: ['60', '61'], syncType: 'webhook' }),
  ]);

  await world.run({ mode: 'full' }, incremental);
  register.update(62, { name: 'Breytt Nafn' });
  await tell('an incremental run', [await world.run({}, incremental)]);

  await killHalfWay(world);
  await tell('killed, and run again', [await world.run()]);

  register.update(63, { name: 'Enn Annað Nafn' });
  register.remove(64);
  let once = true;
  world.django.behaviour.onRequest = async (request) => {
    if (asksForList(request) || !once) return;
    once = false;
    await database.query(`update public.members set is_active = false where external_id = '63'`);
  };
  await tell('a plan that another service made outdated', [await world.run()]);
  return story;
}

function swap({ django: { members } }: World, one: number, other: number): void {
  const [first, second] = [members.get(one)?.kennitala, members.get(other)?.kennitala];
  members.update(one, { kennitala: second });
  members.update(other, { kennitala: first });
}

async function killHalfWay(world: World): Promise<void> {
  const { url, kill } = await world.bundle('syncScheduled');
  const reached = new Promise<void>((resolve) => {
    world.django.behaviour.onRequest = ({ query }) => {
      if (query['page'] !== '2') return undefined;
      resolve();
      return new Promise(() => {});
    };
  });
  const call = fetch(url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${world.settings['ADMIN_API_KEY']}` },
  }).catch(() => undefined);
  await reached;
  await kill('SIGKILL');
  await call;
  // The server ends the session, and with it the lock, when it next looks at the connection.
  await noSessionLeft(world.database);
  world.django.behaviour.onRequest = () => undefined;
}

function figures(result: SyncResult): object {
  const { run_id: _run, timestamp: _at, duration_ms: _took, changes, ...same } = result;
  return { ...same, changes: changes?.map(({ external_id, action }) => [action, external_id]) };
}

// Our own ids are given in the order in which a server happens to insert.
const timeless = ({ id: _id, added_at: _, removed_at, ...row }: Row): Row => ({
  ...row,
  is_removed: removed_at !== null,
});

function audited({ run_id: _run, member_id: _member, ...row }: Row): Row {
  const state = (value: unknown) =>
    value === null
      ? null
      : { ...(value as Row), removed_at: (value as Row)['removed_at'] !== null };
  return { ...row, before: state(row['before']), after: state(row['after']) };
}

const sorted = (rows: Row[]): Row[] =>
  rows
    .map((row) => JSON.stringify(row))
    .sort()
    .map((row) => JSON.parse(row));
