import type { Row } from '../support/database.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

// Triggers of other services that come after ours has written a row, or that change what makes it ours. What counts
// is what is stored in the end: neither result nor audit trail say anything else, and no sign is green over it.
let world: World;
beforeAll(async () => {
  world = await createWorld({
    members: 20,
    pageSize: 10,
    settings: { SYNC_LIMIT_FLOOR: '1000', SYNC_CONFIRM_REMOVALS: 'never' },
  });
});
beforeEach(async () => {
  await world.reset(20);
  expect(await sync()).toMatchObject({ members_added: 20 });
});
afterEach(async () => {
  await query('drop function if exists public.theirs() cascade');
});

const query = (statement: string) => world.database.query(statement);
const sync = async (body = {}) => (await world.post('syncScheduled', body)).body;
const row = async (id: number): Promise<Row> =>
  (await query(`select * from public.members where external_id = '${id}'`))[0] as Row;

async function trigger(made: string, body: string): Promise<void> {
  await query(
    `create function public.theirs() returns trigger language plpgsql as $$ begin ${body} end $$`,
  );
  await query(`create ${made} execute function public.theirs()`);
}

const newcomer = 90;
const kennitala = '1102870169';

test.each([
  {
    name: 'makes a newcomer inactive after the insert',
    made: 'trigger theirs after insert on public.members for each row',
    body: `update public.members set is_active = false where id = new.id and new.external_id = '90'; return null;`,
    id: newcomer,
  },
  {
    name: 'makes a newcomer another source’s before the insert',
    made: 'trigger theirs before insert on public.members for each row',
    body: `if new.external_id = '90' then new.sync_source := 'events'; end if; return new;`,
    id: newcomer,
  },
  {
    name: 'puts the old kennitala back after the update',
    made: 'trigger theirs after update of kennitala on public.members for each row when (pg_trigger_depth() = 0)',
    body: 'update public.members set kennitala = old.kennitala where id = new.id; return null;',
    id: 1,
  },
  {
    name: 'makes a leaver active again after the update',
    made: 'trigger theirs after update of is_active on public.members for each row when (pg_trigger_depth() = 0)',
    body: 'update public.members set is_active = true, removed_at = null where id = new.id; return null;',
    id: 2,
  },
  {
    name: 'makes a leaver active again at the commit',
    made: `constraint trigger theirs after update on public.members deferrable initially deferred
      for each row when (not new.is_active)`,
    body: 'update public.members set is_active = true, removed_at = null where id = new.id; return null;',
    id: 2,
  },
  {
    name: 'takes the day of leaving away, as if somebody had suspended the member',
    made: 'trigger theirs before update of is_active on public.members for each row',
    body: 'new.removed_at := null; return new;',
    id: 2,
  },
])('one that $name is named, run after run, and the rest is done', async ({ made, body, id }) => {
  await trigger(made, body);
  const { members } = world.django;
  members.update(1, { kennitala });
  members.remove(2);
  members.add({ id: newcomer });
  members.update(3, { name: 'Annað Nafn' });
  const refused = [
    { code: 'change_refused', external_id: String(id), message: expect.any(String) },
  ];
  const result = await sync();
  expect(result).toMatchObject({ status: 'partial', error_count: 1 });
  expect(result.errors).toEqual(refused);
  expect(result.errors[0]?.message).toContain('theirs');
  const done = { members_added: 1, members_updated: 2, members_removed: 1 };
  const missing = { 90: 'members_added', 1: 'members_updated', 2: 'members_removed' }[id] ?? '';
  expect(result).toMatchObject({ ...done, [missing]: done[missing as keyof typeof done] - 1 });
  expect(await row(3)).toMatchObject({ name: 'Annað Nafn' });
  const changes = await world.changes(result.run_id ?? 0);
  expect(changes).toHaveLength(3);
  const { body: said } = await world.get('syncStatus');
  expect(said).toMatchObject({ status: 'attention', election: { may_open: false } });
  const again = await sync();
  expect(again.errors).toEqual(refused);
  expect(await world.changes(again.run_id ?? 0)).toEqual([]);
});

test.each([
  ['fails an assertion', 'assert false;'],
  ['raises a cancellation', `raise exception 'no' using errcode = '57014';`],
  ['names a table that is not there', 'perform 1 from nowhere;'],
])('one that %s for a member is named, and the rest is done', async (_name, statement) => {
  await trigger(
    'trigger theirs before update on public.members for each row',
    `if new.external_id = '3' then ${statement} end if; return new;`,
  );
  world.django.members.remove(2);
  world.django.members.update(3, { name: 'Annað Nafn' });
  expect(await sync()).toMatchObject({
    status: 'partial',
    members_removed: 1,
    errors: [
      { code: 'change_refused', external_id: '3', message: expect.stringContaining('theirs') },
    ],
  });
  // Alone in a run as well.
  expect(await sync()).toMatchObject({ status: 'partial', error_count: 1 });
});

test('one that puts an address back afterwards is told once, and asked no more', async () => {
  await trigger(
    'trigger theirs after update of email on public.members for each row when (pg_trigger_depth() = 0)',
    'update public.members set email = old.email where id = new.id; return null;',
  );
  const before = await row(1);
  world.django.members.update(1, { email: 'annad@felagi.example' });
  const result = await sync();
  expect(result).toMatchObject({
    members_updated: 0,
    errors: [{ code: 'value_rewritten', external_id: '1' }],
  });
  expect(await row(1)).toMatchObject({ email: before['email'] });
  expect(await world.changes(result.run_id ?? 0)).toEqual([]);
  expect(await sync()).toMatchObject({ status: 'success', members_updated: 0, error_count: 0 });
});

test('a swap of kennitölur works beside one that rewrites addresses', async () => {
  const { members } = world.django;
  for (const { id } of [...members.list()]) {
    members.update(id, { email: `Nafn.${id}@Felagi.Example` });
  }
  await sync();
  await trigger(
    'trigger theirs before insert or update on public.members for each row',
    'new.email := lower(new.email); return new;',
  );
  const [one, two] = [members.get(1)?.kennitala, members.get(2)?.kennitala];
  members.update(1, { kennitala: two });
  members.update(2, { kennitala: one });
  await sync();
  expect([(await row(1))['kennitala'], (await row(2))['kennitala']]).toEqual([two, one]);
  expect(await sync()).toMatchObject({ status: 'success', members_updated: 0 });
});

test('one for each statement that refuses inserts stops no removal and no update', async () => {
  await trigger('trigger theirs after insert on public.members for each statement', `raise 'no';`);
  const { members } = world.django;
  members.remove(2);
  members.update(3, { name: 'Annað Nafn' });
  expect(await sync()).toMatchObject({ status: 'success', members_updated: 1, members_removed: 1 });
  members.add({ id: newcomer });
  members.remove(4);
  const result = await sync();
  expect(result).toMatchObject({ status: 'partial', members_removed: 1, members_added: 0 });
  expect(result.errors).toMatchObject([{ code: 'change_refused', external_id: '90' }]);
});

test('a name that one rewrites is still that of the register when the kennitala changes', async () => {
  await trigger(
    'trigger theirs before insert or update on public.members for each row',
    `new.name := upper(split_part(new.name, ' ', 2)) || ', ' || split_part(new.name, ' ', 1); return new;`,
  );
  const { members } = world.django;
  members.update(1, { name: 'Fræg Persóna' });
  expect(await sync()).toMatchObject({ errors: [{ code: 'value_rewritten', external_id: '1' }] });
  const { id } = await row(1);
  members.update(1, { kennitala });
  expect(await sync()).toMatchObject({ members_updated: 1, members_added: 0, members_removed: 0 });
  expect(await row(1)).toMatchObject({ id, kennitala, is_active: true });
});

test('a member whose row is another service’s, which makes it inactive, is named until somebody decides', async () => {
  await query(
    `insert into public.members (kennitala, name, sync_source) values ('${kennitala}', 'Gestur Bær', 'events')`,
  );
  world.django.members.add({ id: newcomer, kennitala, name: 'Gestur Bær' });
  expect(await sync()).toMatchObject({ status: 'success', members_updated: 1 });
  await query(`update public.members set is_active = false where sync_source = 'events'`);
  for (const _ of ['first', 'second']) {
    const errors = [{ code: 'inactive_here', external_id: String(newcomer) }];
    expect(await sync()).toMatchObject({ status: 'partial', errors });
  }
  const said = { status: 'attention', election: { may_open: false } };
  expect((await world.get('syncStatus')).body).toMatchObject(said);
  const released = await sync({ external_ids: [String(newcomer)], release: true });
  expect(released).toMatchObject({ status: 'success', members_reactivated: 1 });
});

describe('what is about a table and no member is one error in words', () => {
  afterEach(() =>
    query(
      'alter table public.sync_log drop constraint if exists theirs; drop rule if exists theirs on public.members; drop table if exists public.journal',
    ),
  );

  test.each([
    {
      name: 'a rule on members',
      make: `create table public.journal (name text);
        create rule theirs as on update to public.members do also insert into public.journal values (new.name)`,
      says: /a rule \(create rule\) on members/,
    },
    {
      name: 'a trigger on sync_log that raises',
      make: `create function public.theirs() returns trigger language plpgsql as $$ begin raise 'no %', new.id; end $$;
        create trigger theirs before update on public.sync_log for each row when (new.status = 'success') execute function public.theirs()`,
      says: /A trigger of another service on a table of ours.*\(P0001, (?:public\.)?theirs\)/,
    },
    {
      name: 'a constraint on sync_log',
      make: `alter table public.sync_log add constraint theirs check (status <> 'success') not valid`,
      says: /A rule of the database on a table of ours.*\(23514, theirs\)\.$/,
    },
    {
      name: 'a trigger on sync_log that drops the run',
      make: `create function public.theirs() returns trigger language plpgsql as $$ begin return null; end $$;
        create trigger theirs before insert on public.sync_log for each row execute function public.theirs()`,
      says: /^sync_log takes no run/,
    },
    {
      name: 'a trigger on sync_log that drops the result',
      make: `create function public.theirs() returns trigger language plpgsql as $$ begin return null; end $$;
        create trigger theirs before update on public.sync_log for each row when (new.status = 'success') execute function public.theirs()`,
      says: /^sync_log takes no result/,
    },
    {
      name: 'a trigger on sync_log that writes another result',
      make: `create function public.theirs() returns trigger language plpgsql as $$ begin new.status := 'partial'; return new; end $$;
        create trigger theirs before update on public.sync_log for each row when (new.finished_at is not null) execute function public.theirs()`,
      says: /^sync_log takes no result: a trigger of another service writes another one/,
    },
  ])('$name', async ({ make, says }) => {
    await query(make);
    world.django.members.add({ id: newcomer });
    const { status, body } = await world.post('syncScheduled');
    expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
    expect(body.error?.message).toMatch(says);
    expect(await row(newcomer)).toBeUndefined();
  });
});

// What a run says of itself is what limits, signs and the next runs go by.
describe('one on sync_log', () => {
  test.each([
    ['makes a success of every write', 'before update', `new.status := 'success'; return new;`],
    [
      'makes a call for single members of every run',
      'before update',
      `new.mode := 'selected'; return new;`,
    ],
    ['makes a success of every run', 'before insert', `new.status := 'success'; return new;`],
    [
      'makes a success of what failed afterwards',
      'after update',
      `update public.sync_log set status = 'success' where id = new.id and status = 'failed'; return null;`,
    ],
    [
      'deletes what failed',
      'after update',
      `delete from public.sync_log where id = new.id and status = 'failed'; return null;`,
    ],
  ])('that %s makes no failed run one that was done', async (_what, when, body) => {
    await trigger(`trigger theirs ${when} on public.sync_log for each row`, body);
    world.django.misbehave({ kind: 'status', status: 500, when: () => true });
    const { status: code, body: answer } = await world.post('syncScheduled');
    expect(code).toBeGreaterThanOrEqual(500);
    expect(answer.error).not.toHaveProperty('applied');
    expect((await world.get('syncStatus')).body).toMatchObject({ election: { may_open: false } });
  });

  test.each([
    ['loses what is held', `new.details := '{}';`],
    ['hides a run from the limits of a day', 'new.counts_towards_limits := false;'],
    ['writes a time to come', `new.register_seen_at := now() + interval '1 year';`],
    ['writes other numbers', 'new.members_removed := 0;'],
  ])('that %s is named, and nothing is done', async (_what, change) => {
    await trigger(
      'trigger theirs before update on public.sync_log for each row when (new.finished_at is not null)',
      `${change} return new;`,
    );
    world.django.members.remove(2);
    const { body } = await world.post('syncScheduled');
    expect(body.error?.message).toMatch(/^sync_log takes no result: a trigger of another service/);
    expect(await row(2)).toMatchObject({ is_active: true });
  });
});

// A run in which nothing changes writes the time of its sighting once a day.
describe('on the stamp of a run that changes nothing', () => {
  const votes = () =>
    query(
      'select id, kennitala, external_id, is_active, removed_at, sync_source from public.members order by id',
    );
  const stamped = async (at: string) =>
    (await query(`select from public.members where last_verified_at = '${at}'`)).length;
  const stamp = () => world.run({}, { settings: { SYNC_STAMP_HOURS: '0' } });

  test.each([
    ['takes a member for its own', 'before', `new.sync_source := 'events';`],
    ['takes a member for its own afterwards', 'after', `sync_source = 'events'`],
    ['makes a member inactive', 'before', 'new.is_active := false;'],
    ['makes a member a leaver', 'before', 'new.is_active := false; new.removed_at := now();'],
    ['writes another kennitala', 'before', `new.kennitala := '${kennitala}';`],
    ['writes another Django id', 'before', `new.external_id := '900';`],
  ])('one that %s changes no vote, and the others are stamped', async (_what, when, change) => {
    const body =
      when === 'before'
        ? `if new.external_id = '3' then ${change} end if; return new;`
        : `update public.members set ${change} where id = new.id and external_id = '3'; return null;`;
    await trigger(
      `trigger theirs ${when} update on public.members for each row when (pg_trigger_depth() = 0)`,
      body,
    );
    const before = await votes();
    const { timestamp, status } = await stamp();
    expect(status).toBe('success');
    expect(await votes()).toEqual(before);
    expect(await stamped(timestamp)).toBe(19);
  });

  test('one that changes another member than the one that is written changes no vote', async () => {
    await trigger(
      'trigger theirs after update on public.members for each row when (pg_trigger_depth() = 0)',
      `update public.members set is_active = false where external_id = '20' and new.external_id = '3'; return null;`,
    );
    const before = await votes();
    const { timestamp } = await stamp();
    expect(await votes()).toEqual(before);
    expect(await stamped(timestamp)).toBe(0);
  });

  test('one that takes its time, while another service writes, keeps nobody from the stamp', async () => {
    await query('create table public.go (at timestamptz)');
    await trigger(
      'trigger theirs before update on public.members for each statement',
      `while current_setting('application_name') = 'membership-sync' and not exists (select from public.go) loop
         perform pg_sleep(0.01);
       end loop;
       return null;`,
    );
    const stamping = stamp();
    await until(async () => {
      const waiting = `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`;
      return (await query(waiting)).length === 1;
    });
    await query(`update public.members set is_active = false where external_id = '20'`);
    await query('insert into public.go values (now())');
    const { timestamp } = await stamping;
    await query('drop table public.go');
    expect(world.logged.map(({ event }) => event)).not.toContain('stamp_postponed');
    expect([await stamped(timestamp), (await row(20))['is_active']]).toEqual([19, false]);
  });

  test('one on a table that inherits from members is one as well', async () => {
    await query(`create table public.guests () inherits (public.members);
      with moved as (delete from public.members where external_id = '3' returning *) insert into public.guests select * from moved`);
    await trigger(
      'trigger theirs before update on public.guests for each row',
      'new.is_active := false; return new;',
    );
    const before = await votes();
    await stamp();
    expect(await votes()).toEqual(before);
    await query('drop table public.guests');
  });

  test('one that deletes a member keeps the member', async () => {
    await trigger(
      'trigger theirs after update on public.members for each row',
      `delete from public.members where id = new.id and external_id = '3'; return null;`,
    );
    const before = await votes();
    const { timestamp } = await stamp();
    expect(await votes()).toEqual(before);
    expect(await stamped(timestamp)).toBe(19);
  });

  test.each([
    ['drops the mark of an unseen member', 'return null;'],
    ['keeps the mark as it was', 'new.unseen_since := old.unseen_since; return new;'],
  ])('one that %s makes no member seen', async (_what, body) => {
    await trigger(
      'trigger theirs before update of unseen_since on public.members for each row when (new.unseen_since is not null)',
      body,
    );
    const [seen] = await query(`select seen_at from public.member_sightings limit 1`);
    for (const id of [2, 3, 4]) world.django.members.remove(id);
    const held = { SYNC_LIMIT_FLOOR: '1', SYNC_MAX_REMOVALS: '1' };
    expect((await world.run({}, { settings: held })).status).toBe('held');
    const sightings = await query(
      `select s.seen_at from public.member_sightings s join public.members m using (id)
       where m.external_id in ('2', '3', '4')`,
    );
    expect(sightings).toEqual(Array(3).fill(seen));
  });

  test('one that takes whom it writes for its own keeps no leaver', async () => {
    await trigger(
      'trigger theirs before update on public.members for each row',
      `new.sync_source := 'events'; return new;`,
    );
    world.django.members.remove(2);
    for (let times = 0; times < 2; times++) {
      expect(await sync()).toMatchObject({
        status: 'partial',
        errors: [{ code: 'change_refused', external_id: '2' }],
      });
    }
    expect(await row(2)).toMatchObject({ sync_source: 'django', is_active: true });
    await query('drop function public.theirs() cascade');
    expect(await sync()).toMatchObject({ status: 'success', members_removed: 1 });
  });
});
