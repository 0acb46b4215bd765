import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatePeople, type MemberRecord } from '../../local/mockDjango/people.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startReceiver } from '../support/receiver.ts';
import { createWorld, smallPages, type World } from '../support/world.ts';

// In schema public is whatever PostgreSQL could take for a function or an operator of our statements: one for every
// combination of usual types. A session looks for such things once, as it begins, and passes over those of owners that
// are trusted; so what these own here stands for what a stranger puts there while a run goes on.
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const TYPES = '{text,name,varchar,int,bool,timestamp,timestamptz,jsonb,bytea}';
const findPlanted = readFileSync(
  join(import.meta.dirname, '../../lib/sync/sql/session/find_planted.sql'),
  'utf8',
);
const NAMES = [...(/p\.proname in \(([^)]*)\)/.exec(findPlanted)?.[1] ?? '').matchAll(/'(\w+)'/g)]
  .map(([, name]) => name)
  .join(',');
const OPERATORS = '{=,<>,<,>,<=,>=,||,->,->>,-,+,*,@>,?}';

let database: TestDatabase;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase();
  const { url } = await startReceiver();
  const settings = {
    ...smallPages.settings,
    SYNC_STAMP_HOURS: '0',
    AUDIT_RETENTION_DAYS: '30',
    NOTIFY_URLS: url,
    NOTIFY_SECRET: SECRET,
  };
  world = await createWorld({ ...smallPages, members: 30, database, settings });
  await world.sync();
  await plant();
});

const plant = () =>
  database.query(`set check_function_bodies = off;
    do $do$
    declare
      name text; a text; b text; sign text;
    begin
      foreach a in array '${TYPES}'::text[] loop
        foreach name in array '{${NAMES}}'::text[] loop
          continue when to_regprocedure(format('public.%I(%s)', name, a)) is not null;
          execute format('create function public.%1$I(%2$s) returns text language plpgsql as $$
            begin raise exception ''planted: %1$s(%2$s)''; end $$', name, a);
        end loop;
        foreach b in array '${TYPES}'::text[] loop
          foreach name in array '{${NAMES}}'::text[] loop
            continue when to_regprocedure(format('public.%I(%s, %s)', name, a, b)) is not null;
            execute format('create function public.%1$I(%2$s, %3$s) returns text language plpgsql as $$
              begin raise exception ''planted: %1$s(%2$s, %3$s)''; end $$', name, a, b);
          end loop;
          execute format('create function public.compare(%1$s, %2$s) returns bool language plpgsql as $$
            begin raise exception ''planted: an operator of %1$s and %2$s''; end $$', a, b);
          foreach sign in array '${OPERATORS}'::text[] loop
            execute format('create operator public.%1$s (leftarg = %2$s, rightarg = %3$s, function = public.compare)', sign, a, b);
          end loop;
        end loop;
      end loop;
    end $do$;
    reset check_function_bodies`);

test('nothing that is planted in schema public is run as us', async () => {
  const { list, update, remove, add, addRaw } = world.django.members;
  const numbers = new Map(list().map(({ id, kennitala }) => [id, kennitala]));
  update(2, { name: 'Annað Nafn' });
  update(3, { kennitala: '1102870169' });
  update(5, { email: 'annad@example.is' });
  update(6, { kennitala: numbers.get(7) as string });
  update(7, { kennitala: numbers.get(6) as string });
  remove(4);
  const [newcomer] = generatePeople(1, 2);
  add({ ...(newcomer as MemberRecord), id: 31 });
  const { body } = await world.sync();
  expect(body).toMatchObject({
    status: 'success',
    members_added: 1,
    members_updated: 5,
    members_kennitala_changed: 3,
    members_removed: 1,
    errors: [],
  });
  expect(
    await database.query('select receiver from public.notification_outbox where run_id = 2'),
  ).toHaveLength(1);
  // What was undone is held, follows its person, and goes.
  const undone = (await world.sync({ undo: 2 })).body;
  expect(undone).toMatchObject({ status: 'success', members_removed: 1, members_updated: 5 });
  update(31, { phone: '5550031' });
  const held = (await world.sync()).body;
  expect(held).toMatchObject({ status: 'held', held: { additions: { reason: 'undone' } } });
  const again = (await world.sync({ plan: held.plan })).body;
  expect(again).toMatchObject({ status: 'success', members_added: 0, members_reactivated: 1 });
  // A refused row, one that is rewritten, a broken record, one suspended by hand, and one of another service.
  // What is stamped or pruned fails no run, and what was planted could fail there in silence.
  const log = async () => (await world.bundle('syncScheduled')).output().join('\n');
  expect(await log()).not.toMatch(/stamp_postponed|prune_failed|notifications_postponed|planted/);
  await database.query(`create function public.theirs() returns trigger language plpgsql as $$ begin
      if new.email is not null then new.email := 'other@example.is'; end if; return new; end $$;
    create trigger theirs before update on public.members for each row execute function public.theirs();
    alter table public.members add constraint theirs check (phone::text <> '5550008') not valid;
    update public.members set is_active = false where external_id::text = '10'`);
  update(8, { phone: '5550008' });
  update(9, { phone: '5550009' });
  addRaw({ id: 40, kennitala: 'x' });
  remove(11);
  const partial = (await world.sync()).body;
  expect(partial).toMatchObject({ status: 'partial', members_updated: 1, members_removed: 1 });
  expect([...new Set(partial.errors?.map(({ code }) => code))].sort()).toEqual([
    'change_refused',
    'invalid_kennitala',
    'value_rewritten',
  ]);
  for (const call of [{ external_ids: ['10'], release: true }, { external_ids: ['12', '11'] }]) {
    const { status } = await world.sync(call);
    expect(status).toBe(200);
  }
  expect((await world.post('syncDryRun', { details: true })).status).toBe(200);
  for (const look of ['syncStatus', 'syncLogs', 'syncLogs?external_id=10', 'syncLogs?run_id=2']) {
    expect((await world.get(look)).status).toBe(200);
  }
  expect(await log()).not.toMatch(/prune_failed|notifications_postponed|planted/);
});
