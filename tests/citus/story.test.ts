import { type Citus, createCitusDatabase } from '../support/citus.ts';
import { createTestDatabase } from '../support/database.ts';
import { createWorld } from '../support/world.ts';
import { type Chapter, tellStory } from './story.ts';

const citus = process.env['TEST_CITUS_URL'];
const where = citus ? test : test.skip;
if (!citus) {
  console.info(
    'skipped on Citus: TEST_CITUS_URL names no coordinator (a database of its own, with the extension, the coordinator and its workers as nodes)',
  );
}

jest.setTimeout(300_000);

let plain: Chapter[];
test('the story on one PostgreSQL', async () => {
  plain = await tellStory(await createTestDatabase());
  expect(plain.map(({ name, results }) => [name, results.map(statusOf)])).toEqual([
    ['a first load', ['success']],
    ['nothing changed', ['success']],
    ['one change of each class', ['success', 'success']],
    ['held and approved', ['held', 'success']],
    ['undone, and held from then on', ['held', 'success', 'held']],
    ['members named in a call', ['success']],
    ['an incremental run', [expect.any(String)]],
    ['killed, and run again', [expect.any(String)]],
    ['a plan that another service made outdated', [expect.any(String)]],
  ]);
});
const statusOf = (result: object) => (result as { status: string }).status;

where.each<Citus>(['coordinator', 'local', 'reference'])(
  'the same story on Citus, with members placed as %s',
  async (placement) => {
    const story = await tellStory(await createCitusDatabase(placement));
    for (const [index, chapter] of story.entries()) expect(chapter).toEqual(plain[index]);
  },
);

where('a run refuses distributed members, and changes nothing', async () => {
  const world = await createWorld({
    database: await createCitusDatabase('distributed'),
    members: 5,
  });
  await expect(world.run()).rejects.toMatchObject({
    code: 'database_unavailable',
    message: expect.stringContaining('create_reference_table'),
  });
  expect(await world.members()).toEqual([]);
});

where.each(['sync_log', 'member_changes', 'notification_outbox'])(
  'a run refuses a distributed %s',
  async (table) => {
    const database = await createCitusDatabase('reference');
    const key = table === 'member_changes' ? 'run_id' : 'id';
    if (table === 'notification_outbox') {
      await database.query(
        'alter table public.notification_outbox drop constraint notification_outbox_webhook_id_receiver_key',
      );
    }
    await database.query(`select create_distributed_table('public.${table}', '${key}')`);
    const world = await createWorld({ database, members: 5 });
    await expect(world.run()).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining(`public.${table}`),
    });
  },
);
