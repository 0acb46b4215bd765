import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatePeople, type MemberRecord } from '../../local/mockDjango/people.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startReceiver } from '../support/receiver.ts';
import { onServer } from '../support/server.ts';
import { createWorld, smallPages, type World } from '../support/world.ts';

// A role that may create in schema public puts there, while a run reads the register, whatever PostgreSQL could
// take for a function or an operator of our statements: one for every combination of usual types. A session looks
// for such things once, as it begins.
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const ROLE = `of_an_app_${randomBytes(4).toString('hex')}`;
const TYPES = '{text,name,varchar,int,bool,timestamp,timestamptz,jsonb,bytea}';
const inspect = readFileSync(
  join(import.meta.dirname, '../../lib/sync/sql/session/inspect_backend.sql'),
  'utf8',
);
const NAMES = [...(/p\.proname in \(([^)]*)\)/.exec(inspect)?.[1] ?? '').matchAll(/'(\w+)'/g)]
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
    NOTIFY_URLS: url,
    NOTIFY_SECRET: SECRET,
  };
  world = await createWorld({ ...smallPages, members: 30, database, settings });
  await database.query(`create role ${ROLE}; grant create, usage on schema public to ${ROLE}`);
});
afterAll(() => onServer(`drop role ${ROLE}`));

const plant = () =>
  database.query(`set role ${ROLE}; set check_function_bodies = off;
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
    reset role; reset check_function_bodies`);

test('nothing that is planted while a run goes on is run as us', async () => {
  await world.sync();
  const { list, update, remove, add } = world.django.members;
  const numbers = new Map(list().map(({ id, kennitala }) => [id, kennitala]));
  update(2, { name: 'Annað Nafn' });
  update(3, { kennitala: '1102870169' });
  update(5, { email: 'annad@example.is' });
  update(6, { kennitala: numbers.get(7) as string });
  update(7, { kennitala: numbers.get(6) as string });
  remove(4);
  const [newcomer] = generatePeople(1, 2);
  add({ ...(newcomer as MemberRecord), id: 31 });
  let asked = false;
  world.django.behaviour.onRequest = async ({ query }) => {
    if (asked || query['page'] !== '2') return;
    asked = true;
    await plant();
  };
  const { body } = await world.sync();
  expect(asked).toBe(true);
  expect(body).toMatchObject({
    status: 'success',
    members_added: 1,
    members_updated: 5,
    members_kennitala_changed: 3,
    members_removed: 1,
    errors: [],
  });
  // What is stamped fails no run, and what was planted could fail there in silence.
  expect((await world.bundle('syncScheduled')).output().join('\n')).not.toContain(
    'stamp_postponed',
  );
  expect(
    await database.query('select receiver from public.notification_outbox where run_id = 2'),
  ).toHaveLength(1);
});
