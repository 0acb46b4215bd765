import { judgeStatus, type SyncStatus } from '../../../functions/status/status.ts';

type Facts = Parameters<typeof judgeStatus>[0];

const now = new Date('2026-06-01T12:00:00Z');
// As PostgreSQL writes a timestamp without a zone.
const minutesAgo = (minutes: number) =>
  new Date(now.getTime() - minutes * 60_000).toISOString().replace('Z', '');
const success = (minutes: number) => ({
  id: 8,
  status: 'success',
  sync_timestamp: minutesAgo(minutes),
});
const pending = { id: 9, started_at: '2026-06-01T11:59:00+00:00', progress: null, reads: true };
const none = { count: 0, since: null, run_id: null };
const nothing: Facts = {
  now,
  lock_held: false,
  lock_taken: null,
  pending: null,
  last_run: null,
  last_success: null,
  last_full: null,
  holding: [],
  held_since: null,
  waiting: null,
  consecutive_failures: 0,
  last_started_at: null,
  active: 0,
  suspended: 0,
  left: 0,
  other_sources: 0,
  unseen: 0,
  unseen_since: null,
  undone: none,
  findings: [],
  undelivered: none,
  notifications_pending: 0,
  notifications_dead: 0,
};
const inStep = { last_success: success(1), last_full: success(1) };
const heldRun = (reason: 'limit_exceeded' | 'undone', count = 3) => ({
  ...success(1),
  id: 7,
  status: 'held',
  plan: 'sha256:1',
  details: { held: { removals: { count, limit: 1, reason } } },
});
const rules = { intervalMinutes: 60, withinMinutes: 60 };
const judge = (facts: Partial<Facts>, more = {}) =>
  judgeStatus({ ...nothing, ...facts }, { ...rules, ...more });

const cases: { name: string; facts: Partial<Facts>; expected: Partial<SyncStatus> }[] = [
  { name: 'nothing', facts: {}, expected: { status: 'never_synced', next_due_at: null } },
  { name: 'a run in time', facts: { last_success: success(130) }, expected: { status: 'ok' } },
  {
    name: 'two runs missed and ten minutes more',
    facts: { last_success: success(130.1) },
    expected: { status: 'stale' },
  },
  {
    name: 'a run of the future',
    facts: { last_success: success(-90) },
    expected: { status: 'stale' },
  },
  {
    name: 'a failure, however good the run before',
    facts: { last_success: success(1), consecutive_failures: 1 },
    expected: { status: 'failing', consecutive_failures: 1 },
  },
  {
    name: 'a failure and nothing before',
    facts: { consecutive_failures: 3 },
    expected: { status: 'failing', consecutive_failures: 3 },
  },
  {
    name: 'a pending run whose process holds the lock',
    facts: { pending, lock_held: true, consecutive_failures: 2 },
    expected: { status: 'running', consecutive_failures: 2 },
  },
  {
    name: 'a pending run whose process is gone',
    facts: { pending, last_success: success(1), consecutive_failures: 2 },
    expected: { status: 'failing', running: null, consecutive_failures: 3 },
  },
  {
    name: 'a pending call for single members whose process is gone',
    facts: { pending: { ...pending, reads: false }, last_success: success(1) },
    expected: { status: 'ok', running: null, consecutive_failures: 0 },
  },
  {
    name: 'a lock without a pending run',
    facts: { lock_held: true, last_success: success(1) },
    expected: { status: 'ok', running: null },
  },
  {
    name: 'something that waits, after a run in time',
    facts: { ...inStep, unseen: 1 },
    expected: { status: 'attention' },
  },
  {
    name: 'something that waits for long',
    facts: { last_success: success(131), unseen: 1 },
    expected: { status: 'stale' },
  },
  {
    name: 'something that waits, and a failure',
    facts: { ...inStep, unseen: 1, consecutive_failures: 1 },
    expected: { status: 'failing' },
  },
  {
    name: 'members suspended by hand, who wait for nothing',
    facts: { ...inStep, suspended: 4 },
    expected: { status: 'ok', attention: [] },
  },
  {
    name: 'rows of other services',
    facts: { ...inStep, other_sources: 4 },
    expected: { status: 'ok', election: { may_open: true, reasons: [] } },
  },
];

test.each(cases)('$name means $expected.status', ({ facts, expected }) => {
  expect(judge(facts)).toMatchObject(expected);
});

describe('attention', () => {
  const since = '2026-06-01T10:00:00+00:00';
  const told = { since: '2026-06-01T10:00:00.000Z', run_id: 5, count: 2 };
  const tally = { count: 2, since, run_id: 5 };
  const waiting: { code: string; facts: Partial<Facts>; item: object }[] = [
    {
      code: 'lock_held',
      facts: { lock_taken: { role: 'events', since } },
      item: { ...told, count: 1, run_id: null },
    },
    {
      code: 'run_missing',
      facts: { last_started_at: new Date(now.getTime() - 71 * 60_000) },
      item: { since: '2026-06-01T11:49:00.000Z', run_id: null, count: 1 },
    },
    {
      code: 'held',
      facts: { holding: [heldRun('limit_exceeded')], held_since: new Date(since) },
      item: { ...told, count: 3, run_id: 7 },
    },
    { code: 'undone', facts: { undone: tally }, item: told },
    ...(['records_set_aside', 'removals_unconfirmed', 'inactive_here'] as const).map((code) => ({
      code,
      facts: { findings: [{ code, ...tally }] },
      item: told,
    })),
    {
      code: 'unseen_members',
      facts: { unseen: 2, unseen_since: new Date(since) },
      item: { ...told, run_id: 8 },
    },
    { code: 'notifications_dead', facts: { undelivered: tally }, item: told },
  ];

  test.each(waiting)('names $code, which keeps an election closed', ({ code, facts, item }) => {
    const { status, attention, election } = judge({ ...inStep, ...facts });
    expect(status).toBe('attention');
    expect(attention).toEqual([{ code, message: expect.any(String), ...item }]);
    expect(election).toEqual({
      may_open: false,
      reasons: [{ code, message: attention[0]?.message }],
    });
  });

  test('is listed whatever the status is', () => {
    const facts = { pending, lock_held: true, unseen: 1 };
    expect(judge(facts)).toMatchObject({
      status: 'running',
      attention: [{ code: 'unseen_members', since: null, run_id: null }],
    });
  });

  test('counts what is held only because it was undone as undone', () => {
    const facts = { ...inStep, holding: [heldRun('undone')], undone: tally };
    const { attention, held } = judge(facts);
    expect(attention.map(({ code }) => code)).toEqual(['undone']);
    expect(held).toMatchObject({ run_id: 7, plan: 'sha256:1' });
  });

  test('names a hold also where the run could not count what it holds', () => {
    const facts = { ...inStep, holding: [heldRun('limit_exceeded', 0)] };
    expect(judge(facts).attention).toMatchObject([{ code: 'held', count: 1 }]);
  });
});

describe('an election may not open', () => {
  const codes = (facts: Partial<Facts>, more = {}) =>
    judge({ ...inStep, ...facts }, more).election.reasons.map(({ code }) => code);

  test.each([
    {
      name: 'before the first complete full run',
      facts: { last_full: null },
      code: 'never_synced',
    },
    { name: 'long after it', facts: { last_full: success(61) }, code: 'full_run_too_old' },
    {
      name: 'after one of the future',
      facts: { last_full: success(-5) },
      code: 'full_run_too_old',
    },
    { name: 'during a run', facts: { pending, lock_held: true }, code: 'running' },
    { name: 'after a failure', facts: { consecutive_failures: 1 }, code: 'failing' },
    {
      name: 'while a notification waits',
      facts: { notifications_pending: 1 },
      code: 'notifications_pending',
    },
  ])('$name', ({ facts, code }) => {
    expect(codes(facts)).toEqual([code]);
  });

  test('later than the caller says', () => {
    expect(codes({ last_full: success(61) }, { withinMinutes: 61 })).toEqual([]);
    expect(codes({}, { withinMinutes: 0.5 })).toEqual(['full_run_too_old']);
  });
});

test('a run that has told nothing yet is starting', () => {
  expect(judge({ pending, lock_held: true }).running).toEqual({
    run_id: 9,
    started_at: '2026-06-01T11:59:00.000Z',
    phase: 'starting',
    pages_done: 0,
    pages_total: null,
    members_fetched: 0,
  });
});

test('a run shows what it told last', () => {
  const progress = { phase: 'fetch', pages_done: 2, pages_total: 5, members_fetched: 200 } as const;
  const facts = { pending: { ...pending, progress }, lock_held: true };
  expect(judge(facts).running).toMatchObject(progress);
});

test('the next run is due one interval after the last one began', () => {
  const facts = { last_started_at: new Date('2026-06-01T11:30:00Z') };
  expect(judge(facts).next_due_at).toBe('2026-06-01T12:30:00.000Z');
  expect(judge(facts, { intervalMinutes: 15 }).next_due_at).toBe('2026-06-01T11:45:00.000Z');
});

test('times of the log are told in UTC', () => {
  const facts = { last_run: success(0), last_success: success(30) };
  const { last_run, last_success } = judge(facts);
  expect(last_run?.['sync_timestamp']).toBe('2026-06-01T12:00:00.000Z');
  expect(last_success?.['sync_timestamp']).toBe('2026-06-01T11:30:00.000Z');
});

test('members and notifications are told as counted', () => {
  const members = { active: 5, suspended: 2, left: 4, other_sources: 1 };
  const facts = { ...members, notifications_pending: 3, notifications_dead: 1 };
  expect(judge(facts)).toMatchObject({ members, notifications: { pending: 3, dead: 1 } });
});
