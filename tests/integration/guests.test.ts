import type { Row } from '../support/database.ts';
import { createWorld, type World } from '../support/world.ts';

// A row of another service is linked by its kennitala, which may have been given to a member by mistake.
const GUEST = '0101302989';
const OTHER = '0101303019';

let world: World;
let before: Row[];
beforeAll(async () => {
  world = await createWorld({ pageSize: 100 });
});
beforeEach(async () => {
  await world.reset(35);
  await world.sync();
  await world.database.query(
    `insert into public.members (kennitala, name, email, phone, sync_source, metadata)
     values ('${GUEST}', 'Gestur Gestsson', 'gestur@felagi.example', '+354 555 5555', 'events', '{"ballot":"guest"}')`,
  );
  before = await world.members();
});

const kennitalaOf = (id: number) => world.django.members.get(id)?.kennitala;
const give = (id: number, kennitala: string | undefined) =>
  world.django.members.update(id, { kennitala });
const guest = async () =>
  (await world.members()).find((row) => row['sync_source'] === 'events') as Row;
const guestBefore = () => before.find((row) => row['sync_source'] === 'events') as Row;

test.each([
  { how: 'full runs', body: {} },
  { how: 'calls for that member', body: { external_ids: ['7'] } },
])(
  'with $how a mistake that is corrected leaves nothing in the row of a guest',
  async ({ body }) => {
    const own = kennitalaOf(7);
    give(7, GUEST);
    expect(await world.sync(body)).toMatchObject({
      body: { members_removed: 1, members_updated: 1 },
    });
    expect(await guest()).toMatchObject({
      external_id: '7',
      email: world.django.members.get(7)?.email,
    });

    give(7, own);
    const look = await world.post('syncDryRun', { ...body, details: true });
    expect(look.body.changes).toContainEqual({
      action: 'update',
      external_id: null,
      kennitala: `${GUEST.slice(0, 6)}-****`,
      fields: ['name', 'email', 'phone', 'external_id'],
      name: 'Gestur Gestsson',
      before: expect.objectContaining({ external_id: '7' }),
      after: expect.objectContaining({ external_id: null, email: 'gestur@felagi.example' }),
      reason: expect.stringContaining('the member that this row was linked to'),
    });
    expect(await world.sync(body)).toMatchObject({
      body: { status: 'success', members_reactivated: 1, members_updated: 1 },
    });
    expect(await world.members()).toEqual(before);
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 0 } });
    expect(await world.members()).toEqual(before);
    expect(await world.get('syncStatus')).toMatchObject({ body: { status: 'ok', attention: [] } });
  },
);

test('who gets a third kennitala after the mistake has the own row again, and the guest keeps the other', async () => {
  give(7, GUEST);
  await world.sync();
  give(7, OTHER);
  expect(await world.sync()).toMatchObject({
    body: { members_reactivated: 1, members_updated: 1 },
  });
  const own = before.find((row) => row['external_id'] === '7');
  expect(await world.members()).toEqual(
    before.map((row) => (row === own ? { ...row, kennitala: OTHER } : row)),
  );
});

test('a mistake that goes from one member to another leaves nothing of either', async () => {
  const [seventh, eighth] = [kennitalaOf(7), kennitalaOf(8)];
  give(7, GUEST);
  await world.sync();
  give(7, seventh);
  give(8, GUEST);
  await world.sync();
  expect(await guest()).toMatchObject({ external_id: '8' });
  give(8, eighth);
  await world.sync();
  expect(await world.members()).toEqual(before);
});

test('what the other service has written since the mistake stays', async () => {
  const own = kennitalaOf(7);
  give(7, GUEST);
  await world.sync();
  await world.database.query(
    "update public.members set email = 'nytt@felagi.example' where sync_source = 'events'",
  );
  give(7, own);
  await world.sync();
  expect(await guest()).toMatchObject({ ...guestBefore(), email: 'nytt@felagi.example' });
});

test('without the audit trail of the mistake the row loses its Django id alone', async () => {
  const own = kennitalaOf(7);
  give(7, GUEST);
  await world.sync();
  const linked = await guest();
  await world.database.query('delete from public.member_changes');
  give(7, own);
  await world.sync();
  expect(await guest()).toEqual({ ...linked, external_id: null });
});

test('a linked row goes on with its member to a kennitala that nobody has', async () => {
  world.django.members.add({ id: 36, kennitala: GUEST, name: 'Gestur Gestsson' });
  await world.sync();
  give(36, OTHER);
  expect(await world.sync()).toMatchObject({ body: { members_kennitala_changed: 1 } });
  expect(await guest()).toMatchObject({ external_id: '36', kennitala: OTHER });
});
