import type { MemberRecord } from '../../local/mockDjango/people.ts';
import type { Row } from '../support/database.ts';
import { ADMIN_KEY } from '../support/http.ts';
import { type Receiver, startReceiver, status } from '../support/receiver.ts';
import { createWorld, type World } from '../support/world.ts';

// Nothing that we log, answer, store beside the members or send may tell who they are, or a secret,
// whatever goes wrong: every test adds to what was told, and each looks through all of it.
const TOKEN = 'token-in-a-path';
const SECRET = `whsec_${Buffer.from('of-these-tests').toString('base64')}`;
const told: string[] = [];
let world: World;
let receiver: Receiver;
let people: MemberRecord[];

beforeAll(async () => {
  receiver = await startReceiver();
  receiver.answer = status(500);
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((line) => told.push(String(line)) > 0);
  }
  world = await createWorld({
    members: 12,
    pageSize: 5,
    maxPageSize: 5,
    functions: 'in process',
    settings: {
      LOG_LEVEL: 'DEBUG',
      NOTIFY_URLS: `${receiver.url}/${TOKEN}?key=${TOKEN}`,
      NOTIFY_SECRET: SECRET,
      SYNC_MAX_REMOVALS: '0',
      SYNC_MAX_ADDITIONS: '100%',
      SYNC_MAX_KENNITALA_CHANGES: '100%',
      SYNC_LIMIT_FLOOR: '0',
    },
  });
  people = structuredClone([...world.django.members.list()]);
});
afterAll(() => {
  jest.restoreAllMocks();
});

const query = (statement: string) => world.database.query(statement);

async function ask(name: string, body: object = {}): Promise<Row> {
  const reply = await world.post(name, body);
  told.push(reply.text);
  return reply.body;
}

/** What is kept where admins and other services look, the members themselves left out. */
async function stored(): Promise<string[]> {
  const rows = await query(`
    select to_jsonb(l)::text as text from public.sync_log l
    union all select payload || coalesce(last_error, '') from public.notification_outbox`);
  return rows.map(({ text }) => String(text));
}

afterEach(async () => {
  for (const name of ['syncStatus', 'syncLogs'] as const) told.push((await world.get(name)).text);
  const everything = [...told, ...(await stored()), ...receiver.arrivals.map(({ body }) => body)];
  const { password } = new URL(world.database.url);
  const secrets = [TOKEN, SECRET, ADMIN_KEY, world.django.behaviour.key];
  if (password) secrets.push(`:${password}@`);
  for (const text of everything) {
    for (const secret of secrets) expect(text).not.toContain(secret);
    for (const { name, kennitala, email, phone } of people) {
      for (const value of [name, name.split(' ')[0], kennitala, email, phone])
        if (value) expect(text).not.toContain(value);
    }
  }
});

test('a dry run, a run, and another one after changes', async () => {
  expect(await ask('syncDryRun')).toMatchObject({ members_added: 12 });
  expect(await ask('syncScheduled')).toMatchObject({ status: 'success', members_added: 12 });
  const [first, second] = people as [MemberRecord, MemberRecord];
  world.django.members.update(1, { kennitala: '0101000101', email: 'ny@felagi.example' });
  world.django.members.update(2, { phone: `${first.phone} ${first.name}`.repeat(3) });
  world.django.members.remove(3);
  expect(await ask('syncDryRun')).toMatchObject({ held: { removals: { count: 1 } } });
  expect(await ask('syncScheduled')).toMatchObject({ status: 'held', members_updated: 1 });
  expect(receiver.arrivals.length).toBeGreaterThan(0);
  world.django.members.update(2, { phone: second.phone });
});

test('records that cannot be read, and two of one person', async () => {
  const { members } = world.django;
  const [one, two] = people as [MemberRecord, MemberRecord];
  const bad = [
    { ...one, id: 101, kennitala: Number(one.kennitala) },
    { ...one, id: 102, kennitala: `${one.kennitala}${one.name}` },
    { ...two, id: 103 },
    { ...two, id: { name: two.name } },
    { ...two, id: 105, is_active: two.name },
    { ...two, id: 106, kennitala: '0202000202', name: { first: two.name } },
    { ...two, id: 107, kennitala: '0303000303', email: `${two.email} ${two.name}` },
  ];
  const ids = bad.map((record) => members.addRaw(record));
  const { status: outcome, errors } = await ask('syncScheduled');
  expect(outcome).toBe('held');
  expect(errors).toHaveLength(6);
  for (const id of ids) members.remove(id);
});

test('a kennitala given in place of a Django id', async () => {
  const asked = world.django.requests.length;
  const [{ kennitala }] = people as [MemberRecord];
  for (const id of [kennitala, `${kennitala.slice(0, 6)}-${kennitala.slice(6)}`]) {
    expect(await ask('syncScheduled', { external_ids: [id] })).toMatchObject({
      error: { code: 'invalid_request', message: expect.stringContaining('kennitala') },
    });
  }
  expect(world.django.requests).toHaveLength(asked);
});

test.each([
  { name: 'a failure', fault: (body: object) => ({ kind: 'status', status: 500, body }) },
  { name: 'a refusal', fault: (body: object) => ({ kind: 'status', status: 403, body }) },
  { name: 'no list', fault: (body: object) => ({ kind: 'rewrite', body: () => body }) },
  { name: 'broken JSON', fault: () => ({ kind: 'malformed' }) },
  { name: 'half an answer', fault: () => ({ kind: 'truncate' }) },
])('a register that answers with $name', async ({ fault }) => {
  const end = world.django.misbehave(fault({ detail: people[0] }) as never);
  expect(await ask('syncScheduled')).toMatchObject({
    error: { code: expect.stringMatching(/^django_/) },
  });
  end();
});

const raise = (statement: string) => `
  create function public.guard() returns trigger language plpgsql as $$
    begin ${statement} return new; end $$;
  create trigger guard before insert or update on public.members
    for each row execute function public.guard()`;

test.each([
  {
    name: 'a trigger that names the member',
    make: raise(`raise exception 'member % (%) is blocked', new.name, new.kennitala
      using detail = new.email, hint = new.phone;`),
  },
  { name: 'a trigger that fails on a value', make: raise('perform new.name::int;') },
  {
    name: 'a constraint that a row violates',
    make: 'alter table public.members add constraint short check (length(name) < 1) not valid',
  },
  {
    name: "another service's unique index",
    make: 'create unique index one_source on public.members (sync_source, is_active) where id < 0 or id > 12',
  },
])('$name', async ({ make }) => {
  await query(make);
  const ids = [201, 202].map((id) => {
    const [one] = people as [MemberRecord];
    return world.django.members.add({ ...one, id, kennitala: `0505000${id}` }).id;
  });
  const { errors } = await ask('syncScheduled');
  expect(errors).toContainEqual(
    expect.objectContaining({
      code: 'change_refused',
      external_id: '202',
      message: expect.stringMatching(/^the database refuses it: .*\([0-9P]{5}\)$/),
    }),
  );
  for (const id of ids) world.django.members.remove(id);
  await query(`drop trigger if exists guard on public.members; drop function if exists public.guard;
    alter table public.members drop constraint if exists short; drop index if exists one_source`);
});

test('rows of other services whose number is a kennitala or an address', async () => {
  const [one, two] = people as [MemberRecord, MemberRecord];
  await world.database.query(
    `insert into public.members (kennitala, name, sync_source, external_id) values
       ('0404000404', 'Ókunn Ein', 'django', $1), ('0404000405', 'Ókunnur Tveir', 'events', $2),
       ('0404000406', 'Ókunn Þrjú', 'django', $3)`,
    [one.kennitala, two.email, two.name],
  );
  const { changes, next } = await ask('syncDryRun', { limit: 1 });
  const digits = one.kennitala.slice(0, 6);
  told.push(Buffer.from(String(next), 'base64url').toString());
  await ask('syncDryRun', { after: next });
  await ask('syncScheduled');
  expect(changes).toHaveLength(1);
  for (const list of ['unseen_members', 'removals_unconfirmed', 'suspended']) {
    told.push((await world.get(`syncStatus?list=${list}`)).text);
  }
  expect(told.some((text) => text.includes(`"external_id":"${digits}-****"`))).toBe(true);
  for (const kennitala of ['0404000404', '0404000405', '0404000406']) {
    told.push((await world.post('syncLogs', { kennitala })).text);
  }
  await world.database.query(`delete from public.members where kennitala like '040400040_'`);
});
