import {
  ADMIN_KEY,
  createSystem,
  memberAsked,
  range,
  type System,
} from '../support/reliability.ts';

let system: System;
beforeAll(async () => {
  system = await createSystem();
});
beforeEach(async () => {
  await system.reset();
  expect(await system.sync()).toMatchObject({ body: { status: 'success', members_added: 35 } });
});

const leave = (...ids: number[]) => {
  for (const id of ids) system.django.members.remove(id);
};
// Eleven of 35 are more than the ten that no limit stops.
const holdRemovals = () => leave(...range(1, 11));

test('the digest is the same for the same members and register, whoever asks and however often', async () => {
  leave(1, 2);
  system.django.members.add({ id: 90, name: 'Ný' });
  system.django.members.update(5, { name: 'Annað Nafn' });
  const first = await system.dryRun();
  const second = await system.dryRun({ limit: 1 });
  const run = await system.sync();
  expect(first.body.plan).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect([second.body.plan, run.body.plan]).toEqual([first.body.plan, first.body.plan]);
  expect((await system.lastRun())['plan']).toBe(first.body.plan);

  // The same register in front of the same members: the plan has the same name in another database.
  await system.reset();
  await system.sync();
  leave(1, 2);
  system.django.members.add({ id: 90, name: 'Ný' });
  system.django.members.update(5, { name: 'Annað Nafn' });
  expect((await system.dryRun()).body.plan).toBe(first.body.plan);
});

let person: (id: number) => Record<string, unknown>;
const personsNow = () => {
  const copy = new Map(system.django.members.list().map((record) => [record.id, { ...record }]));
  return (id: number) => copy.get(id) ?? {};
};

const alterations: [string, () => void][] = [
  ['one more member left', () => leave(20)],
  [
    'another member left instead',
    () => {
      system.django.members.add({ ...person(1) });
      leave(20);
    },
  ],
  ['one more member joined', () => void system.django.members.add({ id: 91 })],
  [
    'the new member has another kennitala',
    () => void system.django.members.update(90, { kennitala: '0000000091' }),
  ],
  [
    'the new member has another Django id',
    () => {
      system.django.members.remove(90);
      system.django.members.add({ id: 91, kennitala: '0000000090', name: 'Ný', email: null });
    },
  ],
  [
    'the new member has an e-mail address',
    () => void system.django.members.update(90, { email: 'ny@felagi.example' }),
  ],
  [
    'the new name is spelt otherwise',
    () => void system.django.members.update(5, { name: 'Annad Nafn' }),
  ],
  [
    'a phone number went with the new name',
    () => void system.django.members.update(5, { phone: null }),
  ],
];
test.each(alterations)('the digest is another when %s', async (_, alter) => {
  person = personsNow();
  leave(1);
  system.django.members.add({ id: 90, kennitala: '0000000090', name: 'Ný', email: null });
  system.django.members.update(5, { name: 'Annað Nafn', phone: '+354 011 1111' });
  const { plan } = (await system.dryRun()).body;
  alter();
  const { body } = await system.dryRun();
  expect(body.plan).toMatch(/^sha256:/);
  expect(body.plan).not.toBe(plan);
});

test('what a dry run shows as held is applied when its plan is approved, and the log says by whom', async () => {
  holdRemovals();
  const seen = await system.dryRun();
  expect(seen.body).toMatchObject({
    status: 'held',
    members_removed: 0,
    held: { removals: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  });
  expect(seen.body.changes?.map(({ held }) => held)).toEqual(Array(11).fill('limit_exceeded'));
  expect(await system.sync()).toMatchObject({ status: 200, body: { status: 'held' } });
  expect(await system.active()).toEqual(range(1, 35));

  const approved = await system.sync({ plan: seen.body.plan });
  expect([approved.status, approved.body]).toEqual([
    200,
    expect.objectContaining({ status: 'success', members_removed: 11, plan: seen.body.plan }),
  ]);
  expect(approved.body.held).toBeUndefined();
  expect(await system.active()).toEqual(range(12, 35));
  expect((await system.lastRun()).details).toMatchObject({ approved_by: 'admin-key' });
  expect(system.logged()).toContainEqual(
    expect.objectContaining({
      event: 'plan_approved',
      severity: 'NOTICE',
      caller: 'admin-key',
      plan: seen.body.plan,
      run_id: approved.body.run_id,
    }),
  );
});

test('an approval of a plan that has changed since is refused with the new digest, and changes nothing', async () => {
  holdRemovals();
  const { plan } = (await system.dryRun()).body;
  leave(12);
  const before = await system.members();
  const refused = await system.sync({ plan });
  const now = (await system.dryRun()).body.plan;
  expect(refused).toMatchObject({
    status: 409,
    body: { error: { code: 'plan_changed', plan: now } },
  });
  expect(now).not.toBe(plan);
  expect(await system.members()).toEqual(before);
  expect(await system.changes(refused.body.error?.run_id)).toEqual([]);
  expect(await system.lastRun()).toMatchObject({
    id: refused.body.error?.run_id,
    status: 'refused',
    details: { error: { code: 'plan_changed' } },
  });
  expect(JSON.stringify((await system.lastRun()).details)).not.toContain(ADMIN_KEY);
  expect(await system.sync({ plan: now })).toMatchObject({
    status: 200,
    body: { members_removed: 12 },
  });
});

test('a removal that the register does not confirm is not made, approved or not', async () => {
  holdRemovals();
  const { plan } = (await system.dryRun()).body;
  system.django.misbehave({ kind: 'status', status: 500, when: (one) => memberAsked(one) === '4' });
  const approved = await system.sync({ plan });
  expect(approved).toMatchObject({
    status: 200,
    body: { status: 'partial', members_removed: 10, removals_unconfirmed: 1 },
  });
  expect(approved.body.errors).toEqual([
    { code: 'removal_unconfirmed', external_id: '4', message: expect.any(String) },
  ]);
  expect(await system.active()).toEqual([4, ...range(12, 35)]);
});

test('an approved run leaves the next ones all of their limits', async () => {
  holdRemovals();
  const { plan } = (await system.dryRun()).body;
  expect(await system.sync({ plan })).toMatchObject({ body: { members_removed: 11 } });
  leave(...range(12, 21));
  expect(await system.sync()).toMatchObject({ body: { status: 'success', members_removed: 10 } });
  // Those ten do count.
  leave(22);
  expect(await system.sync()).toMatchObject({
    body: { held: { removals: { count: 1, limit: 10, reason: 'window_limit_exceeded' } } },
  });
});

test('an empty register is believed when an admin approves it, and only then', async () => {
  leave(...range(1, 35));
  const { body } = await system.sync();
  expect(body).toMatchObject({ held: { removals: { count: 35, reason: 'snapshot_empty' } } });
  // Not even the probe for the detail endpoint finds anybody, so a second walk answers for it.
  expect(await system.sync({ plan: body.plan })).toMatchObject({
    status: 200,
    body: { status: 'success', members_removed: 35 },
  });
  expect(await system.active()).toEqual([]);
});
