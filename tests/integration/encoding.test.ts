import { createEmptyDatabase, runMigrations, type TestDatabase } from '../support/database.ts';
import { createWorld, type World } from '../support/world.ts';

// Databases of older organisations are not in UTF-8: what they cannot hold is one row, and nobody else's business.
describe.each(['LATIN1', 'LATIN9', 'WIN1252', 'SQL_ASCII'])('a database in %s', (encoding) => {
  let database: TestDatabase;
  let world: World;
  beforeAll(async () => {
    database = await createEmptyDatabase(encoding);
    await runMigrations(database.url);
    world = await createWorld({
      members: 30,
      pageSize: 100,
      database,
      settings: { DATABASE_URL: database.url, SYNC_CONFIRM_REMOVALS: 'never' },
    });
  });
  // The last one holds bytes as they come.
  const holdsAll = encoding === 'SQL_ASCII';

  test('holds what it can: each other change is made, and who has another letter is named', async () => {
    const { members } = world.django;
    members.add({ id: 40, name: 'Śárka Łukaszdóttir 😀' });
    const first = (await world.post('syncScheduled')).body;
    expect(first).toMatchObject({
      status: holdsAll ? 'success' : 'partial',
      members_added: holdsAll ? 31 : 30,
    });
    members.update(1, { kennitala: '1102870169' });
    members.update(2, { name: 'Łukasz' });
    members.update(3, { name: 'Þórey Æsa Óðinsdóttir' });
    members.remove(4);
    members.add({ id: 41 });
    const { body } = await world.post('syncScheduled');
    expect(body).toMatchObject({
      members_added: 1,
      members_removed: 1,
      members_kennitala_changed: 1,
    });
    const named = body.errors?.map(({ code, external_id }) => [code, external_id]);
    expect(named).toEqual(
      holdsAll
        ? []
        : [
            ['invalid_encoding', '2'],
            ['invalid_encoding', '40'],
          ],
    );
    const [row] = await database.query(
      `select name, is_active from public.members where external_id = '3'`,
    );
    expect(row).toEqual({ name: 'Þórey Æsa Óðinsdóttir', is_active: true });
    expect((await world.post('syncScheduled', { undo: body.run_id })).status).toBe(200);
    expect((await world.get('syncStatus')).body).toMatchObject({
      attention: expect.arrayContaining(
        holdsAll ? [] : [expect.objectContaining({ code: 'records_set_aside', count: 2 })],
      ),
    });
    const call = await world.post('syncScheduled', { external_ids: ['40', '41'] });
    expect(call.status).toBe(200);
  });

  test('an id that it does not have is named nowhere, and stops nobody', async () => {
    await world.reset(30);
    await world.run();
    world.django.members.addRaw({ id: 'Łx1', kennitala: '0101302989', is_active: 'já' });
    world.django.members.addRaw({ id: 'Ły2', kennitala: null, name: 'Einhver' });
    world.django.members.remove(4);
    const { body } = await world.post('syncScheduled');
    expect(body).toMatchObject({ status: 'partial', members_removed: 1, error_count: 2 });
    const ids = body.errors?.map(({ external_id }) => external_id);
    expect(ids).toEqual(holdsAll ? ['Łx1', 'Ły2'] : [null, null]);
    const asked = await world.get(`syncLogs?external_id=${encodeURIComponent('Łx1')}`);
    expect(asked.status).toBe(holdsAll ? 200 : 503);
    if (!holdsAll) expect(asked.body.error?.message).toMatch(/has no such character.*\(22P05\)/);
  });
});
