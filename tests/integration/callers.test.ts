import { until } from '../support/until.ts';
import { createWorld, type Settings, type World } from '../support/world.ts';

// Callers by what they may do, at the built functions: an account that reports changes of the register, or
// starts the hourly run, can neither empty the table nor approve it.

const WEBHOOK_KEY = 'the-key-of-the-webhook-in-the-tests';
const hook = 'hook@p.iam.gserviceaccount.com';
const scheduler = 'scheduler@p.iam.gserviceaccount.com';
const page = 'page@p.iam.gserviceaccount.com';
const behindIam: Settings = {
  AUTH_MODE: 'iam',
  ALLOWED_CALLERS: `admin@x.is,${hook},${scheduler.toUpperCase()}`,
  WEBHOOK_CALLERS: ` Hook@P.iam.gserviceaccount.com ,`,
  SCHEDULER_CALLERS: scheduler,
  ADMIN_PAGE_CALLER: page,
};
const atPublicUrl: Settings = { WEBHOOK_KEY };

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** As the platform leaves an identity token: its claims, and no signature. */
const as = (claims: string | object, headers: Record<string, string> = {}) => ({
  key: `${part({ alg: 'RS256' })}.${part(typeof claims === 'string' ? { email: claims, sub: '1', email_verified: true } : claims)}.SIGNATURE_REMOVED_BY_GOOGLE`,
  headers,
});
const withKey = { key: WEBHOOK_KEY };

let world: World;
let before: number[];
beforeAll(async () => {
  world = await createWorld({ members: 60, functions: 'built' });
});
beforeEach(async () => {
  await world.reset(60);
  await world.run();
  // More have left than the limits allow.
  for (const { id } of world.django.members.list().slice(0, 30)) world.django.members.remove(id);
  before = await world.active();
});

const digest = async () => (await world.dryRun()).plan;
const runs = async () =>
  (await world.database.query('select count(*)::int as count from public.sync_log'))[0]?.['count'];

describe.each([
  { who: 'the account of the webhook', settings: behindIam, sending: as(hook) },
  {
    who: 'the account of the webhook in capitals',
    settings: behindIam,
    sending: as(hook.toUpperCase()),
  },
  { who: 'the key of the webhook', settings: atPublicUrl, sending: withKey },
])('$who', ({ settings, sending }) => {
  test('reports members', async () => {
    const reply = await world.post(
      'syncScheduled',
      { external_ids: [before[0]] },
      settings,
      sending,
    );
    expect(reply).toMatchObject({ status: 200, body: { mode: 'selected', members_removed: 1 } });
  });

  test('does nothing else, and no run is started for it', async () => {
    const plan = await digest();
    const count = await runs();
    for (const body of [
      {},
      { mode: 'full' },
      { sync_type: 'manual' },
      { plan },
      { undo: 1 },
      { external_ids: [1], plan },
      { external_ids: [1], undo: 1 },
      { external_ids: [1], sync_type: 'manual' },
    ]) {
      const reply = await world.post('syncScheduled', body, settings, sending);
      expect([body, reply.status, reply.body.error?.code]).toEqual([body, 403, 'forbidden']);
      expect(reply.text).not.toContain('sha256:');
    }
    const inQuery = await world.post(`syncScheduled/?plan=${plan}`, '', settings, sending);
    expect(inQuery.status).toBe(403);
    expect([await runs(), await world.active()]).toEqual([count, before]);
  });

  test.each(['syncDryRun', 'syncStatus', 'syncLogs'])('may not call %s', async (name) => {
    const reply = await world.post(name, {}, settings, sending);
    expect([reply.status, reply.body.error?.code]).toEqual([403, 'forbidden']);
  });
});

describe('the account of the scheduler', () => {
  test.each([{}, { sync_type: 'scheduled' }, { mode: 'full' }])('starts %j', async (body) => {
    const reply = await world.post('syncScheduled', body, behindIam, as(scheduler));
    expect(reply).toMatchObject({ status: 200, body: { status: 'held' } });
  });

  test('starts a run through Pub/Sub', async () => {
    const data = Buffer.from('{"sync_type":"scheduled"}').toString('base64');
    const body = { message: { data, messageId: '1' }, subscription: 'projects/p/subscriptions/s' };
    expect(await world.post('syncScheduled', body, behindIam, as(scheduler))).toMatchObject({
      status: 200,
    });
  });

  test('does not decide, whatever its body hides in', async () => {
    const plan = await digest();
    const hidden = (asked: object) => ({
      message: { data: Buffer.from(JSON.stringify(asked)).toString('base64'), messageId: '1' },
      subscription: 'projects/p/subscriptions/s',
    });
    for (const body of [
      { plan },
      { undo: 1 },
      { external_ids: [1] },
      hidden({ plan }),
      hidden({ undo: 1 }),
    ]) {
      const reply = await world.post('syncScheduled', body, behindIam, as(scheduler));
      expect([body, reply.status]).toEqual([body, 403]);
    }
    expect(await world.active()).toEqual(before);
  });
});

test('an account that hides its e-mail is not let in where e-mails are restricted', async () => {
  const reply = await world.post(
    'syncScheduled',
    { undo: 1 },
    { ...behindIam, ALLOWED_CALLERS: '' },
    as({ sub: '1' }),
  );
  expect(reply.status).toBe(403);
});

test('somebody else approves, and a digest is refused with the new one', async () => {
  const other = `sha256:${'0'.repeat(64)}`;
  const refused = await world.post('syncScheduled', { plan: other }, behindIam, as('admin@x.is'));
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'plan_changed' } } });
  const plan = await digest();
  const reply = await world.post('syncScheduled', { plan }, behindIam, as('admin@x.is'));
  expect(reply).toMatchObject({ status: 200, body: { status: 'success', members_removed: 30 } });
});

describe("the admin's page", () => {
  const behalf = (email: string) => ({ 'X-Sync-On-Behalf-Of': email });

  test('decides in the name of a person, who is in sync_log', async () => {
    const plan = await digest();
    const sending = as(page, behalf('anna@x.is'));
    const reply = await world.post('syncScheduled', { plan }, behindIam, sending);
    expect(reply).toMatchObject({ status: 200, body: { members_removed: 30 } });
    expect((await world.lastRun()).details['caller']).toBe('anna@x.is via page');
  });

  test('looks in the name of a person', async () => {
    const reply = await world.post('syncDryRun', {}, behindIam, as(page, behalf('anna@x.is')));
    expect(reply.status).toBe(200);
    const { output } = await world.bundle('syncDryRun', behindIam);
    await until(() => output().some((line) => line.includes('"caller":"anna@x.is via page"')));
  });

  test.each([
    { who: 'an admin', sending: as('admin@x.is', behalf('anna@x.is')), status: 403 },
    { who: 'the scheduler', sending: as(scheduler, behalf('anna@x.is')), status: 403 },
    { who: 'the page for the webhook', sending: as(page, behalf(hook)), status: 403 },
    { who: 'the page for nobody', sending: as(page, behalf('')), status: 400 },
    { who: 'the page for two', sending: as(page, behalf('a@x.is, b@x.is')), status: 400 },
  ])('$who is answered $status', async ({ sending, status }) => {
    expect((await world.post('syncScheduled', {}, behindIam, sending)).status).toBe(status);
  });
});

test.each([
  {
    name: 'a letter of another script',
    settings: { WEBHOOK_CALLERS: 'hооk@x.is' },
    says: /WEBHOOK_CALLERS has an entry that must be an e-mail address in ASCII/,
  },
  {
    name: 'the form of an IAM member',
    settings: { SCHEDULER_CALLERS: `serviceAccount:${scheduler}` },
    says: /SCHEDULER_CALLERS/,
  },
  {
    name: 'white space inside',
    settings: { ALLOWED_CALLERS: 'admin @x.is' },
    says: /ALLOWED_CALLERS/,
  },
  {
    name: 'one key for both',
    settings: { WEBHOOK_KEY: 'same-key', ADMIN_API_KEY: 'same-key' },
    says: /WEBHOOK_KEY is the same as ADMIN_API_KEY/,
  },
  {
    name: 'a page that may only report',
    settings: { ADMIN_PAGE_CALLER: hook.toUpperCase(), WEBHOOK_CALLERS: hook },
    says: /ADMIN_PAGE_CALLER is in WEBHOOK_CALLERS/,
  },
  {
    name: 'Identity-Aware Proxy before the scheduler',
    settings: { AUTH_MODE: 'iap', AUTH_AUDIENCE: '/projects/1' },
    says: /AUTH_MODE must be key or iam for syncScheduled/,
  },
])('it does not start with $name', async ({ settings, says }) => {
  await expect(world.bundle('syncScheduled', settings as Settings)).rejects.toThrow(says);
});
