import { takeLock } from '../../lib/sync/lock.ts';
import { makeReadOnly, openSession } from '../../lib/sync/session.ts';
import { createStaging } from '../../lib/sync/staging.ts';
import { dump, type Row } from '../support/database.ts';
import { changeRegister } from '../support/register.ts';
import { readMembers } from '../support/rows.ts';
import { contextOf } from '../support/run.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 30, pageSize: 10, maxPageSize: 10 });
});
beforeEach(async () => {
  await world.reset();
});

const query = (statement: string) => world.database.query(statement);

test('the first run fills an empty table, and a second run changes nothing', async () => {
  const first = await world.run({ syncType: 'membership' });
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
  const before = await readMembers(world.database);
  expect(before).toHaveLength(30);

  const second = await world.run();
  expect(second).toMatchObject({
    status: 'success',
    members_fetched: 30,
    members_added: 0,
    members_updated: 0,
    members_reactivated: 0,
    members_removed: 0,
    members_verified: 30,
  });
  expect(await readMembers(world.database)).toEqual(before);
  const seen = await query('select distinct seen_at from public.member_sightings');
  expect(seen).toEqual([{ seen_at: new Date(second.timestamp) }]);
  const [trail] = await query('select count(*)::int as rows from public.member_changes');
  expect(trail).toEqual({ rows: 30 });
});

test('the log row of a run says what its answer said', async () => {
  await world.run();
  const undo = await changeRegister(world);
  world.django.members.addRaw({ id: 900, kennitala: 12 });
  const result = await world.run({ caller: 'someone@felagi.example' });
  world.django.members.remove(900);
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
  const row = await world.lastRun();
  for (const name of Object.keys(result).filter((key) => key.startsWith('members_'))) {
    expect([name, row[name]]).toEqual([name, (result as unknown as Row)[name]]);
  }
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
  await world.run();
  const undo = await changeRegister(world);
  await query(
    'update public.members set is_active = false where id = (select max(id) from public.members)',
  );
  const result = await world.run();
  undo();
  expect(result).toMatchObject({ members_suspended: 1, members_removed: 1 });
  const eligible = await query('select * from public.member_eligibility order by kennitala');
  const active = await query(
    `select kennitala, name, email, true as eligible, seen_at as verified_at
     from public.member_sightings where is_active order by kennitala`,
  );
  expect(eligible).toHaveLength(29);
  expect(eligible).toEqual(active);
  expect(eligible[0]?.['verified_at']).toEqual(new Date(result.timestamp));
});

test('of more than a hundred errors all are counted and the first hundred shown', async () => {
  const ids = Array.from({ length: 105 }, (_, index) => 500 + index);
  for (const id of ids) world.django.members.addRaw({ id, kennitala: 'none', name: 'Ónýt' });
  const result = await world.run();
  for (const id of ids) world.django.members.remove(id);
  expect(result.error_count).toBe(105);
  expect(result.errors).toHaveLength(100);
  expect(result.members_added).toBe(30);
});

test('a run logs no personal data', async () => {
  await world.run();
  const undo = await changeRegister(world);
  world.django.members.addRaw({ id: 900, kennitala: 1234567890, name: 'Jón Ónýti' });
  world.django.members.addRaw({ id: 901, kennitala: '1234567899', name: 'Jón', email: 'jon jon' });
  await world.run();
  for (const id of [900, 901]) world.django.members.remove(id);
  undo();
  const lines = JSON.stringify(world.logged);
  const logs = JSON.stringify(await query('select * from public.sync_log'));
  expect(world.logged.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['sync_started', 'sync_completed', 'record_warning']),
  );
  for (const { kennitala, name, email, phone } of world.django.members.list()) {
    for (const value of [kennitala, name, email, phone])
      if (value !== null) for (const text of [lines, logs]) expect(text).not.toContain(value);
  }
  for (const text of [lines, logs]) expect(text).not.toMatch(/\d{10}|Jón|jon jon/);
});

test('two runs at once: one is refused before it reads anything, and the other does the work', async () => {
  world.django.behaviour.latencyMs = 100;
  const outcomes = await Promise.allSettled([world.run(), world.run()]);
  const done = outcomes.filter(({ status }) => status === 'fulfilled');
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(done).toMatchObject([{ value: { status: 'success', members_added: 30 } }]);
  expect(refused).toMatchObject([{ reason: { code: 'sync_in_progress', runId: undefined } }]);
  expect(await query('select status from public.sync_log')).toEqual([{ status: 'success' }]);
  world.django.behaviour.latencyMs = 0;
  // The lock went with the session that held it.
  expect(await world.run()).toMatchObject({ status: 'success', members_verified: 30 });
});

describe('the audit trail', () => {
  const age = () =>
    query(`update public.member_changes set changed_at = now() - interval '800 days'
      where member_id % 2 = 0`);
  const kept = async () =>
    Number((await query('select count(*)::int as rows from public.member_changes'))[0]?.['rows']);

  test('loses what is older than its retention, and keeps everything where that is 0', async () => {
    await world.run();
    await age();
    await world.run({}, { settings: { AUDIT_RETENTION_DAYS: '0' } });
    expect(await kept()).toBe(30);
    await world.run({}, { settings: { AUDIT_RETENTION_DAYS: '801' } });
    expect(await kept()).toBe(30);
    await world.run();
    expect(await kept()).toBe(15);
  });

  test('loses it too where the numbers of the runs have started over', async () => {
    await world.run();
    await age();
    await query('update public.member_changes set run_id = 900 where member_id % 2 = 0');
    await world.run();
    expect(await kept()).toBe(15);
  });

  test('that cannot be pruned fails no run', async () => {
    await world.run();
    await age();
    await query(`create function public.keep() returns trigger language plpgsql as
      $$ begin raise exception 'kept'; end $$`);
    await query(`create trigger keep before delete on public.member_changes
      for each row execute function public.keep()`);
    const result = await world.run();
    await query('drop trigger keep on public.member_changes');
    expect(result).toMatchObject({ status: 'success' });
    expect(await world.lastRun()).toMatchObject({ status: 'success' });
    expect(world.logged.map(({ event }) => event)).toContain('prune_failed');
  });
});

describe('a dry run', () => {
  test('writes nothing: no row, no log, no number of a sequence', async () => {
    await world.run();
    const undo = await changeRegister(world);
    const sequences = `select sequencename, last_value from pg_sequences where schemaname = 'public' order by 1`;
    const before = [await dump(world.database.url), await query(sequences)];
    const result = await world.dryRun();
    const after = [await dump(world.database.url), await query(sequences)];
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
    await world.run();
    const undo = await changeRegister(world);
    const [first, back] = world.django.members.list();
    const { changes, plan } = await world.dryRun();
    const limited = await world.dryRun({ previewLimit: 2 });
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
    const context = contextOf(world.settings, () => undefined);
    const client = await openSession(context);
    try {
      await createStaging(client, 'full');
      await makeReadOnly(client);
      for (const write of [
        `insert into public.members (kennitala, name) values ('0101010101', 'A')`,
        `update public.members set name = 'A'`,
        'delete from public.sync_log',
        `select nextval('public.sync_log_id_seq')`,
        'create table public.leak (a int)',
      ]) {
        await expect(client.query(write)).rejects.toMatchObject({ code: '25006' });
      }
      await client.query(`insert into incoming (ordinal, external_id, has_email, has_phone, is_member)
        values (1, '1', false, false, true)`);
      expect((await client.query('select external_id from incoming')).rows).toHaveLength(1);
    } finally {
      await client.end();
    }
  });

  test('does not wait for a run that is going on, nor stop one', async () => {
    const context = contextOf(world.settings, () => undefined);
    const other = await openSession(context);
    try {
      await takeLock(other, context);
      expect(await world.dryRun()).toMatchObject({ status: 'success', members_added: 30 });
    } finally {
      await other.end();
    }
  });
});
