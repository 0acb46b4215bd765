import { startBundle } from '../support/bundle.ts';
import { get, post } from '../support/http.ts';
import { until } from '../support/until.ts';
import { createWorld, smallPages } from '../support/world.ts';

// The real process, killed or stopped while it walks a slow register.
test('a run whose process is killed changes nothing, and the next one is right and closes it', async () => {
  const { database, django, settings } = await createWorld({ ...smallPages, members: 40 });
  const [victim, next, status] = await Promise.all([
    startBundle('syncScheduled', settings),
    startBundle('syncScheduled', settings),
    startBundle('syncStatus', settings),
  ]);
  expect((await post(victim.url)).body).toMatchObject({ members_added: 40 });
  django.members.remove(1);
  django.members.update(2, { name: 'Nýtt Nafn' });
  django.members.add({ id: 99 });
  const members = () =>
    database.query('select external_id, name, is_active from public.members order by id');
  const before = await members();

  // The second page does not come before the process is gone.
  let release = () => {};
  const gone = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    django.behaviour.onRequest = ({ query }) => {
      if (query['page'] !== '2') return undefined;
      resolve();
      return gone;
    };
  });
  const lost = post(victim.url).catch(() => 'no answer');
  await asked;
  await until(async () => (await get(status.url)).body['running']?.['phase' as never] === 'fetch');
  await victim.kill('SIGKILL');
  release();
  django.behaviour.onRequest = () => undefined;
  expect(await lost).toBe('no answer');
  expect(await members()).toEqual(before);
  const [pending] = await database.query(
    'select id, status from public.sync_log order by id desc limit 1',
  );
  expect(pending).toMatchObject({ status: 'pending' });
  // The server ends the session of a dead client by itself.
  await until(async () => (await get(status.url)).body['running'] === null);
  expect((await get(status.url)).body).toMatchObject({ status: 'failing', running: null });

  const reply = await post(next.url);
  expect([reply.status, reply.body]).toEqual([
    200,
    expect.objectContaining({
      status: 'success',
      members_added: 1,
      members_updated: 1,
      members_removed: 1,
      members_verified: 39,
    }),
  ]);
  const [closed] = await database.query(
    'select status, error_count, progress, finished_at, details from public.sync_log where id = $1',
    [pending?.['id']],
  );
  expect(closed).toMatchObject({
    status: 'failed',
    error_count: 1,
    progress: null,
    finished_at: expect.any(Date),
    details: { error: { code: 'abandoned' } },
  });
  expect((await get(status.url)).body).toMatchObject({ status: 'ok', consecutive_failures: 0 });
});

test('a run that is told to stop answers, closes its row, and lets the next one in', async () => {
  const { database, django, settings } = await createWorld({ ...smallPages, members: 20 });
  const [stopped, next] = await Promise.all([
    startBundle('syncScheduled', settings),
    startBundle('syncScheduled', settings),
  ]);
  const asked = new Promise<void>((resolve) => {
    django.behaviour.onRequest = ({ query }) => {
      if (query['page'] === '2') resolve();
    };
  });
  const end = django.misbehave({ kind: 'hang', when: ({ query }) => query['page'] === '2' });
  const reply = post(stopped.url);
  await asked;
  await stopped.kill('SIGTERM');
  expect(await reply).toMatchObject({ status: 503, body: { error: { code: 'interrupted' } } });
  const rows = await database.query('select status, details from public.sync_log');
  expect(rows).toEqual([
    expect.objectContaining({
      status: 'failed',
      details: expect.objectContaining({
        error: expect.objectContaining({ code: 'interrupted' }),
      }),
    }),
  ]);
  end();
  expect((await post(next.url)).body).toMatchObject({ status: 'success', members_added: 20 });
});
