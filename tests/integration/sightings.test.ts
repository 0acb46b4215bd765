import fc from 'fast-check';
import { connect } from '../../lib/database.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import type { SyncRequest } from '../../lib/sync/types.ts';
import type { Row } from '../support/database.ts';
import { asksForList } from '../support/register.ts';
import { applyDamages, damage } from '../support/reliabilityFaults.ts';
import { apply, change } from '../support/reliabilityRegister.ts';
import { createWorld, type Settings, type World } from '../support/world.ts';

// When a run last saw each member. The twin has the same register, and stamps every row in every run, as if nothing
// were known but the rows themselves: what the view says of the world must be what the rows of the twin say.
let world: World;
let twin: World;
beforeAll(async () => {
  const settings = { DJANGO_MEMBERS_PATH: '/api/members/' };
  world = await createWorld({
    members: 30,
    pageSize: 100,
    modifiedParam: 'modified_since',
    settings,
  });
  twin = await createWorld({
    members: 1,
    settings: { ...settings, DJANGO_BASE_URL: world.django.url },
  });
});
beforeEach(async () => {
  await twin.reset();
  await world.reset(30);
});

const query = (statement: string) =>
  Promise.all([world, twin].map(({ database }) => database.query(statement)));
const incremental: Settings = { DJANGO_MODIFIED_SINCE_PARAM: 'modified_since' };

/** The same run in both, which must agree; gives the result of the world's. */
async function run(
  request: Partial<SyncRequest> = {},
  settings: Settings = {},
  expectAgreed = expectTrue,
) {
  const result = await world.run(request, { settings });
  const other = await twin.run(request, { settings: { ...settings, SYNC_STAMP_HOURS: '0' } });
  expect(other.status).toBe(result.status);
  await expectAgreed();
  return result;
}

// Times and numbers differ between the two, so both say of which of their runs a time is.
const byRun = (time: string, name = 'count(*)') =>
  `(select ${name} from public.sync_log l where l.id <= (
     select max(l.id) from public.sync_log l where l.sync_timestamp at time zone 'UTC' = ${time}))`;
async function expectTrue(): Promise<void> {
  const [said, stamped, eligible] = await Promise.all([
    world.database.query(
      `select kennitala, is_active, ${byRun('seen_at')} as run from public.member_sightings
       order by kennitala`,
    ),
    twin.database.query(
      `select kennitala, is_active, ${byRun("last_verified_at at time zone 'UTC'")} as run
       from public.members order by kennitala`,
    ),
    world.database.query(
      `select kennitala, ${byRun('verified_at')} as run from public.member_eligibility order by kennitala`,
    ),
  ]);
  expect(said).toEqual(stamped);
  const active = said.filter((row) => row['is_active']);
  expect(eligible).toEqual(active.map(({ kennitala, run }) => ({ kennitala, run })));
}

// A row that an earlier run has marked keeps its time while its kennitala is disputed between two records.
async function expectNothingUntrue(): Promise<void> {
  const [said, stamped] = await Promise.all([
    world.database.query<{ kennitala: string; marked: boolean; run: number }>(
      `select kennitala, m.unseen_since is not null as marked, ${byRun('s.seen_at')}::int as run
       from public.members m join public.member_sightings s using (id, kennitala)`,
    ),
    twin.database.query<{ kennitala: string; run: number }>(
      `select kennitala, ${byRun("last_verified_at at time zone 'UTC'")}::int as run
       from public.members`,
    ),
  ]);
  const runs = new Map(stamped.map(({ kennitala, run }) => [kennitala, run]));
  for (const { kennitala, marked, run } of said) {
    const right = runs.get(kennitala);
    expect({ kennitala, run }).toEqual({
      kennitala,
      run: marked ? Math.min(run, right ?? run) : right,
    });
  }
}

const member = async (id: number): Promise<Row> => {
  const [row] = await world.database.query(
    `select m.unseen_since is not null as marked, ${byRun('s.seen_at', 'max(l.id)')} as run
     from public.members m join public.member_sightings s using (id) where m.external_id = '${id}'`,
  );
  return row as Row;
};
const full = { mode: 'full' } as const;

test('a row that is kept because nobody can say whose it is has not been seen', async () => {
  await run();
  const { members } = world.django;
  const [, leaver] = members.list();
  members.remove(leaver?.id ?? 0);
  members.add({ id: 99, kennitala: leaver?.kennitala, name: 'Einhver Annar' });
  const mended = applyDamages(world.django, [
    { a: 9, how: { id: undefined, kennitala: undefined } },
  ]);
  await run({ mode: 'full' });
  mended.end();
  const unseen = await query(
    'select external_id from public.members where unseen_since is not null',
  );
  expect(unseen[0]).toContainEqual({ external_id: String(leaver?.id) });
});

test('a row of another service that has lost its Django id is said to be seen when it was', async () => {
  const [person] = world.django.members.list();
  await query(`insert into public.members (kennitala, name, sync_source)
    values ('${person?.kennitala}', '${person?.name}', 'manual')`);
  await run();
  await query(`update public.members set external_id = null where sync_source = 'manual'`);
  world.django.members.remove(person?.id ?? 0);
  await run({ mode: 'full' });
  const rows = await query(
    `select s.seen_at = m.last_verified_at at time zone 'UTC' as is_true
     from public.member_sightings s join public.members m using (id) where m.sync_source = 'manual'`,
  );
  expect(rows).toEqual([[{ is_true: true }], [{ is_true: true }]]);
});

test('a run in which nothing changed writes no member, and is what the view says', async () => {
  await run();
  const rows = 'select xmin::text, last_verified_at from public.members order by id';
  const before = await world.database.query(rows);
  await world.database.query(`
    create table public.touched (at timestamptz default now());
    create function touch() returns trigger language plpgsql as
      $$ begin insert into public.touched default values; return null; end $$;
    create trigger touch after insert or update or delete on public.members
      for each statement execute function touch()`);
  const { run_id } = await run(full);
  expect(await world.database.query(rows)).toEqual(before);
  expect(await world.database.query('select * from public.touched')).toEqual([]);
  expect(await member(1)).toEqual({ marked: false, run: run_id });
  await world.database.query('drop function touch cascade; drop table public.touched');
});

test('a member whose removal is held is marked, and seen again when they are back', async () => {
  const none = { SYNC_MAX_REMOVALS: '0', SYNC_LIMIT_FLOOR: '0' };
  const first = await run();
  world.django.members.remove(7);
  await run(full, none);
  const held = await run(full, none);
  expect(held.status).toBe('held');
  expect(await member(7)).toEqual({ marked: true, run: first.run_id });
  expect(await member(8)).toEqual({ marked: false, run: held.run_id });
  world.django.members.add({ id: 7, kennitala: (await kennitalaOf(7)) as string });
  const back = await run(full, none);
  expect(await member(7)).toEqual({ marked: false, run: back.run_id });
});
const kennitalaOf = async (id: number) =>
  (
    await world.database.query(`select kennitala from public.members where external_id = '${id}'`)
  )[0]?.['kennitala'];

test('a removal that is not confirmed, a record that cannot be read', async () => {
  await run();
  const [second] = await Promise.all([run(full)]);
  const end = world.django.misbehave({
    kind: 'rewrite',
    when: asksForList,
    body: (page: { count: number; results: Row[] }) => ({
      ...page,
      count: page.count - 1,
      results: page.results
        .filter(({ id }) => id !== 7)
        .map((each) => (each['id'] === 9 ? { ...each, name: 7 } : each)),
    }),
  });
  await run(full);
  await run(full);
  for (const id of [7, 9]) expect(await member(id)).toEqual({ marked: true, run: second.run_id });
  end();
  const seen = await run(full);
  for (const id of [7, 9]) expect(await member(id)).toEqual({ marked: false, run: seen.run_id });
});

test('a member who leaves keeps the time of the last run that saw them, also if brought back by hand', async () => {
  await run();
  const second = await run(full);
  world.django.members.remove(7);
  const third = await run(full);
  expect(third).toMatchObject({ members_removed: 1 });
  await run(full);
  await query(
    `update public.members set is_active = true, removed_at = null where external_id = '7'`,
  );
  await expectTrue();
  expect(await member(7)).toEqual({ marked: true, run: second.run_id });
  await run(full, { SYNC_MAX_REMOVALS: '0', SYNC_LIMIT_FLOOR: '0' });
  expect(await member(7)).toEqual({ marked: true, run: second.run_id });
});

test('an incremental run and a run for one member say it of those they saw, and of nobody else', async () => {
  const first = await run();
  world.django.members.update(3, { phone: null });
  const part = await run({}, incremental);
  expect(part.mode).toBe('incremental');
  const one = await run({ externalIds: ['5'] });
  expect(await member(3)).toMatchObject({ run: part.run_id });
  expect(await member(5)).toEqual({ marked: false, run: one.run_id });
  expect(await member(6)).toEqual({ marked: false, run: first.run_id });
  world.django.members.softDelete(4);
  expect(await run({ externalIds: ['4'] })).toMatchObject({ members_removed: 1 });
  expect(await member(4)).toEqual({ marked: true, run: first.run_id });
});

test('an undo has seen nobody', async () => {
  const first = await run();
  world.django.members.remove(7);
  world.django.members.update(8, { name: 'Nýtt Nafn' });
  const { run_id } = await run(full);
  await run({ undo: Number(run_id) });
  expect(await member(7)).toEqual({ marked: true, run: first.run_id });
  expect(await member(8)).toEqual({ marked: false, run: run_id });
  await run(full);
});

test('rows of other services are seen only under the id that they are linked to', async () => {
  await run();
  await query(`insert into public.members (kennitala, name, sync_source) values ('0000009999', 'Annars', 'events');
    update public.members set sync_source = 'events' where external_id in ('3', '4');
    update public.members set external_id = '777' where external_id = '4';
    insert into public.members (kennitala, name) values ('0000008888', 'Án Uppruna')`);
  const none = { SYNC_MAX_UPDATES: '0', SYNC_MAX_REMOVALS: '0', SYNC_LIMIT_FLOOR: '0' };
  await run(full, none);
  await run(full, none);
  world.django.members.remove(3);
  await run(full, none);
  await run(full);
});

test('a kennitala that changes, and two that are swapped while that is held', async () => {
  await run();
  const [one, two, three] = world.django.members.list();
  world.django.members.update(3, { kennitala: '0000000033' });
  await run(full);
  world.django.members.update(1, { kennitala: String(two?.kennitala) });
  world.django.members.update(2, { kennitala: String(one?.kennitala) });
  await run(full, { SYNC_MAX_KENNITALA_CHANGES: '0', SYNC_LIMIT_FLOOR: '0' });
  world.django.members.update(3, { kennitala: String(three?.kennitala) });
  await run(full, { SYNC_MAX_KENNITALA_CHANGES: '0', SYNC_LIMIT_FLOOR: '0' });
  await run(full);
});

test('after SYNC_STAMP_HOURS every row is stamped, once', async () => {
  await run();
  const stamped = async () =>
    (await world.database.query('select distinct last_verified_at from public.members')).length;
  await world.run(full);
  await world.database.query(
    `update public.sync_log set sync_timestamp = sync_timestamp - interval '25 hours' where members_stamped;
     update public.sync_log set register_seen_at = register_seen_at - interval '25 hours';
     update public.members set last_verified_at = last_verified_at - interval '25 hours'`,
  );
  const due = await world.run(full);
  const [row] = await world.database.query(
    `select min(last_verified_at) at time zone 'UTC' as at from public.members`,
  );
  expect(row?.['at']).toEqual(new Date(due.timestamp));
  await world.run(full);
  expect(await stamped()).toBe(1);
  const [again] = await world.database.query(
    `select min(last_verified_at) at time zone 'UTC' as at from public.members`,
  );
  expect(again).toEqual(row);
});

test('a stamp of the future is put right by the next run', async () => {
  await run();
  await world.database.query(
    `update public.members set last_verified_at = '2999-01-01' where external_id = '5'`,
  );
  const { run_id } = await run(full);
  expect(await member(5)).toEqual({ marked: false, run: run_id });
});

test('a row that refuses the mark fails no run, and the view says nothing that is not true', async () => {
  await run();
  await query(`create function guard_row() returns trigger language plpgsql as
      $$ begin if new.unseen_since is not null then raise exception 'not now'; end if; return new; end $$;
    create trigger guard_row before update on public.members for each row execute function guard_row()`);
  const none = { SYNC_MAX_REMOVALS: '0', SYNC_LIMIT_FLOOR: '0' };
  const before = await run(full, none);
  world.django.members.remove(7);
  const result = await run(full, none);
  expect(result.status).toBe('held');
  expect(world.logged.map(({ event }) => event)).toContain('stamp_postponed');
  expect(await member(7)).toEqual({ marked: false, run: before.run_id });
  expect(await member(8)).toEqual({ marked: false, run: result.run_id });
  await query('drop function guard_row cascade');
  await run(full, none);
  expect(await member(7)).toEqual({ marked: true, run: before.run_id });
});

test('rows that somebody holds leave nobody unseen but their own members', async () => {
  await run();
  const before = await run(full);
  world.django.misbehave({
    kind: 'rewrite',
    when: asksForList,
    body: (page: { results: { id: number }[] }) => ({
      ...page,
      results: page.results.map((one) => (one.id === 7 ? { ...one, name: 12 } : one)),
    }),
  });
  const other = await connect(fixedCredential(world.database.url));
  await other.query('begin');
  await other.query(`select from public.members where external_id in ('7', '8') for update`);
  const result = await world.run(full);
  await other.query('rollback');
  await other.end();
  for (const [id, run] of [
    [7, before.run_id],
    [8, before.run_id],
    [9, result.run_id],
  ] as const) {
    expect(await member(id)).toEqual({ marked: false, run });
  }
  await twin.run(full);
  world.django.clear();
});

test('whatever happens in the register, the view says what stamping every row would say', async () => {
  const step = fc.record({
    changes: fc.array(change, { maxLength: 3 }),
    damages: fc.array(damage, { maxLength: 2 }),
    settings: fc.constantFrom<Settings>(
      {},
      { SYNC_MAX_REMOVALS: '0', SYNC_MAX_ADDITIONS: '0', SYNC_LIMIT_FLOOR: '0' },
      { SYNC_MAX_UPDATES: '0', SYNC_MAX_KENNITALA_CHANGES: '0', SYNC_LIMIT_FLOOR: '0' },
      { SYNC_CONFIRM_REMOVALS: 'never' },
    ),
    request: fc.constantFrom<Partial<SyncRequest>>({}, full, full, { externalIds: ['3', '4'] }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
      await twin.reset();
      await world.reset(12);
      await run();
      for (const { changes, damages, settings, request } of steps) {
        for (const each of changes) apply(world.django, each);
        const { end } = applyDamages(world.django, damages);
        await run(request, { ...incremental, ...settings }, expectNothingUntrue);
        end();
      }
    }),
    { numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? 6) },
  );
}, 120_000);
