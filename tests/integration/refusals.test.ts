import type { Row } from '../support/database.ts';
import { startDatabaseProxy } from '../support/databaseProxy.ts';
import { createWorld, type World } from '../support/world.ts';

// What the database refuses is one member's business: that change is set aside with the name of the rule, and all
// others are made. What is about no member is one error.
let world: World;
beforeAll(async () => {
  world = await createWorld({
    members: 30,
    pageSize: 10,
    settings: { SYNC_LIMIT_FLOOR: '1000' },
  });
});
let repair: string[] = [];
beforeEach(async () => {
  await world.reset(30);
  await world.run();
});
afterEach(async () => {
  for (const statement of repair) await world.database.query(statement);
  repair = [];
});

const query = <R = Row>(statement: string) => world.database.query<R>(statement);
const sync = async (body = {}, settings = {}) =>
  (await world.post('syncScheduled', body, settings)).body;
const register = () => world.django.members;
const kennitalaOf = (id: number) => register().get(id)?.kennitala ?? '';
const row = async (id: number): Promise<Row> =>
  (await query(`select * from public.members where external_id = '${id}'`))[0] as Row;
const attention = async () => (await world.get('syncStatus')).body['attention'];

/** A rule of another service, until the end of the test. */
async function rule(make: string, undo: string): Promise<void> {
  repair.unshift(undo);
  await query(make);
}

async function trigger(body: string, when = 'before insert or update'): Promise<void> {
  await rule(
    `create function public.rule() returns trigger language plpgsql as $$ begin ${body} end $$`,
    'drop function public.rule cascade',
  );
  await query(`create trigger their_rule ${when} on public.members
    for each row execute function public.rule()`);
}

/** Two changes that are well, and what the run answers for the third, of member 1. */
async function alone(result: Awaited<ReturnType<typeof sync>>, message: RegExp | string) {
  expect(result).toMatchObject({ status: 'partial', error_count: 1 });
  expect(result.errors).toEqual([
    { code: 'change_refused', external_id: '1', message: expect.stringMatching(message) },
  ]);
  expect(await attention()).toMatchObject([{ code: 'changes_refused', count: 1 }]);
  const again = await sync();
  expect(again.errors).toEqual(result.errors);
  expect(again).toMatchObject({ members_updated: 0, members_added: 0, members_removed: 0 });
}

/** Without the rule the change is made, and nothing waits any more. */
async function settled() {
  for (const statement of repair) await query(statement);
  repair = [];
  expect(await sync()).toMatchObject({ status: 'success' });
  expect(await attention()).toEqual([]);
}

const others = () => {
  register().update(2, { name: 'Annað Nafn' });
  register().remove(3);
  register().add({ id: 40 });
};
const applied = { members_updated: 1, members_removed: 1, members_added: 1 };

describe('one row that is refused', () => {
  test('by a trigger that raises, on an update', async () => {
    await trigger(
      `if new.external_id = '1' and new.name <> old.name then
      raise exception 'Jón 0101302989' using errcode = 'P0001'; end if; return new;`,
      'before update',
    );
    others();
    register().update(1, { name: 'Bannað' });
    const result = await sync();
    expect(result).toMatchObject(applied);
    await alone(result, /^the database refuses it: function (?:public\.)?rule \(P0001\)$/);
    await settled();
    expect(await row(1)).toMatchObject({ name: 'Bannað' });
  });

  test('by a trigger with the SQLSTATE of something else', async () => {
    await trigger(
      `if new.external_id = '1' and not new.is_active then
      raise exception 'Jón' using errcode = '42501'; end if; return new;`,
      'before update',
    );
    others();
    register().remove(1);
    const result = await sync({}, { SYNC_CONFIRM_REMOVALS: 'never' });
    expect(result).toMatchObject(applied);
    expect(result.errors).toMatchObject([{ code: 'change_refused', external_id: '1' }]);
    expect(await row(1)).toMatchObject({ is_active: true });
  });

  test('by a trigger that drops it without a word', async () => {
    await trigger(
      `if new.external_id = '1' and new.name <> old.name then return null; end if;
      return new;`,
      'before update',
    );
    others();
    register().update(1, { name: 'Hverfur' });
    const result = await sync();
    expect(result).toMatchObject(applied);
    await alone(
      result,
      /^the database refuses it: a trigger of another service \(their_rule\) undoes it/,
    );
    await settled();
  });

  test('by a trigger that drops a new member without a word', async () => {
    await trigger(
      `if new.external_id = '50' then return null; end if; return new;`,
      'before insert',
    );
    register().add({ id: 50 });
    register().add({ id: 51 });
    const result = await sync();
    expect(result).toMatchObject({ status: 'partial', members_added: 1 });
    expect(result.errors).toMatchObject([
      { code: 'change_refused', external_id: '50', message: expect.stringContaining('their_rule') },
    ]);
    await settled();
  });

  test('by a trigger that keeps who has left', async () => {
    await trigger('new.is_active := true; return new;', 'before update');
    register().remove(1);
    register().update(2, { name: 'Annað Nafn' });
    const result = await sync();
    expect(result).toMatchObject({ status: 'partial', members_removed: 0, members_updated: 1 });
    expect(result.errors).toMatchObject([{ code: 'change_refused', external_id: '1' }]);
  });

  test('by a check, a unique index and a foreign key, each by its name', async () => {
    await rule(
      `alter table public.members add constraint no_x check (name not like '%X%')`,
      'alter table public.members drop constraint no_x',
    );
    await rule(
      'create unique index one_email on public.members (lower(email))',
      'drop index public.one_email',
    );
    others();
    register().update(1, { name: 'X' });
    register().update(4, { email: String(register().get(5)?.email).toUpperCase() });
    const result = await sync();
    expect(result).toMatchObject({ status: 'partial', ...applied });
    expect(result.errors).toEqual([
      expect.objectContaining({
        external_id: '1',
        message: 'the database refuses it: constraint no_x, table members (23514)',
      }),
      expect.objectContaining({
        external_id: '4',
        message: 'the database refuses it: constraint one_email, table members (23505)',
      }),
    ]);
    expect(JSON.stringify(result)).not.toContain(kennitalaOf(1));
    await settled();
  });

  test('by a domain, a narrower column, an exclusion and a generated column', async () => {
    await rule(
      `create domain public.short_phone as varchar(13) check (value not like '%9999%');
       alter table public.members alter column phone type public.short_phone`,
      'alter table public.members alter column phone type varchar(20); drop domain public.short_phone',
    );
    await rule(
      `alter table public.members add column name_length int generated always as (100 / nullif(length(name) - 7, 0)
        + 1 / (length(name) - 3)) stored`,
      'alter table public.members drop column name_length',
    );
    await rule(
      `alter table public.members add constraint no_two exclude (name with =) where (name like 'Tvíburi%')`,
      'alter table public.members drop constraint no_two',
    );
    others();
    register().update(1, { phone: '+354 999 9999' });
    register().update(4, { name: 'Abc' });
    register().update(5, { name: 'Tvíburi' });
    register().update(6, { name: 'Tvíburi' });
    register().add({ id: 5000, phone: '+354 111 11111' });
    const result = await sync();
    expect(result).toMatchObject({ members_updated: 2, members_removed: 1, members_added: 1 });
    expect(result.errors.map(({ external_id, message }) => [external_id, message])).toEqual([
      ['5000', 'the database refuses it: type character varying(13) (22001)'],
      ['1', 'the database refuses it: constraint short_phone_check (23514)'],
      ['4', 'the database refuses it: table members (22012)'],
      ['6', 'the database refuses it: constraint no_two, table members (23P01)'],
    ]);
    await settled();
  });

  test('by another node, which names the part of the table that it has', async () => {
    const theirs = 'public."while executing command on worker-1:5432"()';
    await query(`create function ${theirs} returns trigger language plpgsql as $$ begin
        if new.name = 'Tvöfalt' then
          raise exception 'duplicate key value violates unique constraint "members_pkey_102008"' using errcode = '23505';
        end if;
        return new;
      end $$;
      create trigger theirs before update on public.members for each row execute function ${theirs}`);
    register().update(1, { name: 'Tvöfalt' });
    const { errors } = await sync();
    await query(`drop function ${theirs} cascade`);
    expect(errors[0]?.message).toMatch(/, constraint members_pkey, table members \(23505\)$/);
  });

  test('at the commit, by a deferred constraint', async () => {
    await rule(
      `create function public.late() returns trigger language plpgsql as $$ begin
        if new.name = 'Seint' then raise exception using errcode = '23514', constraint = 'too_late'; end if;
        return null; end $$`,
      'drop function public.late cascade',
    );
    await query(`create constraint trigger late after update on public.members deferrable initially deferred
      for each row execute function public.late()`);
    others();
    register().update(1, { name: 'Seint' });
    const result = await sync();
    expect(result).toMatchObject(applied);
    await alone(result, /function (?:public\.)?late \(23514\)/);
    await settled();
  });

  test('by an undo', async () => {
    register().update(1, { name: 'Nýtt' });
    register().update(2, { name: 'Annað Nafn' });
    const { run_id } = await sync();
    await trigger(`if new.external_id = '1' then raise 'no'; end if; return new;`, 'before update');
    const undone = await sync({ undo: run_id });
    expect(undone).toMatchObject({ status: 'partial', members_updated: 1 });
    expect(undone.errors).toMatchObject([{ code: 'change_refused', external_id: '1' }]);
    expect(await row(1)).toMatchObject({ name: 'Nýtt' });
  });
});

test('refused rows cost tries by their number and the logarithm of all, and none costs none', async () => {
  await world.reset(500);
  const proxy = await startDatabaseProxy(world.database.url);
  const settings = { DATABASE_URL: proxy.url };
  const tries = async () => {
    const from = proxy.statements.length;
    const result = await world.run({}, { settings });
    const made = proxy.statements
      .slice(from)
      .filter((one) => one.includes('insert into public.member_changes'));
    return { result, tries: made.length };
  };
  expect(await tries()).toMatchObject({ tries: 1, result: { members_added: 500 } });
  await trigger(
    `if new.external_id in ('7', '250') and new.name <> old.name then raise 'no'; end if;
    return new;`,
    'before update',
  );
  for (const { id } of [...register().list()]) register().update(id, { name: `Nafn ${id}` });
  const { result, tries: made } = await tries();
  expect(result).toMatchObject({ members_updated: 498, error_count: 2 });
  // 2 · 2 · log2(500)
  expect(made).toBeLessThanOrEqual(37);
});

/** Whose phone number becomes 0 is refused. */
const refuseNoughts = () =>
  rule(
    `alter table public.members add constraint has_phone check (phone <> '0') not valid`,
    'alter table public.members drop constraint has_phone',
  );

test('many refused rows before the others hold nobody else up, run after run', async () => {
  await world.reset(200);
  await world.run();
  await refuseNoughts();
  for (let id = 1; id <= 120; id += 1) register().update(id, { phone: '0' });
  register().remove(150);
  expect(await sync()).toMatchObject({ status: 'partial', members_removed: 1, error_count: 120 });
  register().remove(151);
  register().update(140, { name: 'Nýtt' });
  const next = await sync();
  expect(next).toMatchObject({ status: 'partial', members_removed: 1, members_updated: 1 });
});

// A run tries for some seconds: how much that is depends on the machine.
const MOST_RUNS = 12;

test('a leaver leaves beside more refused changes than a run tries', async () => {
  await world.reset(700);
  await world.run();
  await refuseNoughts();
  for (let id = 1; id <= 690; id += 1) register().update(id, { phone: '0' });
  register().remove(695);
  const settings = { SYNC_MAX_UPDATES: '100%' };
  const first = await world.run({}, { settings });
  expect(first).toMatchObject({ status: 'partial', members_removed: 1, members_updated: 0 });
  register().remove(696);
  register().update(697, { name: 'Nýtt' });
  const second = await world.run({}, { settings });
  expect(second).toMatchObject({ status: 'partial', members_removed: 1 });
  // Those that were not tried have their turn before those that were refused.
  const nameOf697 = async () => (await row(697))['name'];
  for (let runs = 0; runs < MOST_RUNS && (await nameOf697()) !== 'Nýtt'; runs += 1) {
    await world.run({}, { settings });
  }
  expect(await nameOf697()).toBe('Nýtt');
});

test('tries have an end, what was not tried waits, and is tried before what was refused', async () => {
  await world.reset(400);
  await world.run();
  await trigger(
    `if new.external_id::int % 2 = 0 and new.name <> old.name then raise 'no'; end if; return new;`,
    'before update',
  );
  for (const { id } of [...register().list()]) register().update(id, { name: `Nafn ${id}` });
  const limits = { SYNC_MAX_UPDATES: '100%' };
  const first = await world.run({}, { settings: limits });
  const waiting = first.errors.filter(({ message }) => message.includes('was not tried'));
  expect(first.status).toBe('partial');
  expect(first.members_updated).toBeGreaterThan(0);
  expect(waiting.length + first.members_updated).toBeGreaterThan(0);
  const changed = async () => {
    const [{ n }] = (await query(
      `select count(*)::int as n from public.members where name = 'Nafn ' || external_id`,
    )) as [Row];
    return n;
  };
  for (let runs = 0; runs < MOST_RUNS && (await changed()) !== 200; runs += 1) {
    await world.run({}, { settings: limits });
  }
  expect(await changed()).toBe(200);
  // What is left is refused to the last, and known: no reason to fail.
  const last = await world.run({}, { settings: limits });
  expect(last).toMatchObject({ status: 'partial', error_count: 200 });
});

describe('what is about no row is one error, with the names of PostgreSQL', () => {
  const expectOne = async (message: RegExp) => {
    others();
    const { status, body } = await world.post('syncScheduled');
    expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
    expect(body.error?.message).toMatch(message);
    const [{ n }] = (await query(
      `select count(*)::int as n from public.members where name = 'Annað Nafn'`,
    )) as [Row];
    expect(n).toBe(0);
  };

  test('a sequence that is behind', async () => {
    await query(`select setval('public.members_id_seq', 1)`);
    await expectOne(/^The sequence of members\.id is behind.*setval.*\(23505\)\.$/);
  });

  test('a sequence that is at its end', async () => {
    await rule(
      'alter sequence public.members_id_seq maxvalue 30',
      'alter sequence public.members_id_seq no maxvalue',
    );
    await query(`select setval('public.members_id_seq', 30)`);
    await expectOne(/^The sequence members_id_seq has no number left.*\(2200H\)\.$/);
  });

  test('a column of another service that must have a value', async () => {
    await rule(
      'alter table public.members add column region int',
      'alter table public.members drop column region',
    );
    await query(
      'update public.members set region = 1; alter table public.members alter column region set not null',
    );
    await expectOne(/^The column region of members must have a value.*\(23502\)\.$/);
  });

  test('a trigger that refuses each change', async () => {
    await world.reset(300);
    await world.run();
    await trigger(`raise 'frozen';`);
    for (const { id } of [...register().list()]) register().update(id, { name: `Nafn ${id}` });
    const body = await sync();
    expect(body.error?.message).toMatch(
      /^The database refuses every change: function (?:public\.)?rule \(P0001\)\.$/,
    );
  });
});

/** One with its check digit, of somebody born on the first of January 1980. */
function realKennitala(serial: number): string {
  for (let number = 20 + serial * 2; ; number++) {
    const digits = `${10 + (serial % 19)}0180${number}`;
    const sum = [...digits].reduce(
      (all, digit, at) => all + Number(digit) * Number('32765432'[at]),
      0,
    );
    const check = (11 - (sum % 11)) % 11;
    if (check < 10) return `${digits}${check}9`;
  }
}

describe('kennitölur that change hands', () => {
  const swap = (one: number, two: number) => {
    const [a, b] = [kennitalaOf(one), kennitalaOf(two)];
    register().update(one, { kennitala: b });
    register().update(two, { kennitala: a });
    return async () => {
      expect(await row(one)).toMatchObject({ kennitala: b });
      expect(await row(two)).toMatchObject({ kennitala: a });
    };
  };

  test.each([
    {
      name: 'a check for ten digits',
      make: `alter table public.members add constraint digits check (kennitala ~ '^[0-9]{10}$')`,
      undo: 'alter table public.members drop constraint digits',
    },
    {
      name: 'a foreign key that follows',
      make: `create table public.votes (kennitala varchar(10) references public.members (kennitala) on update cascade);
        insert into public.votes select kennitala from public.members`,
      undo: 'drop table public.votes',
    },
    {
      name: 'a foreign key that nothing hangs on',
      make: 'create table public.votes (kennitala varchar(10) references public.members (kennitala))',
      undo: 'drop table public.votes',
    },
    {
      name: 'a check of day, month and check digit',
      make: `create function public.is_kennitala(k text) returns boolean language sql immutable return
          substr(k, 1, 2)::int between 1 and 31 and substr(k, 3, 2)::int between 1 and 12
          and substr(k, 9, 1)::int = (11 - (3 * substr(k, 1, 1)::int + 2 * substr(k, 2, 1)::int + 7 * substr(k, 3, 1)::int
            + 6 * substr(k, 4, 1)::int + 5 * substr(k, 5, 1)::int + 4 * substr(k, 6, 1)::int + 3 * substr(k, 7, 1)::int
            + 2 * substr(k, 8, 1)::int) % 11) % 11 and right(k, 1) in ('8', '9', '0');
        alter table public.members add constraint real_one check (public.is_kennitala(kennitala)) not valid`,
      undo: 'alter table public.members drop constraint real_one; drop function public.is_kennitala',
    },
  ])('a swap and a chain work beside $name', async ({ make, undo }) => {
    await rule(make, undo);
    for (let id = 1; id <= 30; id++) register().update(id, { kennitala: realKennitala(id) });
    await sync({});
    const swapped = swap(1, 2);
    const [three, four] = [kennitalaOf(3), kennitalaOf(4)];
    register().update(3, { kennitala: four });
    register().update(4, { kennitala: kennitalaOf(5) });
    register().update(5, { kennitala: realKennitala(31) });
    const result = await sync({});
    expect(result).toMatchObject({ status: 'success', members_updated: 5 });
    await swapped();
    expect(await row(3)).toMatchObject({ kennitala: four });
    // And back, as an undo.
    const back = await sync({ undo: result.run_id });
    expect(back).toMatchObject({ status: 'success', members_updated: 5 });
    expect(await row(3)).toMatchObject({ kennitala: three });
  });

  test('beside a foreign key that holds one of them, both wait, and the rest is done', async () => {
    await rule(
      'create table public.votes (kennitala varchar(10) references public.members (kennitala))',
      'drop table public.votes',
    );
    await query(
      `insert into public.votes select kennitala from public.members where external_id = '1'`,
    );
    swap(1, 2);
    const swapped = swap(3, 4);
    const result = await sync();
    expect(result).toMatchObject({ status: 'partial', members_updated: 2 });
    expect(result.errors.map(({ code, external_id }) => [code, external_id])).toEqual([
      ['change_refused', '1'],
      ['change_refused', '2'],
    ]);
    expect(result.errors[0]?.message).toContain(
      'constraint votes_kennitala_fkey, table votes (23503)',
    );
    await swapped();
    await settled();
  });

  test('what needs the kennitala of a change that is refused waits with it, and what it needs does not', async () => {
    await trigger(
      `if new.external_id = '2' and new.kennitala <> old.kennitala then raise 'no'; end if;
      return new;`,
      'before update',
    );
    const [one, two, three] = [kennitalaOf(1), kennitalaOf(2), kennitalaOf(3)];
    register().update(1, { kennitala: two });
    register().update(2, { kennitala: three });
    register().update(3, { kennitala: '1102870169' });
    const result = await sync();
    expect(result).toMatchObject({ status: 'partial', members_updated: 1 });
    expect(result.errors).toMatchObject([
      { code: 'change_refused', external_id: '2' },
      { code: 'change_waits', external_id: '1' },
    ]);
    expect([await row(1), await row(2), await row(3)]).toMatchObject([
      { kennitala: one },
      { kennitala: two },
      { kennitala: '1102870169' },
    ]);
    await settled();
  });
});

describe('what is stored is what is told', () => {
  test('a value that a trigger writes otherwise is told once, and planned no more', async () => {
    await trigger('new.email := lower(new.email); return new;');
    register().update(1, { email: 'Jona@Felagi.example' });
    register().add({ id: 60, email: 'Ny@Felagi.example' });
    const first = await sync();
    expect(first).toMatchObject({ status: 'partial', members_updated: 1, members_added: 1 });
    expect(first.errors).toEqual(
      ['1', '60'].map((external_id) => ({
        code: 'value_rewritten',
        external_id,
        message: expect.stringContaining('stores email otherwise'),
      })),
    );
    expect(
      (await world.changes(Number(first.run_id)))
        .map(({ after }) => (after as Row)['email'])
        .sort(),
    ).toEqual(['jona@felagi.example', 'ny@felagi.example']);
    for (const _ of ['once', 'and again']) {
      expect(await sync()).toMatchObject({ status: 'success', members_updated: 0, error_count: 0 });
    }
    expect(await attention()).toEqual([]);
    // Another field of that member is a change still, and the value stays as it is.
    register().update(1, { name: 'Jóna' });
    const second = await sync();
    expect(second).toMatchObject({ status: 'success', members_updated: 1 });
    expect((await world.changes(Number(second.run_id)))[0]).toMatchObject({ fields: ['name'] });
    // A new value is a change, and is not told again.
    register().update(1, { email: 'Jona.J@Felagi.example' });
    expect(await sync()).toMatchObject({ status: 'success', members_updated: 1, error_count: 0 });
    expect(await sync()).toMatchObject({ members_updated: 0 });
  });

  test('it makes no undo impossible, and no member that did not change an updated one', async () => {
    await trigger('new.email := lower(new.email); return new;');
    const before = await row(1);
    register().update(1, { email: 'Jona@Felagi.example' });
    const { run_id } = await sync();
    expect(await sync({ undo: run_id })).toMatchObject({ status: 'success', members_updated: 1 });
    expect(await row(1)).toMatchObject({ email: before['email'] });
    register().update(2, { email: String((await row(2))['email']).toUpperCase() });
    const same = await sync();
    expect(same).toMatchObject({ members_updated: 0 });
    expect(await world.changes(Number(same.run_id))).toEqual([]);
    expect(same.errors).toMatchObject([{ code: 'value_rewritten', external_id: '2' }]);
    expect(await sync()).toMatchObject({ error_count: 0 });
  });
});
