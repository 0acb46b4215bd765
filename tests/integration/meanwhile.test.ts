import { connect } from '../../lib/database.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import { changeRegister } from '../support/register.ts';
import { readMembers } from '../support/rows.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 30, pageSize: 10, maxPageSize: 10 });
});
beforeEach(async () => {
  await world.reset();
});

const query = (statement: string) => world.database.query(statement);

describe('when another service writes the members at the same time', () => {
  /** Runs the statement while the register's last page is being read. */
  const meanwhile = (statement: string, times = 1) => {
    let left = times;
    world.django.behaviour.onRequest = async ({ query: { page } }) => {
      if (page !== '3' || left === 0) return;
      left -= 1;
      await query(statement);
    };
  };
  test('what it wrote while the register was read is seen by the plan', async () => {
    await world.run();
    meanwhile(`update public.members set name = 'Rangt' where external_id = '30'`);
    expect(await world.run()).toMatchObject({ members_updated: 1, members_verified: 30 });
  });

  test('a planned row that was changed after the plan is planned again', async () => {
    await world.run();
    const undo = await changeRegister(world);
    world.django.members.remove(30);
    // The removal is confirmed after the plan was made: someone suspends another planned row just then.
    let once = false;
    world.django.behaviour.onRequest = async ({ path }) => {
      if (!path.endsWith('/30/') || once) return;
      once = true;
      await query(
        `update public.members set is_active = false, metadata = '{"by": "hand"}' where external_id = '1'`,
      );
    };
    const result = await world.run();
    undo();
    world.django.members.add({ id: 30 });
    expect(result).toMatchObject({ members_updated: 1, members_suspended: 1, members_removed: 2 });
    const outdated = world.logged.filter(({ event }) => event === 'plan_outdated');
    expect(outdated).toHaveLength(1);
    const [first] = await query(`select * from public.members where external_id = '1'`);
    expect(first).toMatchObject({ is_active: false, removed_at: null, metadata: { by: 'hand' } });
  });

  test('a kennitala that another service has just added is linked instead', async () => {
    await world.run();
    world.django.members.add({ id: 77, kennitala: '0202020202' });
    world.django.members.remove(30);
    let once = false;
    world.django.behaviour.onRequest = async ({ path }) => {
      if (!path.endsWith('/30/') || once) return;
      once = true;
      await query(
        `insert into public.members (kennitala, name, sync_source) values ('0202020202', 'A', 'events')`,
      );
    };
    const result = await world.run();
    world.django.members.remove(77);
    world.django.members.add({ id: 30 });
    expect(result).toMatchObject({ members_added: 0, members_updated: 1, members_removed: 1 });
    const [linked] = await query(`select * from public.members where kennitala = '0202020202'`);
    expect(linked).toMatchObject({ external_id: '77', sync_source: 'events', is_active: true });
  });

  test('a row that is changed again and again waits for a later run, and the others are applied', async () => {
    await world.run();
    world.django.members.remove(30);
    world.django.members.update(29, { name: 'Nýtt Nafn' });
    world.django.behaviour.onRequest = async ({ path }) => {
      if (!path.endsWith('/30/')) return;
      await query(`update public.members set name = name || 'a' where external_id = '30'`);
    };
    const result = await world.run();
    expect(result).toMatchObject({ status: 'partial', members_removed: 0, members_updated: 1 });
    expect(result.errors).toMatchObject([{ code: 'plan_outdated', external_id: '30' }]);
    const [last] = await query(`select is_active from public.members where external_id = '30'`);
    expect(last).toEqual({ is_active: true });
    world.django.behaviour.onRequest = () => undefined;
    expect(await world.run()).toMatchObject({ status: 'success', members_removed: 1 });
    world.django.members.add({ id: 30 });
  });

  /** Runs, and lets another service execute the statement after the audit rows are written. */
  const runWhileApplying = async (statement: string) => {
    // Applying stops before its first update, until the lock is free.
    await query(`create or replace function public.wait() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(42); return new; end $$`);
    await query(`create trigger wait before update on public.members
      for each statement execute function public.wait()`);
    const other = await connect(fixedCredential(world.database.url));
    await other.query('select pg_advisory_lock(42)');
    const run = world.run();
    await untilWaiting('advisory');
    await other.query('set session_replication_role = replica');
    await other.query(statement);
    await other.end();
    const result = await run;
    await query('drop trigger wait on public.members');
    return result;
  };

  test.each([
    ['a row', 'kennitala'],
    ['a row that an undo has moved aside', `'~' || to_hex(id)`],
  ])('%s that was changed after its audit row is planned again', async (_, kennitala) => {
    await world.run();
    await query(`update public.members set kennitala = ${kennitala} where external_id = '1'`);
    const [one] = world.django.members.list();
    if (!one) throw new Error('the register is empty');
    world.django.members.update(one.id, { kennitala: '0303030303' });
    const result = await runWhileApplying(
      `update public.members set is_active = false where external_id = '1'`,
    );
    world.django.members.update(one.id, { kennitala: one.kennitala });
    const [first] = await query(
      `select is_active, kennitala from public.members where external_id = '1'`,
    );
    expect(first).toEqual({ is_active: false, kennitala: '0303030303' });
    expect(result).toMatchObject({ members_updated: 1, members_suspended: 1 });
    expect(world.logged.map(({ event }) => event)).toContain('plan_outdated');
  });

  test("neither is a row overwritten that a trigger of another service's touches in our transaction", async () => {
    await world.run();
    const [one, two] = world.django.members.list();
    if (!one || !two) throw new Error('the register is empty');
    world.django.members.update(one.id, { kennitala: '0303030303' });
    world.django.members.update(two.id, { name: 'Annað Nafn' });
    await query(`create function public.note() returns trigger language plpgsql as
      $$ begin update public.members set metadata = '{"noted": true}' where external_id = '2'; return new; end $$`);
    await query(`create trigger note after update of kennitala on public.members
      for each row execute function public.note()`);
    const result = await runWhileApplying(
      `update public.members set is_active = false where external_id = '2'`,
    );
    await query('drop trigger note on public.members');
    world.django.members.update(one.id, { kennitala: one.kennitala });
    world.django.members.update(two.id, { name: two.name });
    const [second] = await query(
      `select is_active, removed_at from public.members where external_id = '2'`,
    );
    expect(second).toEqual({ is_active: false, removed_at: null });
    expect(result).toMatchObject({ members_updated: 2, members_suspended: 1 });
    expect(world.logged.map(({ event }) => event)).toContain('plan_outdated');
  });

  /** Until the run has given up a try of its changes, to make another one. */
  const untilYielded = () =>
    until(async () => {
      const [session] = await query(
        `select from pg_stat_activity
         where datname = current_database() and application_name = 'membership-sync' and query = 'rollback'`,
      );
      return session !== undefined;
    });

  test('readers are not blocked, and a row that somebody holds waits while the others are applied', async () => {
    await world.run();
    const before = await readMembers(world.database);
    world.django.members.update(1, { name: 'Nýtt Nafn' });
    world.django.members.update(2, { name: 'Annað Nafn' });
    const other = await connect(fixedCredential(world.database.url));
    await other.query('begin');
    await other.query(`select * from public.members where external_id in ('1', '3') for update`);
    const run = world.run();
    await untilYielded();
    expect(await readMembers(world.database)).toEqual(before);
    expect(await query('select * from public.member_eligibility')).toHaveLength(30);
    const result = await run;
    expect(result).toMatchObject({ status: 'partial', members_updated: 1 });
    expect(result.errors).toMatchObject([{ code: 'row_locked', external_id: '1' }]);
    expect(await isWaiting('transactionid', 'tuple')).toBe(false);
    await other.query('rollback');
    await other.end();
    expect(await world.run()).toMatchObject({ status: 'success', members_updated: 1 });
  });

  test('in a deadlock ours yields, and what it gave up is done', async () => {
    await world.run();
    world.django.members.update(1, { name: 'Enn Annað' });
    world.django.members.update(2, { name: 'Enn Eitt' });
    // A trigger of another service makes our update of one row need another row, in the order of nobody.
    await query(
      'create table public.votes (id int primary key, n int); insert into public.votes values (1, 0)',
    );
    await query(`create function public.count() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.2); update public.votes set n = n + 1; return new; end $$`);
    await query(`create trigger count after update of name on public.members
      for each row execute function public.count()`);
    const other = await connect(fixedCredential(world.database.url));
    await other.query('set session_replication_role = replica');
    await other.query('begin; update public.votes set n = n + 1');
    const run = world.run();
    await untilWaiting('transactionid', 'tuple');
    // Theirs waits for our row while ours waits for theirs.
    await other.query(
      `update public.members set metadata = '{"voted": true}' where external_id in ('1', '2')`,
    );
    await other.query('commit');
    await other.end();
    expect(await run).toMatchObject({ members_updated: 2, status: 'success' });
    await query('drop function public.count cascade; drop table public.votes');
    expect(await query(`select metadata from public.members where external_id = '1'`)).toEqual([
      { metadata: { voted: true } },
    ]);
  });
});

test("a number of another service's own is no Django id either while its link is held back", async () => {
  await world.run();
  const [one] = world.django.members.list();
  if (!one) throw new Error('the register is empty');
  await query(`update public.members set sync_source = 'elections', external_id = '77', last_verified_at = null
    where external_id = '1'`);
  const none = { SYNC_MAX_UPDATES: '0', SYNC_LIMIT_FLOOR: '0' };
  const held = await world.run({}, { settings: none });
  expect(held.held).toEqual({ updates: { count: 1, limit: 0, reason: 'limit_exceeded' } });

  world.django.members.add({ id: 77 });
  const result = await world.run();
  world.django.members.remove(77);
  expect(result).toMatchObject({ members_added: 1, members_updated: 1, members_removed: 0 });
  const [row] = await query(`select * from public.members where kennitala = '${one.kennitala}'`);
  expect(row).toMatchObject({ external_id: '1', sync_source: 'elections', is_active: true });
});

/** Whether a session of the database waits for a lock of one of these kinds. */
async function isWaiting(...kinds: string[]): Promise<boolean> {
  const rows = await query(`select from pg_locks
    where not granted and locktype in (${kinds.map((kind) => `'${kind}'`).join(', ')})
      and pid in (select pid from pg_stat_activity where datname = current_database())`);
  return rows.length > 0;
}
const untilWaiting = (...kinds: string[]) => until(() => isWaiting(...kinds));
