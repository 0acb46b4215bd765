import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterTests } from '../support/cleanUp.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

// What others say of a member, or of themselves, at the built functions: it reaches neither log nor sync_log.

const name = 'Jóna Jónsdóttir';
let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 5, functions: 'built' });
});
beforeEach(() => world.reset(5));

async function everythingKept(): Promise<string> {
  const rows = await world.database.query(
    'select to_jsonb(l) as kept from public.sync_log l union all select to_jsonb(o) from public.notification_outbox o',
  );
  const { output } = await world.bundle('syncScheduled');
  await until(() => output().some((line) => line.includes('"event":"request"')));
  return JSON.stringify(rows) + output().join('\n');
}

describe("a trigger of another service raises a member's name", () => {
  const raise = (options: string) =>
    `raise exception using message = new.name, detail = new.kennitala, hint = new.email${options}`;
  const code = (state: string) => raise(`, errcode = '${state}'`);
  afterEach(async () => {
    await world.database.query('drop trigger if exists others on public.members');
  });

  test.each([
    ['without a code', raise('')],
    ['as a broken rule', code('23514')],
    ['as a missing right', code('42501')],
    ['as a refused login', code('28000')],
    ['as a conflict', code('40001')],
    ['as a lock', code('55P03')],
    ['as a cancelled statement', code('57014')],
    ['as a lost connection', code('57P01')],
    ['as a connection that failed', code('08006')],
    ['as a full disk', code('53100')],
    ['as a missing table', code('42P01')],
    ['as a missing feature', code('0A000')],
    ['as an internal error', code('XX000')],
    ['as a state of its own', code('MS001')],
    [
      'as the name of a table and a constraint',
      raise(", errcode = '23514', table = new.name, constraint = new.name, column = new.name"),
    ],
    ['in a statement that fails', "execute format('select %I from public.members', new.name)"],
    ['in a value that is no number', 'perform new.name::int'],
    [
      'in a notice and a warning',
      "raise notice '%', new.name; raise warning '%', new.name; return null",
    ],
  ])('%s', async (_how, statement) => {
    await world.database.query(`
      create or replace function public.others() returns trigger language plpgsql as
        $$ begin ${statement}; return new; end $$;
      create trigger others before insert or update on public.members
        for each row execute function public.others();`);
    for (const person of world.django.members.list()) person.name = name;
    const reply = await world.post('syncScheduled');
    expect(reply.text + (await everythingKept())).not.toMatch(/Jóna|Jónsdóttir/);
    for (const { kennitala, email } of world.django.members.list()) {
      const kept = reply.text + (await everythingKept());
      expect(kept).not.toContain(kennitala);
      expect(kept).not.toContain(String(email));
    }
  });
});

test('a register that redirects elsewhere: its caller learns where to, and nobody else', async () => {
  const moved = createServer((_request, response) =>
    response.writeHead(301, { Location: 'https://secret-host.example.is/api/members/' }).end(),
  ).listen(0, '127.0.0.1');
  afterTests(() => moved.close());
  await until(() => moved.listening);
  const settings = { DJANGO_BASE_URL: `http://127.0.0.1:${(moved.address() as AddressInfo).port}` };
  for (const target of ['syncScheduled', 'syncDryRun']) {
    const reply = await world.post(target, {}, settings);
    expect(reply.status).toBe(502);
    expect(reply.body.error).toMatchObject({
      code: 'django_error',
      message: expect.stringContaining('leads to another origin'),
      redirected_to: 'https://secret-host.example.is',
    });
    const { output } = await world.bundle(target, settings);
    await until(() => output().some((line) => line.includes('"error_code":"django_error"')));
    expect(output().join('\n')).not.toContain('secret-host');
  }
  expect(JSON.stringify(await world.lastRun())).not.toContain('secret-host');
  const logs = await world.get('syncLogs');
  expect(logs.text).toContain('leads to another origin');
  expect(logs.text).not.toContain('secret-host');
});
