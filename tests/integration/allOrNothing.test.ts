import { SyncError } from '../../lib/errors.ts';
import { dump } from '../support/database.ts';
import { changeRegister } from '../support/register.ts';
import { readMembers } from '../support/rows.ts';
import { onServer } from '../support/server.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 30, pageSize: 10, maxPageSize: 10 });
});
beforeEach(async () => {
  await world.reset();
});

const query = (statement: string) => world.database.query(statement);

describe('when the database fails in the middle of applying', () => {
  const fail = `create or replace function public.fail() returns trigger language plpgsql as
    $$ begin perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(10); return new; end $$`;
  // A cancellation is nobody's refusal: what a member's row is refused for, refusals.test.ts has.
  const moments = [
    {
      name: 'the audit trail of changes',
      on: 'insert on public.member_changes',
      when: "new.action = 'update'",
    },
    {
      name: 'the audit trail of additions',
      on: 'insert on public.member_changes',
      when: "new.action = 'add'",
    },
    { name: 'an update of a member', on: 'update on public.members', when: 'new.is_active' },
    { name: 'a removal', on: 'update on public.members', when: 'not new.is_active' },
    { name: 'an addition', on: 'insert on public.members', when: 'true' },
    { name: 'the outbox', on: 'insert on public.notification_outbox', when: 'true' },
    { name: "the run's own row", on: 'update on public.sync_log', when: "new.status = 'success'" },
  ];

  test.each(moments)('$name: nothing of the run is there afterwards', async ({ on, when }) => {
    await world.run();
    const undo = await changeRegister(world);
    await query(fail);
    await query(
      `create trigger fail before ${on} for each row when (${when}) execute function public.fail()`,
    );
    const { sync_log: _before, ...before } = await dump(world.database.url);
    const settings = {
      NOTIFY_URLS: `${world.django.url}/hook`,
      NOTIFY_SECRET: `whsec_${'A'.repeat(32)}`,
    };
    const failed = world.run({}, { settings });
    await expect(failed).rejects.toMatchObject({ code: 'database_unavailable' });
    const { sync_log: _after, ...after } = await dump(world.database.url);
    await query(`drop trigger fail on ${on.split(' on ')[1]}`);

    expect(after).toEqual(before);
    expect(await world.lastRun()).toMatchObject({
      status: 'failed',
      error_count: 1,
      members_added: 0,
      members_updated: 0,
      progress: null,
      finished_at: expect.any(Date),
      details: {
        error: { code: 'database_unavailable', message: expect.any(String) },
      },
    });
    expect(await world.run()).toMatchObject({
      members_added: 1,
      members_updated: 1,
      members_reactivated: 1,
      members_removed: 1,
    });
    undo();
  });
});

describe('when a run is told to stop', () => {
  test('it ends at once, changes nothing and is closed in the log', async () => {
    await world.run();
    const undo = await changeRegister(world);
    const before = await readMembers(world.database);
    const controller = new AbortController();
    // The register never answers, and the run does not wait for it.
    world.django.misbehave({ kind: 'hang' });
    world.django.behaviour.onRequest = () =>
      controller.abort(new SyncError('interrupted', 'Being stopped.'));
    const run = world.run({}, { signal: controller.signal });
    await expect(run).rejects.toMatchObject({ code: 'interrupted', runId: expect.any(Number) });
    undo();
    expect(await readMembers(world.database)).toEqual(before);
    expect(await world.lastRun()).toMatchObject({
      status: 'failed',
      details: { error: { code: 'interrupted' } },
    });
  });
});

test('a run that loses the database while it walks is left pending, and the next one closes it', async () => {
  await world.run();
  const undo = await changeRegister(world);
  const before = await readMembers(world.database);
  const [row] = await query('select current_database() as name');
  const connections = (allowed: boolean) =>
    onServer(`alter database ${row?.['name']} allow_connections ${allowed}`);
  let once = false;
  world.django.behaviour.onRequest = async ({ query: { page } }) => {
    if (page !== '2' || once) return;
    once = true;
    await connections(false);
    await query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'membership-sync'`);
  };
  const lost = await world.run().catch((error: unknown) => error);
  await connections(true);
  expect(lost).toMatchObject({ code: 'database_unavailable', runId: expect.any(Number) });
  expect(await readMembers(world.database)).toEqual(before);
  const pending = await world.lastRun();
  expect(pending).toMatchObject({ status: 'pending' });
  expect(world.logged.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['run_left_pending', 'notifications_postponed']),
  );

  expect(await world.run()).toMatchObject({ members_added: 1, members_removed: 1 });
  undo();
  const [closed] = await query(
    `select status, details from public.sync_log where id = ${pending['id']}`,
  );
  expect(closed).toMatchObject({ status: 'failed', details: { error: { code: 'abandoned' } } });
});
