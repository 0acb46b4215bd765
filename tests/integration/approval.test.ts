import { ADMIN_KEY } from '../support/http.ts';
import { memberAsked, range } from '../support/register.ts';
import { createWorld, smallPages, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld(smallPages);
});
beforeEach(async () => {
  await world.reset(35);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_added: 35 } });
});

const leave = (...ids: number[]) => {
  for (const id of ids) world.django.members.remove(id);
};
// Eleven of 35 are more than the ten that no limit stops.
const holdRemovals = () => leave(...range(1, 11));

test('the digest is the same for the same members and register, whoever asks and however often', async () => {
  leave(1, 2);
  world.django.members.add({ id: 90, name: 'Ný' });
  world.django.members.update(5, { name: 'Annað Nafn' });
  const first = await world.post('syncDryRun');
  const second = await world.post('syncDryRun', { limit: 1 });
  const run = await world.sync();
  expect(first.body.plan).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect([second.body.plan, run.body.plan]).toEqual([first.body.plan, first.body.plan]);
  expect((await world.lastRun())['plan']).toBe(first.body.plan);

  // The same register in front of the same members: the plan has the same name in another database.
  await world.reset(35);
  await world.sync();
  leave(1, 2);
  world.django.members.add({ id: 90, name: 'Ný' });
  world.django.members.update(5, { name: 'Annað Nafn' });
  expect((await world.post('syncDryRun')).body.plan).toBe(first.body.plan);
});

let person: (id: number) => Record<string, unknown>;
const personsNow = () => {
  const copy = new Map(world.django.members.list().map((record) => [record.id, { ...record }]));
  return (id: number) => copy.get(id) ?? {};
};

const alterations: [string, () => void][] = [
  ['one more member left', () => leave(20)],
  [
    'another member left instead',
    () => {
      world.django.members.add({ ...person(1) });
      leave(20);
    },
  ],
  ['one more member joined', () => void world.django.members.add({ id: 91 })],
  [
    'the new member has another kennitala',
    () => void world.django.members.update(90, { kennitala: '0000000091' }),
  ],
  [
    'the new member has another Django id',
    () => {
      world.django.members.remove(90);
      world.django.members.add({ id: 91, kennitala: '0000000090', name: 'Ný', email: null });
    },
  ],
  [
    'the new member has an e-mail address',
    () => void world.django.members.update(90, { email: 'ny@felagi.example' }),
  ],
  [
    'the new name is spelt otherwise',
    () => void world.django.members.update(5, { name: 'Annad Nafn' }),
  ],
  [
    'a phone number went with the new name',
    () => void world.django.members.update(5, { phone: null }),
  ],
];
test.each(alterations)('the digest is another when %s', async (_, alter) => {
  person = personsNow();
  leave(1);
  world.django.members.add({ id: 90, kennitala: '0000000090', name: 'Ný', email: null });
  world.django.members.update(5, { name: 'Annað Nafn', phone: '+354 011 1111' });
  const { plan } = (await world.post('syncDryRun')).body;
  alter();
  const { body } = await world.post('syncDryRun');
  expect(body.plan).toMatch(/^sha256:/);
  expect(body.plan).not.toBe(plan);
});

test('what a dry run shows as held is applied when its plan is approved, and the log says by whom', async () => {
  holdRemovals();
  const seen = await world.post('syncDryRun');
  expect(seen.body).toMatchObject({
    status: 'held',
    members_removed: 0,
    held: { removals: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  });
  expect(seen.body.changes?.map(({ held }) => held)).toEqual(Array(11).fill('limit_exceeded'));
  expect(await world.sync()).toMatchObject({ status: 200, body: { status: 'held' } });
  expect(await world.active()).toEqual(range(1, 35));

  const approved = await world.sync({ plan: seen.body.plan });
  expect([approved.status, approved.body]).toEqual([
    200,
    expect.objectContaining({ status: 'success', members_removed: 11, plan: seen.body.plan }),
  ]);
  expect(approved.body.held).toBeUndefined();
  expect(await world.active()).toEqual(range(12, 35));
  expect((await world.lastRun()).details).toMatchObject({ approved_by: 'admin-key' });
  const bundle = await world.bundle('syncScheduled');
  expect(await bundle.says({ event: 'plan_approved', run_id: approved.body.run_id })).toMatchObject(
    {
      severity: 'NOTICE',
      caller: 'admin-key',
      plan: seen.body.plan,
    },
  );
});

test('an approval of a plan that has changed since is refused with the new digest, and changes nothing', async () => {
  holdRemovals();
  const { plan } = (await world.post('syncDryRun')).body;
  leave(12);
  const before = await world.members();
  const refused = await world.sync({ plan });
  const now = (await world.post('syncDryRun')).body.plan;
  expect(refused).toMatchObject({
    status: 409,
    body: { error: { code: 'plan_changed', plan: now } },
  });
  expect(now).not.toBe(plan);
  expect(await world.members()).toEqual(before);
  expect(await world.changes(refused.body.error?.run_id)).toEqual([]);
  expect(await world.lastRun()).toMatchObject({
    id: refused.body.error?.run_id,
    status: 'refused',
    details: { error: { code: 'plan_changed' } },
  });
  expect(JSON.stringify((await world.lastRun()).details)).not.toContain(ADMIN_KEY);
  expect(await world.sync({ plan: now })).toMatchObject({
    status: 200,
    body: { members_removed: 12 },
  });
});

test('a removal that the register does not confirm is not made, approved or not', async () => {
  holdRemovals();
  const { plan } = (await world.post('syncDryRun')).body;
  world.django.misbehave({ kind: 'status', status: 500, when: (one) => memberAsked(one) === '4' });
  const approved = await world.sync({ plan });
  expect(approved).toMatchObject({
    status: 200,
    body: { status: 'partial', members_removed: 10, removals_unconfirmed: 1 },
  });
  expect(approved.body.errors).toEqual([
    { code: 'removal_unconfirmed', external_id: '4', message: expect.any(String) },
  ]);
  expect(await world.active()).toEqual([4, ...range(12, 35)]);
});

test('an approved run leaves the next ones all of their limits', async () => {
  holdRemovals();
  const { plan } = (await world.post('syncDryRun')).body;
  expect(await world.sync({ plan })).toMatchObject({ body: { members_removed: 11 } });
  leave(...range(12, 21));
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 10 } });
  // Those ten do count.
  leave(22);
  expect(await world.sync()).toMatchObject({
    body: { held: { removals: { count: 1, limit: 10, reason: 'window_limit_exceeded' } } },
  });
});

test('an empty register is believed when an admin approves it, and only then', async () => {
  leave(...range(1, 35));
  const { body } = await world.sync();
  expect(body).toMatchObject({ held: { removals: { count: 35, reason: 'snapshot_empty' } } });
  // Not even the probe for the detail endpoint finds anybody, so a second walk answers for it.
  expect(await world.sync({ plan: body.plan })).toMatchObject({
    status: 200,
    body: { status: 'success', members_removed: 35 },
  });
  expect(await world.active()).toEqual([]);
});
