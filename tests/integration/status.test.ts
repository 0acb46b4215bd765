import { readLogs } from '../../functions/logs/logs.ts';
import { readStatus, type SyncStatus } from '../../functions/status/status.ts';
import { closePool, connect } from '../../lib/database.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import { SYNC_LOCK, takeLock } from '../../lib/sync/lock.ts';
import { openSession } from '../../lib/sync/session.ts';
import { noSessionLeft } from '../support/database.ts';
import { contextOf } from '../support/run.ts';
import { createWorld, type World } from '../support/world.ts';

const rules = { intervalMinutes: 60, withinMinutes: 60 };

let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 40, pageSize: 5, maxPageSize: 5 });
});
beforeEach(async () => {
  await world.reset();
});
afterAll(closePool);

const credential = () => fixedCredential(world.database.url);
const status = () => readStatus(credential(), rules);
const codes = async () => (await status()).attention.map(({ code }) => code);
/** Lets time pass for every run until now. */
const pass = (minutes: number) =>
  world.database.query(
    `update public.sync_log set sync_timestamp = sync_timestamp - make_interval(mins => $1::int)`,
    [minutes],
  );
const failOnce = async () => {
  const end = world.django.misbehave({ kind: 'status', status: 500 });
  await expect(world.run()).rejects.toMatchObject({ code: 'django_error' });
  end();
};

test('the first two calls of an instance at once share one pool, and leave no connection behind', async () => {
  await closePool();
  await Promise.all([status(), status()]);
  await closePool();
  await noSessionLeft(world.database);
});

describe('the status', () => {
  test('of an empty database is never_synced', async () => {
    expect(await status()).toMatchObject({
      status: 'never_synced',
      running: null,
      last_run: null,
      last_success: null,
      next_due_at: null,
      consecutive_failures: 0,
      members: { active: 0, suspended: 0, left: 0, other_sources: 0 },
      notifications: { pending: 0, dead: 0 },
    });
  });

  test('shows what a call for single members holds, until it is approved or a full run has judged it', async () => {
    await world.run();
    const externalIds = Array.from({ length: 12 }, (_, n) => String(n + 1));
    for (const id of externalIds) world.django.members.remove(Number(id));
    const { plan, run_id } = await world.run({ externalIds });
    const held = { removals: { count: 12, limit: 10, reason: 'limit_exceeded' } };
    expect(await status()).toMatchObject({
      status: 'attention',
      attention: [{ code: 'held', count: 12, run_id, since: expect.any(String) }],
      held: { run_id, classes: held, plan, next_step: expect.stringContaining('full run') },
      election: { may_open: false },
    });
    await world.run({ externalIds, approvedPlan: plan });
    expect(await status()).toMatchObject({ status: 'ok', held: null });

    for (const id of [21, 22, 23]) world.django.members.remove(id);
    expect(await world.run({ externalIds: ['21', '22', '23'] })).toMatchObject({
      status: 'success',
    });
    for (let id = 24; id < 36; id += 1) world.django.members.remove(id);
    const more = Array.from({ length: 12 }, (_, n) => String(n + 24));
    expect(await world.run({ externalIds: more })).toMatchObject({ status: 'held' });
    const full = await world.run({ mode: 'full' });
    expect(await status()).toMatchObject({ held: { run_id: full.run_id, plan: full.plan } });
    await world.reset(40);
  });

  test('shows what such a call holds until each part of it is approved', async () => {
    await world.run();
    const ids = Array.from({ length: 12 }, (_, n) => String(n + 900));
    for (const id of ids) world.django.members.add({ id: Number(id) });
    for (let id = 1; id <= 12; id += 1) world.django.members.remove(id);
    const externalIds = [...ids, ...Array.from({ length: 12 }, (_, n) => String(n + 1))];
    const all = await world.run({ externalIds });
    expect(all.held).toMatchObject({ removals: { count: 12 }, additions: { count: 12 } });
    const half = await world.run({
      externalIds,
      approvedPlan: all.plan,
      approvedClasses: ['removals'],
    });
    expect(half).toMatchObject({ status: 'held', members_removed: 12 });
    expect(await status()).toMatchObject({ status: 'attention', held: { plan: half.plan } });
    await world.run({ externalIds, approvedPlan: half.plan });
    expect(await status()).toMatchObject({ status: 'ok', held: null });
    await world.reset(40);
  });

  test('after a run is ok, with the run, the members and when the next one is due', async () => {
    const result = await world.run();
    await world.database.query(
      `update public.members set is_active = case when id % 2 = 0 then false end,
        removed_at = case when id = 4 then now() end, sync_source = case when id > 1 then 'django' end
      where id <= 4`,
    );
    expect(await status()).toMatchObject({
      status: 'ok',
      running: null,
      last_run: { id: result.run_id, status: 'success', sync_timestamp: result.timestamp },
      last_success: { id: result.run_id, members_added: 40 },
      next_due_at: new Date(
        Date.parse(result.timestamp) + rules.intervalMinutes * 60_000,
      ).toISOString(),
      consecutive_failures: 0,
      members: { active: 36, suspended: 2, left: 1, other_sources: 1 },
      attention: [],
      election: { may_open: true, reasons: [] },
    });
  });

  test('is stale when two runs were missed', async () => {
    await world.run();
    await pass(69);
    expect(await status()).toMatchObject({ status: 'ok' });
    await pass(60);
    expect(await status()).toMatchObject({
      status: 'attention',
      attention: [{ code: 'run_missing' }],
    });
    await pass(2);
    expect(await status()).toMatchObject({ status: 'stale' });
  });

  test('does not take a run of the future for a recent one', async () => {
    await world.run();
    await pass(-180);
    const tooOld = { code: 'full_run_too_old', message: expect.stringContaining('in the future') };
    expect(await status()).toMatchObject({
      status: 'stale',
      election: { may_open: false, reasons: expect.arrayContaining([tooOld]) },
    });
  });

  test('counts staleness from the last complete run, not from one for a single member', async () => {
    await world.run();
    await pass(180);
    expect(await world.run({ externalIds: ['3'] })).toMatchObject({ mode: 'selected' });
    expect(await status()).toMatchObject({ status: 'stale', last_run: { mode: 'selected' } });
  });

  test('is failing from the first failed run to the next good one', async () => {
    const good = await world.run();
    await failOnce();
    await failOnce();
    expect(await status()).toMatchObject({
      status: 'failing',
      consecutive_failures: 2,
      last_run: { status: 'failed', details: { error: { code: 'django_error' } } },
      last_success: { id: good.run_id },
    });
    await world.run();
    expect(await status()).toMatchObject({ status: 'ok', consecutive_failures: 0 });
  });

  test('is failing, not never_synced, when the only run failed', async () => {
    await failOnce();
    expect(await status()).toMatchObject({ status: 'failing', last_success: null });
  });

  test('does not count a refused request as a failure of the sync', async () => {
    await world.run();
    await expect(world.run({ mode: 'incremental' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(await status()).toMatchObject({ status: 'ok', last_run: { status: 'refused' } });
  });

  test('is failing when a run was left pending by a process that is gone', async () => {
    await world.run();
    await world.database.query(`insert into public.sync_log (sync_type) values ('membership')`);
    expect(await status()).toMatchObject({
      status: 'failing',
      running: null,
      consecutive_failures: 1,
    });
    await world.run();
    expect(await status()).toMatchObject({ status: 'ok' });
    const [abandoned] = await world.database.query(
      `select status, details, error_count, progress from public.sync_log where status = 'failed'`,
    );
    expect(abandoned).toMatchObject({ error_count: 1, details: { error: { code: 'abandoned' } } });
    expect(world.logged.map(({ event }) => event)).toContain('run_abandoned');
  });

  test('is running from the first row of a run, before there is any progress', async () => {
    const context = contextOf(world.settings, () => undefined);
    const other = await openSession(context);
    await takeLock(other, context);
    const [row] = await world.database.query(
      `insert into public.sync_log (sync_type) values ('membership') returning id`,
    );
    const now = await status();
    await other.end();
    expect(now).toMatchObject({
      status: 'running',
      running: {
        run_id: row?.['id'],
        phase: 'starting',
        pages_done: 0,
        pages_total: null,
        members_fetched: 0,
      },
    });
  });

  test('shows how far a slow walk has come, and then the phase of applying', async () => {
    world.django.behaviour.latencyMs = 300;
    const run = world.run({}, { settings: { DJANGO_CONCURRENCY: '1' } });
    let ended = false;
    run.finally(() => {
      ended = true;
    });
    const seen: NonNullable<SyncStatus['running']>[] = [];
    while (!ended) {
      const { status: state, running } = await status();
      if (running) {
        expect(state).toBe('running');
        seen.push(running);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const result = await run;
    expect(new Set(seen.map(({ run_id }) => run_id))).toEqual(new Set([result.run_id]));
    const walked = seen.filter(({ phase }) => phase === 'fetch');
    const pages = [...new Set(walked.map(({ pages_done }) => Number(pages_done)))];
    // Eight pages at 300 ms, told every half second: some way between nothing and everything.
    expect(pages.length).toBeGreaterThanOrEqual(3);
    expect(pages).toEqual([...pages].sort((a, b) => a - b));
    const midway = walked.find(({ pages_done }) => Number(pages_done) > 0);
    expect(midway).toMatchObject({
      pages_total: 8,
      members_fetched: 5 * Number(midway?.['pages_done']),
      started_at: result.timestamp,
    });
    expect(await status()).toMatchObject({ status: 'ok', running: null });
  });

  test('comes also after the server has ended the connections that it was read with', async () => {
    expect(await status()).toMatchObject({ status: 'never_synced' });
    await world.database.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'membership-sync'`);
    expect(await status()).toMatchObject({ status: 'never_synced' });
  });
});

describe('attention', () => {
  const strict = { settings: { SYNC_LIMIT_FLOOR: '0' } };
  /** Two members leave, which is held; they are back in the register after the test. */
  const hold = async () => {
    const deleted = [world.django.members.get(1), world.django.members.get(2)];
    for (const id of [1, 2]) world.django.members.remove(id);
    const held = await world.run({}, strict);
    expect(held.status).toBe('held');
    return { held, comeBack: () => deleted.map((one) => one && world.django.members.add(one)) };
  };

  test('names what a run holds, since when, and the plan to approve, until it is approved', async () => {
    await world.run();
    const { held, comeBack } = await hold();
    const again = await world.run({}, strict);
    expect(await status()).toMatchObject({
      status: 'attention',
      held: {
        run_id: again.run_id,
        plan: held.plan,
        classes: { removals: { count: 2, reason: 'limit_exceeded' } },
      },
      attention: [{ code: 'held', count: 2, since: held.timestamp, run_id: again.run_id }],
      election: { may_open: false, reasons: [{ code: 'held' }] },
    });
    await world.run({ approvedPlan: again.plan }, strict);
    expect(await status()).toMatchObject({ status: 'ok', held: null, attention: [] });
    comeBack();
  });

  test('is not hidden by a call for one member, by a refused approval or by an undo', async () => {
    await world.run();
    world.django.members.update(7, { name: 'Nýtt Nafn' });
    const renamed = await world.run({ externalIds: ['7'] });
    const { held, comeBack } = await hold();
    await world.run({ externalIds: ['3'] });
    expect(await codes()).toEqual(['held']);
    await expect(
      world.run({ approvedPlan: `sha256:${'0'.repeat(64)}` }, strict),
    ).rejects.toMatchObject({ code: 'plan_changed' });
    expect(await codes()).toEqual(['held']);
    await world.run({ undo: Number(renamed.run_id) });
    expect(await status()).toMatchObject({
      status: 'attention',
      held: { run_id: held.run_id },
      attention: [{ code: 'held' }, { code: 'undone', count: 1 }],
    });
    comeBack();
  });

  test('of a full run is not settled by an incremental one, which sees nobody who is gone', async () => {
    await world.run();
    const { held, comeBack } = await hold();
    await world.database.query(
      `insert into public.sync_log (sync_type, mode, status, finished_at) values ('membership', 'incremental', 'success', now())`,
    );
    expect(await status()).toMatchObject({ status: 'attention', held: { run_id: held.run_id } });
    comeBack();
    await world.run();
    expect(await status()).toMatchObject({ status: 'ok', held: null });
  });

  test('comes from a full run that fails, whatever its type', async () => {
    await world.run();
    const end = world.django.misbehave({ kind: 'status', status: 500 });
    await expect(world.run({ syncType: 'webhook' })).rejects.toMatchObject({
      code: 'django_error',
    });
    expect(await status()).toMatchObject({ status: 'failing', consecutive_failures: 1 });
    end();
  });

  test('names who holds our lock under our name while no run goes on', async () => {
    await world.run();
    await world.database.query(
      `update public.sync_log set finished_at = finished_at - interval '1 minute'`,
    );
    const url = new URL(world.database.url);
    url.searchParams.set('application_name', 'membership-sync');
    const thief = await connect(fixedCredential(url.href));
    await thief.query('select pg_advisory_lock($1::bigint)', [SYNC_LOCK]);
    expect(await codes()).toEqual(['lock_held']);
    expect((await status()).election.may_open).toBe(false);
    await thief.end();
  });

  test('does not come from a failed call for one member, whatever its type', async () => {
    await world.run();
    world.django.misbehave({ kind: 'status', status: 500 });
    const call = world.run({ externalIds: ['3'], syncType: 'manual' });
    await expect(call).rejects.toMatchObject({ code: 'django_error' });
    expect(await status()).toMatchObject({ status: 'ok', consecutive_failures: 0 });
  });

  test('names members whom the last complete full run did not see, but no rows of others', async () => {
    await world.run();
    await world.database.query(`insert into public.members (kennitala, name, sync_source, external_id)
      values ('0000000001', 'Gestur', 'hand', null), ('0000000002', 'Óséður', 'django', '4711')`);
    expect(await status()).toMatchObject({
      status: 'attention',
      members: { active: 41, other_sources: 1 },
      attention: [{ code: 'unseen_members', count: 1, since: null }],
    });
  });

  test('names rows that others have written since, whatever they say of when they were seen', async () => {
    await world.run();
    await world.database.query(`insert into public.members (kennitala, name, external_id, last_verified_at)
      values ('0000000002', 'Óséður', '4711', now() at time zone 'UTC' + interval '1 year')`);
    world.django.members.remove(3);
    await world.run({ externalIds: ['3'] });
    expect(await codes()).toEqual(['unseen_members']);
    // Somebody makes a leaver active again whom the last full run has seen.
    await world.database.query(
      `update public.members set is_active = true, removed_at = null where external_id = '3'`,
    );
    expect(await status()).toMatchObject({
      attention: [{ code: 'unseen_members', count: 2 }],
      election: { may_open: false },
    });
    await world.reset(40);
  });

  test('names what runs found to wait, since the first and with the last of them', async () => {
    const run = await world.run();
    await world.database.query(`insert into public.open_findings (code, external_id, records, error_code, message, since, run_id) values
        ('records_set_aside', '', 3, 'invalid_record', '', '2026-01-02T00:00Z', 5),
        ('records_set_aside', '8', 1, 'invalid_name', '', '2026-01-01T00:00Z', 7)`);
    const { attention } = await status();
    expect(attention).toMatchObject([
      { code: 'records_set_aside', count: 4, since: '2026-01-01T00:00:00.000Z', run_id: 7 },
    ]);
    expect(attention[0]?.message).toMatch(/^4 records /);
    expect(run.status).toBe('success');
  });

  test('names a notification that was given up, until the receiver takes a later one', async () => {
    await world.run();
    const write = (state: string, id: string, gone = false) =>
      world.database.query(
        `insert into public.notification_outbox (run_id, receiver, webhook_id, payload, status, receiver_gone)
        values (1, 'https://a.example', $1, '', $2, $3)`,
        [id, state, gone],
      );
    await write('dead', 'a', true);
    await write('pending', 'b', true);
    expect(await status()).toMatchObject({ status: 'ok', election: { may_open: true } });
    await write('dead', 'c');
    await write('pending', 'd');
    expect(await status()).toMatchObject({
      status: 'attention',
      notifications: { pending: 1, dead: 2 },
      attention: [{ code: 'notifications_dead', count: 1, run_id: 1 }],
      election: { reasons: [{ code: 'notifications_dead' }, { code: 'notifications_pending' }] },
    });
    await world.database.query(
      `update public.notification_outbox set status = 'delivered' where webhook_id = 'd'`,
    );
    expect(await status()).toMatchObject({ status: 'ok', election: { may_open: true } });
  });

  test('a plan that was approved without a complete walk is no complete run', async () => {
    const good = await world.run();
    await world.run();
    await world.database.query(
      `update public.sync_log set details = jsonb_set(details, '{snapshot,complete}', 'false') where id > $1`,
      [good.run_id],
    );
    expect(await status()).toMatchObject({ last_success: { id: good.run_id } });
  });
});

describe('the logs', () => {
  const ids = (logs: Record<string, unknown>[]) => logs.map(({ id }) => id);
  const write = async (rows: [type: string, state: string][]) => {
    const written = await world.database.query<{ id: number }>(
      'insert into public.sync_log (sync_type, status) select * from unnest($1::text[], $2::text[]) returning id',
      [rows.map(([type]) => type), rows.map(([, state]) => state)],
    );
    return written.map(({ id }) => id);
  };

  test('of an empty database are empty', async () => {
    expect(await readLogs(credential(), {})).toEqual({ logs: [], next_before: null });
  });

  test('show the whole row of each run, newest first, with times in UTC', async () => {
    const first = await world.run();
    const second = await world.run({ syncType: 'membership' });
    const { logs, next_before } = await readLogs(credential(), {});
    expect(ids(logs)).toEqual([second.run_id, first.run_id]);
    expect(next_before).toBeNull();
    const columns = await world.database.query<{ name: string }>(
      `select column_name as name from information_schema.columns where table_name = 'sync_log'`,
    );
    expect(Object.keys(logs[0] ?? {}).sort()).toEqual(columns.map(({ name }) => name).sort());
    expect(logs[1]).toMatchObject({
      sync_type: 'manual',
      sync_timestamp: first.timestamp,
      status: 'success',
      members_added: 40,
      details: { snapshot: { rows: 40 } },
    });
  });

  test('come a page at a time, and the last page says that it is the last', async () => {
    const written = (await write(Array(45).fill(['membership', 'success']))).reverse();
    const first = await readLogs(credential(), {});
    expect(ids(first.logs)).toEqual(written.slice(0, 20));
    expect(first.next_before).toBe(written[19]);
    const second = await readLogs(credential(), { before: Number(first.next_before), limit: 24 });
    expect(ids(second.logs)).toEqual(written.slice(20, 44));
    const last = await readLogs(credential(), { before: Number(second.next_before), limit: 1 });
    expect(last).toMatchObject({ logs: [{ id: written[44] }], next_before: null });
  });

  test('can be asked for by status and by type, where scheduled means membership', async () => {
    const [a, b, c, d] = await write([
      ['membership', 'success'],
      ['manual', 'failed'],
      ['membership', 'failed'],
      ['undo', 'success'],
    ]);
    const asked = async (parameters: Parameters<typeof readLogs>[1]) =>
      ids((await readLogs(credential(), parameters)).logs);
    expect(await asked({ status: 'failed' })).toEqual([c, b]);
    expect(await asked({ sync_type: 'scheduled' })).toEqual([c, a]);
    expect(await asked({ sync_type: 'membership' })).toEqual([c, a]);
    expect(await asked({ sync_type: 'undo', status: 'success' })).toEqual([d]);
    expect(await asked({ sync_type: 'webhook' })).toEqual([]);
    expect(await asked({ status: 'failed', before: Number(c) })).toEqual([b]);
  });
});

test('every time of the status and of the logs is UTC, whatever zone the database has', async () => {
  const zone = (name: string) =>
    world.database.query(`do $$ begin
      execute format('alter database %I set timezone = %L', current_database(), '${name}'); end $$`);
  await zone('America/St_Johns');
  await closePool();
  try {
    const result = await world.run();
    const { last_run, last_success, next_due_at } = await status();
    const { logs } = await readLogs(credential(), {});
    for (const row of [last_run, last_success, logs[0]]) {
      expect(row).toMatchObject({
        sync_timestamp: result.timestamp,
        finished_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        register_mark: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      });
    }
    const took = Date.parse(String(last_run?.['finished_at'])) - Date.parse(result.timestamp);
    expect(took).toBeGreaterThan(0);
    expect(took).toBeLessThan(30 * 60_000);
    expect(next_due_at).toBe(
      new Date(Date.parse(result.timestamp) + rules.intervalMinutes * 60_000).toISOString(),
    );
  } finally {
    await zone('UTC');
    await closePool();
  }
});
