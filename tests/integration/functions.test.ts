import { createWorld, type World } from '../support/world.ts';

// The five functions in this process, with the real database and register behind them.
let world: World;
const written: string[] = [];

beforeAll(async () => {
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0);
  world = await createWorld({
    members: 15,
    pageSize: 10,
    maxPageSize: 10,
    functions: 'in process',
  });
});
afterAll(() => {
  jest.restoreAllMocks();
});

test('look first, run, look at the status and the logs: from end to end', async () => {
  const dry = await world.post('syncDryRun/sync/dry-run', { limit: 2 });
  expect(dry.status).toBe(200);
  expect(dry.body).toMatchObject({ run_id: null, dry_run: true, members_added: 15 });
  expect(dry.body['changes']).toHaveLength(2);
  expect(await world.database.query('select * from public.sync_log')).toEqual([]);

  const run = await world.post('syncScheduled/sync', { sync_type: 'manual', mode: 'full' });
  expect(run.status).toBe(200);
  expect(run.body).toMatchObject({
    run_id: expect.any(Number),
    sync_type: 'manual',
    mode: 'full',
    status: 'success',
    dry_run: false,
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    duration_ms: expect.any(Number),
    members_fetched: 15,
    members_added: 15,
    members_updated: 0,
    members_reactivated: 0,
    members_removed: 0,
    members_verified: 0,
    members_suspended: 0,
    error_count: 0,
    errors: [],
    plan: dry.body['plan'],
  });
  expect(run.body).not.toHaveProperty('changes');

  const status = await world.get('syncStatus/sync/status');
  expect(status.body).toMatchObject({ status: 'ok', members: { active: 15, left: 0 } });
  expect((await world.post('syncStatus')).body).toEqual(status.body);

  const logs = await world.get('syncLogs/sync/logs?limit=1&status=success&sync_type=manual');
  expect(logs.body).toEqual({
    logs: [expect.objectContaining({ id: run.body['run_id'], status: 'success' })],
    next_before: null,
  });
  const posted = await world.post('syncLogs', { limit: 1, status: 'success' });
  expect(posted.body).toEqual(logs.body);
});

test('health answers without a key and says nothing but that it is there', async () => {
  const { status, body } = await world.get('health/health', {}, { key: '' });
  expect([status, body]).toEqual([200, { status: 'healthy', service: 'membership-sync' }]);
});

test.each([
  { given: undefined, stored: 'membership' },
  { given: 'scheduled', stored: 'membership' },
  { given: 'membership', stored: 'membership' },
  { given: 'manual', stored: 'manual' },
  { given: 'webhook', stored: 'webhook' },
])('a run of type $given is stored as $stored', async ({ given, stored }) => {
  const { body } = await world.post(
    'syncScheduled',
    given === undefined ? {} : { sync_type: given },
  );
  const [row] = await world.database.query(
    'select sync_type, details from public.sync_log order by id desc limit 1',
  );
  expect(body['sync_type']).toBe(stored);
  expect(row).toMatchObject({ sync_type: stored, details: { caller: 'admin-key' } });
});

test('a push of Pub/Sub starts the run that its message asks for', async () => {
  const data = Buffer.from('{"sync_type":"webhook","external_ids":["3"]}').toString('base64');
  const envelope = {
    message: { data, messageId: '1' },
    subscription: 'projects/p/subscriptions/s',
  };
  const { status, body } = await world.post('syncScheduled', envelope);
  expect([status, body['sync_type'], body['mode']]).toEqual([200, 'webhook', 'selected']);
  expect(body).toMatchObject({ members_fetched: 1, members_verified: 1 });
});

test('a POST without any body is a run', async () => {
  const { status, body } = await world.post('syncScheduled', '');
  expect([status, body['status']]).toEqual([200, 'success']);
});

test('an approval of another plan is refused with the plan that is in force, and logged as refused', async () => {
  const { body: dry } = await world.post('syncDryRun');
  const { status, body } = await world.post('syncScheduled', { plan: `sha256:${'0'.repeat(64)}` });
  expect([status, body['error']]).toEqual([
    409,
    {
      code: 'plan_changed',
      message: expect.any(String),
      plan: dry['plan'],
      changed: null,
      run_id: expect.any(Number),
    },
  ]);
});

test('every line that the functions logged is one JSON object with a severity and a message', async () => {
  expect(written.length).toBeGreaterThan(10);
  for (const line of written) {
    expect(line.endsWith('\n')).toBe(true);
    expect(JSON.parse(line)).toMatchObject({
      severity: expect.stringMatching(/^(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL)$/),
      message: expect.any(String),
    });
  }
  const events = written.map((line) => JSON.parse(line));
  const completed = events.filter(({ event }) => event === 'sync_completed');
  expect(completed[0]).toMatchObject({
    run_id: expect.any(Number),
    duration_ms: expect.any(Number),
  });
});
