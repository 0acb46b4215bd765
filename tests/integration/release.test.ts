import { asksForList } from '../support/register.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ pageSize: 100 });
});
beforeEach(async () => {
  await world.reset(35);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_added: 35 } });
});

const query = (statement: string) => world.database.query(statement);
const stateOf = async (id: number) => {
  const [row] = await query(
    `select is_active, removed_at, sync_source from public.members where external_id = '${id}'`,
  );
  return row;
};
const suspend = (id: number) =>
  query(`update public.members set is_active = false where external_id = '${id}'`);

test('a member who was suspended by hand becomes active when an admin releases the member', async () => {
  await suspend(7);
  expect(await world.sync({ external_ids: ['7'] })).toMatchObject({
    body: { status: 'success', members_suspended: 1, members_reactivated: 0 },
  });
  expect(await stateOf(7)).toMatchObject({ is_active: false });

  const look = await world.post('syncDryRun', {
    external_ids: ['7'],
    release: true,
    details: true,
  });
  expect(look.body).toMatchObject({ members_reactivated: 1, changes_total: 1 });
  world.django.clear();
  const { body } = await world.sync({ external_ids: ['7'], release: true });
  expect(body).toMatchObject({ status: 'success', members_reactivated: 1, members_suspended: 0 });
  expect(world.django.requests.filter(asksForList)).toEqual([]);
  expect(world.django.requests.length).toBeGreaterThan(0);
  expect(await stateOf(7)).toEqual({ is_active: true, removed_at: null, sync_source: 'django' });
  expect(await world.changes(Number(body.run_id))).toMatchObject([
    { action: 'reactivate', fields: ['is_active'] },
  ]);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_suspended: 0 } });
});

test("a newcomer who meets another service's inactive row is named by every run until released", async () => {
  world.django.members.add({ id: 36, kennitala: '0101016666', name: 'Ný Félagskona' });
  await query(`insert into public.members (kennitala, name, is_active, removed_at, sync_source, external_id)
    values ('0101016666', 'Ný Félagskona', false, now(), 'elections', '900')`);
  for (const _ of ['the first run', 'the next']) {
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'partial', members_added: 0, members_reactivated: 0 });
    expect(body.errors).toEqual([
      { code: 'inactive_here', external_id: '36', message: expect.stringContaining('release') },
    ]);
  }
  const { body } = await world.sync({ external_ids: [36], release: true });
  expect(body).toMatchObject({ status: 'success', members_reactivated: 1, errors: [] });
  expect(await stateOf(36)).toEqual({
    is_active: true,
    removed_at: null,
    sync_source: 'elections',
  });
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 0 } });
});

test('a release is limited like any addition', async () => {
  const ids = Array.from({ length: 11 }, (_, index) => String(index + 1));
  for (const id of ids) await suspend(Number(id));
  const held = await world.sync({ external_ids: ids, release: true });
  expect(held.body).toMatchObject({
    status: 'held',
    members_reactivated: 0,
    held: { additions: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  });
  const plan = held.body.plan;
  expect(await world.sync({ external_ids: ids, release: true, plan })).toMatchObject({
    body: { status: 'success', members_reactivated: 11 },
  });
});

test('nobody is released whom the register does not have', async () => {
  await suspend(7);
  world.django.members.softDelete(7);
  const { body } = await world.sync({ external_ids: ['7'], release: true });
  expect(body).toMatchObject({ members_reactivated: 0 });
  expect(await stateOf(7)).toMatchObject({ is_active: false });
});
