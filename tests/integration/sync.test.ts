import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../lib/database.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import { createStaging, makeReadOnly, openSession, takeLock } from '../../lib/sync/session.ts';
import { dump, type Row } from '../support/database.ts';
import { contextOf, createSyncBench, type SyncBench } from '../support/sync.ts';
import { readMembers } from '../support/syncRows.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await createSyncBench({ members: 30, pageSize: 10, maxPageSize: 10 });
});
beforeEach(async () => {
  await bench.reset();
});

const query = (statement: string) => bench.database.query(statement);
const withoutStamp = (rows: Row[]) => rows.map(({ last_verified_at, ...rest }) => rest);

/** Three changes of one class each, and one return. */
async function changeRegister() {
  const { members } = bench.django;
  const [first, second, third] = members.list();
  if (!first || !second || !third) throw new Error('the register is too small');
  await query(`update public.members set is_active = false, removed_at = '2026-01-01'
    where external_id = '${third.id}'`);
  members.update(first.id, { name: `${first.name} yngri` });
  members.remove(second.id);
  members.add({ id: second.id + 100 });
  return () => {
    members.update(first.id, { name: first.name });
    members.remove(second.id + 100);
    members.add({ ...second });
  };
}

test('the first run fills an empty table, and a second run changes nothing', async () => {
  const first = await bench.run({ syncType: 'membership' });
  expect(first).toMatchObject({
    sync_type: 'membership',
    mode: 'full',
    status: 'success',
    dry_run: false,
    members_fetched: 30,
    members_added: 30,
    members_verified: 0,
    error_count: 0,
    errors: [],
    plan: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
  const before = await readMembers(bench.database);
  expect(before).toHaveLength(30);

  const second = await bench.run();
  expect(second).toMatchObject({
    status: 'success',
    members_fetched: 30,
    members_added: 0,
    members_updated: 0,
    members_reactivated: 0,
    members_removed: 0,
    members_verified: 30,
  });
  const after = await readMembers(bench.database, second.timestamp);
  expect(withoutStamp(after)).toEqual(withoutStamp(before));
  expect(after.every((row) => row['last_verified_at'] === 'the time of the run')).toBe(true);
  const [trail] = await query('select count(*)::int as rows from public.member_changes');
  expect(trail).toEqual({ rows: 30 });
});

test('the log row of a run says what its answer said', async () => {
  await bench.run();
  const undo = await changeRegister();
  bench.django.members.addRaw({ id: 900, kennitala: 12 });
  const result = await bench.run({ caller: 'someone@felagi.example' });
  bench.django.members.remove(900);
  undo();
  expect(result).toMatchObject({
    status: 'partial',
    members_fetched: 31,
    members_added: 1,
    members_updated: 1,
    members_reactivated: 1,
    members_removed: 1,
    members_verified: 28,
    error_count: 1,
  });
  const row = await bench.lastRun();
  for (const name of Object.keys(result).filter((key) => key.startsWith('members_')))
    expect([name, row[name]]).toEqual([name, (result as unknown as Row)[name]]);
  expect(row).toMatchObject({
    id: result.run_id,
    sync_type: 'manual',
    mode: 'full',
    status: 'partial',
    error_count: 1,
    plan: result.plan,
    duration_ms: result.duration_ms,
    progress: null,
    finished_at: expect.any(Date),
    details: {
      caller: 'someone@felagi.example',
      errors: result.errors,
      phases_ms: { fetch: expect.any(Number), plan: expect.any(Number) },
      snapshot: { pages: 4, rows: 31, complete: true },
    },
  });
  expect(result.errors).toEqual([
    { code: 'invalid_kennitala', external_id: '900', message: expect.any(String) },
  ]);
});

test('the view of eligible members shows the active ones and when the register last had them', async () => {
  await bench.run();
  const undo = await changeRegister();
  await query(
    `update public.members set is_active = false where id = (select max(id) from public.members)`,
  );
  const result = await bench.run();
  undo();
  expect(result).toMatchObject({ members_suspended: 1, members_removed: 1 });
  const eligible = await query('select * from public.member_eligibility order by kennitala');
  const active = await query(
    `select kennitala, name, email, true as eligible, last_verified_at at time zone 'UTC' as verified_at
     from public.members where is_active order by kennitala`,
  );
  expect(eligible).toHaveLength(29);
  expect(eligible).toEqual(active);
  expect(eligible[0]?.['verified_at']).toEqual(new Date(result.timestamp));
});

test('of more than a hundred errors all are counted and the first hundred shown', async () => {
  const ids = Array.from({ length: 105 }, (_, index) => 500 + index);
  for (const id of ids) bench.django.members.addRaw({ id, kennitala: 'none', name: 'Ónýt' });
  const result = await bench.run();
  for (const id of ids) bench.django.members.remove(id);
  expect(result.error_count).toBe(105);
  expect(result.errors).toHaveLength(100);
  expect(result.members_added).toBe(30);
});

test('a run logs no personal data', async () => {
  await bench.run();
  const undo = await changeRegister();
  bench.django.members.addRaw({ id: 900, kennitala: 1234567890, name: 'Jón Ónýti' });
  bench.django.members.addRaw({ id: 901, kennitala: '1234567899', name: 'Jón', email: 'jon jon' });
  await bench.run();
  for (const id of [900, 901]) bench.django.members.remove(id);
  undo();
  const lines = JSON.stringify(bench.logged);
  const logs = JSON.stringify(await query('select * from public.sync_log'));
  expect(bench.logged.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['sync_started', 'sync_completed', 'record_warning']),
  );
  for (const { kennitala, name, email, phone } of bench.django.members.list())
    for (const value of [kennitala, name, email, phone])
      if (value !== null) for (const text of [lines, logs]) expect(text).not.toContain(value);
  for (const text of [lines, logs]) expect(text).not.toMatch(/\d{10}|Jón|jon jon/);
});

describe('a dry run', () => {
  test('writes nothing: no row, no log, no number of a sequence', async () => {
    await bench.run();
    const undo = await changeRegister();
    const sequences = `select sequencename, last_value from pg_sequences where schemaname = 'public' order by 1`;
    const before = [await dump(bench.database.url), await query(sequences)];
    const result = await bench.dryRun();
    const after = [await dump(bench.database.url), await query(sequences)];
    undo();
    expect(result).toMatchObject({
      run_id: null,
      dry_run: true,
      members_added: 1,
      members_updated: 1,
      members_reactivated: 1,
      members_removed: 1,
    });
    expect(after).toEqual(before);
  });

  test('lists what it would do, removals first, with the kennitala masked', async () => {
    await bench.run();
    const undo = await changeRegister();
    const [first, back] = bench.django.members.list();
    const { changes, plan } = await bench.dryRun();
    const limited = await bench.dryRun({ previewLimit: 2 });
    undo();
    const masked = (kennitala = '') => `${kennitala.slice(0, 6)}-****`;
    expect(changes).toEqual([
      {
        action: 'remove',
        external_id: '2',
        kennitala: expect.stringMatching(/^\d{6}-\*{4}$/),
        fields: ['is_active', 'removed_at'],
      },
      {
        action: 'add',
        external_id: '102',
        kennitala: '000000-****',
        fields: ['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'],
      },
      {
        action: 'reactivate',
        external_id: '3',
        kennitala: masked(back?.kennitala),
        fields: ['is_active', 'removed_at'],
      },
      {
        action: 'update',
        external_id: '1',
        kennitala: masked(first?.kennitala),
        fields: ['name'],
      },
    ]);
    expect(limited).toMatchObject({ changes: changes?.slice(0, 2), members_updated: 1, plan });
  });

  test('has a session in which the server refuses every write', async () => {
    const context = contextOf(bench.settings, () => undefined);
    const client = await openSession(context);
    try {
      await createStaging(client, true);
      await makeReadOnly(client);
      for (const write of [
        `insert into public.members (kennitala, name) values ('0101010101', 'A')`,
        `update public.members set name = 'A'`,
        'delete from public.sync_log',
        `select nextval('public.sync_log_id_seq')`,
        'create table public.leak (a int)',
      ])
        await expect(client.query(write)).rejects.toMatchObject({ code: '25006' });
      await client.query(`insert into incoming (ordinal, external_id, has_email, has_phone, is_member)
        values (1, '1', false, false, true)`);
      expect((await client.query('select external_id from incoming')).rows).toHaveLength(1);
    } finally {
      await client.end();
    }
  });

  test('does not wait for a run that is going on, nor stop one', async () => {
    const other = await openSession(contextOf(bench.settings, () => undefined));
    try {
      expect(await takeLock(other)).toBe(true);
      expect(await bench.dryRun()).toMatchObject({ status: 'success', members_added: 30 });
    } finally {
      await other.end();
    }
  });
});

describe('when a run is told to stop', () => {
  test('it ends at once, changes nothing and is closed in the log', async () => {
    await bench.run();
    const undo = await changeRegister();
    const before = await readMembers(bench.database);
    const { SyncError } = await import('../../lib/errors.ts');
    const controller = new AbortController();
    bench.django.behaviour.latencyMs = 4_000;
    const run = bench.run({}, { signal: controller.signal });
    setTimeout(() => controller.abort(new SyncError('interrupted', 'Being stopped.')), 200);
    const started = performance.now();
    await expect(run).rejects.toMatchObject({ code: 'interrupted', runId: expect.any(Number) });
    expect(performance.now() - started).toBeLessThan(3_000);
    undo();
    expect(await readMembers(bench.database)).toEqual(before);
    expect(await bench.lastRun()).toMatchObject({
      status: 'failed',
      details: { error: { code: 'interrupted' } },
    });
  });
});

describe('when the database fails in the middle of applying', () => {
  const fail = `create or replace function public.fail() returns trigger language plpgsql as
    $$ begin raise exception 'the disk of Jóna Test is full'; end $$`;
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
    {
      name: 'the stamp',
      on: 'update of last_verified_at on public.members',
      when: `new.last_verified_at > old.last_verified_at and new.name = old.name and new.is_active = old.is_active`,
    },
    { name: 'the outbox', on: 'insert on public.notification_outbox', when: 'true' },
    { name: "the run's own row", on: 'update on public.sync_log', when: "new.status = 'success'" },
  ];

  test.each(moments)('$name: nothing of the run is there afterwards', async ({ on, when }) => {
    await bench.run();
    const undo = await changeRegister();
    await query(fail);
    await query(
      `create trigger fail before ${on} for each row when (${when}) execute function public.fail()`,
    );
    const { sync_log: _before, ...before } = await dump(bench.database.url);
    const settings = {
      NOTIFY_URLS: `${bench.django.url}/hook`,
      NOTIFY_SECRET: `whsec_${'A'.repeat(32)}`,
    };
    const failed = bench.run({}, { settings });
    await expect(failed).rejects.toMatchObject({ code: 'internal_error' });
    const { sync_log: _after, ...after } = await dump(bench.database.url);
    await query(`drop trigger fail on ${on.split(' on ')[1]}`);

    expect(after).toEqual(before);
    expect(await bench.lastRun()).toMatchObject({
      status: 'failed',
      error_count: 1,
      members_added: 0,
      members_updated: 0,
      progress: null,
      finished_at: expect.any(Date),
      details: { error: { code: 'internal_error', message: expect.not.stringContaining('Jóna') } },
    });
    expect(await bench.run()).toMatchObject({
      members_added: 1,
      members_updated: 1,
      members_reactivated: 1,
      members_removed: 1,
    });
    undo();
  });
});

describe('when another service writes the members at the same time', () => {
  /** Runs the statement while the register's last page is being read. */
  const meanwhile = (statement: string, times = 1) => {
    let left = times;
    bench.django.behaviour.onRequest = async ({ query: { page } }) => {
      if (page !== '3' || left === 0) return;
      left -= 1;
      await query(statement);
    };
  };
  test('what it wrote while the register was read is seen by the plan', async () => {
    await bench.run();
    meanwhile(`update public.members set name = 'Rangt' where external_id = '30'`);
    expect(await bench.run()).toMatchObject({ members_updated: 1, members_verified: 30 });
  });

  test('a planned row that was changed after the plan is planned again', async () => {
    await bench.run();
    const undo = await changeRegister();
    bench.django.members.remove(30);
    // The removal is confirmed after the plan was made: someone suspends another planned row just then.
    let once = false;
    bench.django.behaviour.onRequest = async ({ path }) => {
      if (!path.endsWith('/30/') || once) return;
      once = true;
      await query(
        `update public.members set is_active = false, metadata = '{"by": "hand"}' where external_id = '1'`,
      );
    };
    const result = await bench.run();
    undo();
    bench.django.members.add({ id: 30 });
    expect(result).toMatchObject({ members_updated: 1, members_suspended: 1, members_removed: 2 });
    const outdated = bench.logged.filter(({ event }) => event === 'plan_outdated');
    expect(outdated).toHaveLength(1);
    const [first] = await query(`select * from public.members where external_id = '1'`);
    expect(first).toMatchObject({ is_active: false, removed_at: null, metadata: { by: 'hand' } });
  });

  test('a kennitala that another service has just added is linked instead', async () => {
    await bench.run();
    bench.django.members.add({ id: 77, kennitala: '0202020202' });
    bench.django.members.remove(30);
    let once = false;
    bench.django.behaviour.onRequest = async ({ path }) => {
      if (!path.endsWith('/30/') || once) return;
      once = true;
      await query(
        `insert into public.members (kennitala, name, sync_source) values ('0202020202', 'A', 'events')`,
      );
    };
    const result = await bench.run();
    bench.django.members.remove(77);
    bench.django.members.add({ id: 30 });
    expect(result).toMatchObject({ members_added: 0, members_updated: 1, members_removed: 1 });
    const [linked] = await query(`select * from public.members where kennitala = '0202020202'`);
    expect(linked).toMatchObject({ external_id: '77', sync_source: 'events', is_active: true });
  });

  test('a row that is changed again and again ends the run without a change', async () => {
    await bench.run();
    bench.django.members.remove(30);
    bench.django.behaviour.onRequest = async ({ path }) => {
      if (!path.endsWith('/30/')) return;
      await query(`update public.members set name = name || 'a' where external_id = '30'`);
    };
    const failed = bench.run();
    await expect(failed).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining('Another service keeps changing the members'),
    });
    bench.django.members.add({ id: 30 });
    const [last] = await query(`select is_active from public.members where external_id = '30'`);
    expect(last).toEqual({ is_active: true });
    expect(await bench.lastRun()).toMatchObject({ status: 'failed' });
  });

  test('a row that was changed after its entry in the audit trail is planned again', async () => {
    await bench.run();
    const [one] = bench.django.members.list();
    if (!one) throw new Error('the register is empty');
    bench.django.members.update(one.id, { kennitala: '0303030303' });
    // Applying stops before its first update, until the lock is free.
    await query(`create function public.wait() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(42); return new; end $$`);
    await query(`create trigger wait before update on public.members
      for each statement execute function public.wait()`);
    const other = await connect(fixedCredential(bench.database.url));
    await other.query('select pg_advisory_lock(42)');
    const run = bench.run();
    await untilWaiting('advisory');
    await other.query('set session_replication_role = replica');
    await other.query(`update public.members set is_active = false where external_id = '1'`);
    await other.end();
    const result = await run;
    await query('drop trigger wait on public.members');
    bench.django.members.update(one.id, { kennitala: one.kennitala });
    const [first] = await query(
      `select is_active, kennitala from public.members where external_id = '1'`,
    );
    expect(first).toEqual({ is_active: false, kennitala: '0303030303' });
    expect(result).toMatchObject({ members_updated: 1, members_suspended: 1 });
    expect(bench.logged.map(({ event }) => event)).toContain('plan_outdated');
  });

  test('readers are not blocked, and who waits too long for a row gives up without a change', async () => {
    await bench.run();
    const undo = await changeRegister();
    const before = await readMembers(bench.database);
    const other = await connect(fixedCredential(bench.database.url));
    await other.query('begin');
    await other.query(`select * from public.members where external_id = '1' for update`);
    const run = bench.run().catch((error: unknown) => error);
    await untilWaiting('transactionid', 'tuple');
    const started = performance.now();
    expect(await readMembers(bench.database)).toEqual(before);
    expect(await query('select * from public.member_eligibility')).toHaveLength(29);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(await run).toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining('lock'),
    });
    await other.query('rollback');
    await other.end();
    undo();
    expect(await readMembers(bench.database)).toEqual(before);
    expect(await bench.lastRun()).toMatchObject({
      status: 'failed',
      details: { error: { code: 'database_unavailable' } },
    });
  });
});

/** Waits until a session of the database waits for a lock of one of these kinds. */
async function untilWaiting(...kinds: string[]) {
  const statement = `select count(*)::int as waiting from pg_locks
    where not granted and locktype in (${kinds.map((kind) => `'${kind}'`).join(', ')})
      and pid in (select pid from pg_stat_activity where datname = current_database())`;
  for (;;) {
    const [row] = await query(statement);
    if (Number(row?.['waiting']) > 0) return;
    await sleep(20);
  }
}

test("a number of another service's own is no Django id either while its link is held back", async () => {
  await bench.run();
  const [one] = bench.django.members.list();
  if (!one) throw new Error('the register is empty');
  await query(`update public.members set sync_source = 'elections', external_id = '77', last_verified_at = null
    where external_id = '1'`);
  const none = { SYNC_MAX_UPDATES: '0', SYNC_LIMIT_FLOOR: '0' };
  const held = await bench.run({}, { settings: none });
  expect(held.held).toEqual({ updates: { count: 1, limit: 0, reason: 'limit_exceeded' } });

  bench.django.members.add({ id: 77 });
  const result = await bench.run();
  bench.django.members.remove(77);
  expect(result).toMatchObject({ members_added: 1, members_updated: 1, members_removed: 0 });
  const [row] = await query(`select * from public.members where kennitala = '${one.kennitala}'`);
  expect(row).toMatchObject({ external_id: '1', sync_source: 'elections', is_active: true });
});
