import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { SYNC_LOCK } from '../../lib/sync/lock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { onServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { createWorld, membersOf, type World } from '../support/world.ts';

// Others who can log in to the database: what they may put there, and what they can take.
const STRANGER = `stranger_${randomBytes(4).toString('hex')}`;
let database: TestDatabase;
let world: World;
let stranger: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  world = await createWorld({ members: 12, pageSize: 5, database });
  await database.query(`create role ${STRANGER} login password 'of-this-test'`);
});
beforeEach(async () => {
  await world.reset(12);
  const url = new URL(database.url);
  url.username = STRANGER;
  url.password = 'of-this-test';
  stranger = new pg.Client(url.href);
  stranger.on('error', () => {});
  await stranger.connect();
});
afterEach(() => stranger.end());
afterAll(() => onServer(`drop role ${STRANGER}`));

// Better matches than ours for columns of members, and for constants.
const ourFunctions = [
  'member_state(varchar, varchar, varchar, varchar, varchar, boolean, timestamp)',
  'member_state(text, varchar, varchar, varchar, varchar, boolean, timestamp)',
  'change_digest(varchar, varchar, varchar, varchar, varchar, varchar)',
  'change_digest(varchar, text, text, text, text, text)',
  'plain_name(varchar)',
  'value_digest(varchar)',
  'field_digest(int, varchar, bytea)',
];
const returned = (signature: string) =>
  signature.startsWith('member') ? 'jsonb' : signature.startsWith('plain') ? 'text' : 'bytea';

const lines = async (name: string) => (await world.bundle(name)).output().join('\n');

describe('where everybody may create in schema public', () => {
  beforeAll(() => database.query('grant create on schema public to public'));
  afterAll(() => database.query('revoke create on schema public from public'));

  test('a function that fits better than the built-in one is not run as us, and every run warns', async () => {
    await stranger.query('create table public.taken (by_role text)');
    await stranger.query('grant insert on public.taken to public');
    const body = (value: string) => `language plpgsql as $$ begin
      insert into public.taken select current_user; return ${value}; end $$`;
    for (const statement of [
      `create function public.array_position(text[], text) returns int ${body('1')}`,
      `create function public.convert_to(text, text) returns bytea ${body(`''`)}`,
      `create function public.jsonb_build_object(text, text, text, text) returns jsonb ${body(`'{}'`)}`,
      ...ourFunctions.map(
        (signature) =>
          `create function public.${signature} returns ${returned(signature)} ${body('null')}`,
      ),
      `create function public.equal(varchar, text) returns boolean ${body('true')}`,
      'create operator public.= (leftarg = varchar, rightarg = text, function = public.equal)',
    ]) {
      await stranger.query(statement);
    }
    for (const name of ['syncDryRun', 'syncScheduled', 'syncScheduled']) {
      expect((await world.post(name)).body).toMatchObject({ status: 'success' });
    }
    world.django.members.update(2, { name: 'Annað Nafn' });
    world.django.members.update(3, { kennitala: '1102870169' });
    world.django.members.remove(4);
    const { body: changed } = await world.post('syncScheduled');
    expect(changed).toMatchObject({ members_updated: 2, members_removed: 1 });
    await world.post('syncScheduled', { undo: changed.run_id });
    await world.get('syncStatus');
    await world.get('syncLogs');
    // Closed now, and what was put there while it was open is there still.
    await database.query('revoke create on schema public from public');
    expect((await world.post('syncScheduled')).status).toBe(200);
    expect(await lines('syncScheduled')).toMatch(/"planted":.*member_state\(/);
    expect(await database.query('select * from public.taken')).toEqual([]);
    for (const name of ['syncDryRun', 'syncScheduled']) {
      expect(await lines(name)).toMatch(/"event":"schema_open"/);
    }
    for (const signature of ourFunctions) await stranger.query(`drop function public.${signature}`);
    await database.query('grant create on schema public to public');
    await stranger.query(`drop operator public.= (varchar, text); drop function public.equal,
      public.array_position(text[], text), public.convert_to(text, text),
      public.jsonb_build_object(text, text, text, text); drop table public.taken`);
  });

  test('a trigger of another service that names its table without a schema is told as such', async () => {
    await withTrigger('insert into seen (name) values (new.name);', async () => {
      const { status, body } = await world.post('syncScheduled');
      expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
      expect(body.error?.message).toMatch(
        /^A trigger of another service.*set search_path = public.*\(42P01, public\.note\)\.$/,
      );
      expect(await membersOf(database)).toEqual([]);
      await database.query('alter function public.note() set search_path = public');
      expect((await world.post('syncScheduled')).body).toMatchObject({ status: 'success' });
    });
  });
});

describe('where only owners may create in schema public', () => {
  test('a trigger of another service works as its author wrote it, beside tables with our names', async () => {
    for (const name of [
      'plan',
      'incoming',
      'pair',
      'move',
      'shield',
      'applicable',
      'known_members',
    ]) {
      await database.query(
        `create table public.${name} (name text); insert into public.${name} values ('theirs')`,
      );
    }
    await withTrigger('insert into seen select new.name from plan;', async () => {
      const { body } = await world.post('syncScheduled');
      expect(body).toMatchObject({ status: 'success', members_added: 12 });
      expect(await database.query('select * from public.seen')).toHaveLength(12);
    });
    for (const name of [
      'plan',
      'incoming',
      'pair',
      'move',
      'shield',
      'applicable',
      'known_members',
    ]) {
      expect(await database.query(`select * from public.${name}`)).toEqual([{ name: 'theirs' }]);
      await database.query(`drop table public.${name}`);
    }
    expect(await lines('syncScheduled')).not.toMatch(
      /"event":"schema_open".*\n.*"members_added":12/,
    );
  });
});

test('who may create there by somebody’s will, and who may become the owner, has planted nothing', async () => {
  await database.query(`create role of_an_app; grant create, usage on schema public to of_an_app;
    create role of_owners; grant postgres to of_owners;
    create function public.log(text) returns text language sql return $1;
    alter function public.log(text) owner to of_an_app;
    alter function public.plain_name(text) owner to of_owners`);
  await withTrigger('insert into seen (name) values (new.name);', async () => {
    expect((await world.post('syncScheduled')).body).toMatchObject({ status: 'success' });
  });
  expect((await lines('syncScheduled')).split('run_id').at(-1)).not.toMatch(/planted/);
  await database.query(`drop function public.log(text); alter function public.plain_name(text) owner to current_user;
    revoke create, usage on schema public from of_an_app; drop role of_an_app; drop role of_owners`);
});

test('a role that may create there by name, and fits one of the calls of our statements, is found out', async () => {
  await database.query(`create role of_an_app login password 'of-a-test'; grant create, usage on schema public to of_an_app;
    create function public.convert_to(text, text) returns bytea language plpgsql as
      $$ begin insert into public.members (kennitala, name) values ('0101010101', 'Gestur'); return ''; end $$;
    alter function public.convert_to(text, text) owner to of_an_app`);
  expect((await world.post('syncScheduled')).body).toMatchObject({ status: 'success' });
  expect(await lines('syncScheduled')).toMatch(/"planted":\["public\.convert_to\(text,text\)"\]/);
  const rows = await database.query(`select from public.members where name = 'Gestur'`);
  await database.query(`drop function public.convert_to(text, text);
    revoke create, usage on schema public from of_an_app; drop role of_an_app`);
  expect(rows).toEqual([]);
});

/** A trigger of another service on the members, with a table of its own. */
async function withTrigger(statement: string, work: () => Promise<void>): Promise<void> {
  await database.query('create table public.seen (name text)');
  await database.query(`create function public.note() returns trigger language plpgsql as
    $$ begin ${statement} return new; end $$`);
  await database.query(`create trigger note after insert on public.members
    for each row execute function public.note()`);
  try {
    await work();
  } finally {
    await database.query('drop function public.note cascade; drop table public.seen');
  }
}

describe('what another service raises', () => {
  test.each(['42501', '55P03', '57014', '40001', '42P01', 'XX000', 'P0001'])(
    'is in no answer and no log, with SQLSTATE %s',
    async (state) => {
      const raise = `raise exception 'Jón Jónsson 0101302989 %', new.name using errcode = '${state}',
        detail = new.kennitala, hint = new.email;`;
      await withTrigger(raise, async () => {
        const { text } = await world.post('syncScheduled');
        const everything = [text, await lines('syncScheduled')].join('\n');
        expect(everything).not.toMatch(/Jón Jónsson|0101302989/);
        for (const { name, kennitala } of world.django.members.list()) {
          expect(everything).not.toContain(name);
          expect(everything).not.toContain(kennitala);
        }
      });
    },
  );
});

describe('our lock in another hand', () => {
  test('is refused with the role that holds it, and since when where that may be seen', async () => {
    await stranger.query('select pg_advisory_lock($1::bigint)', [SYNC_LOCK]);
    const { status, body } = await world.post('syncScheduled');
    expect([status, body.error?.code]).toEqual([409, 'sync_in_progress']);
    expect(body.error?.message).toMatch(
      new RegExp(`^Another service holds the lock of the sync as ${STRANGER} since 20\\d\\d-`),
    );
    const { attention } = (await world.get('syncStatus')).body;
    expect(attention).toContainEqual(
      expect.objectContaining({ code: 'lock_held', message: expect.stringContaining(STRANGER) }),
    );
    await stranger.query('select pg_advisory_unlock_all()');
    expect((await world.post('syncScheduled')).status).toBe(200);
  });

  test('a run that is going on is told with its role', async () => {
    let other: unknown;
    let asked = false;
    world.django.behaviour.onRequest = async () => {
      if (asked) return;
      asked = true;
      other = (await world.post('syncScheduled')).body.error?.message;
    };
    await world.post('syncScheduled', {}, { LOG_LEVEL: 'DEBUG' });
    await until(() => other);
    expect(other).toMatch(
      /^Another run is going on as postgres since 20.*syncStatus shows how far it is\.$/,
    );
  });
});

test('a run that cannot write its log shows in the status until one can', async () => {
  await world.run();
  await database.query(`create function public.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'no more rows'; end $$`);
  await database.query(`create trigger refuse before insert on public.sync_log
    for each row execute function public.refuse()`);
  try {
    expect((await world.post('syncScheduled')).status).toBeGreaterThanOrEqual(500);
    const { status, attention, election } = (await world.get('syncStatus')).body;
    expect([status, election]).toMatchObject(['attention', { may_open: false }]);
    expect(attention).toMatchObject([{ code: 'run_missing', since: expect.any(String) }]);
  } finally {
    await database.query('drop function public.refuse cascade');
  }
  // A call for one member does not stand for the run that could not begin.
  await world.post('syncScheduled', { external_ids: ['1'] });
  expect((await world.get('syncStatus')).body).toMatchObject({ status: 'attention' });
  await world.post('syncScheduled');
  expect((await world.get('syncStatus')).body).toMatchObject({ status: 'ok', attention: [] });
});

test('a run that is due and has left no trace shows in the status', async () => {
  await world.run();
  await database.query(`update public.sync_log set sync_timestamp = sync_timestamp - interval '71 minutes',
    finished_at = finished_at - interval '71 minutes'`);
  const { status, attention } = (await world.get('syncStatus')).body;
  expect([status, attention]).toMatchObject(['attention', [{ code: 'run_missing' }]]);
});
