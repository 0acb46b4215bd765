import { judgeStatus, type SyncStatus } from '../../../lib/sync/status.ts';

type Facts = Parameters<typeof judgeStatus>[0];

const now = new Date('2026-06-01T12:00:00Z');
// As PostgreSQL writes a timestamp without a zone.
const minutesAgo = (minutes: number) =>
  new Date(now.getTime() - minutes * 60_000).toISOString().replace('Z', '');
const success = (minutes: number) => ({ status: 'success', sync_timestamp: minutesAgo(minutes) });
const pending = { id: 9, started_at: '2026-06-01T11:59:00+00:00', progress: null };
const nothing: Facts = {
  lock_held: false,
  pending: null,
  last_run: null,
  last_success: null,
  consecutive_failures: 0,
  last_started_at: null,
  active: 0,
  inactive: 0,
  notifications_pending: 0,
  notifications_dead: 0,
};

const cases: { name: string; facts: Partial<Facts>; expected: Partial<SyncStatus> }[] = [
  { name: 'nothing', facts: {}, expected: { status: 'never_synced', next_due_at: null } },
  { name: 'a run in time', facts: { last_success: success(130) }, expected: { status: 'ok' } },
  {
    name: 'two runs missed and ten minutes more',
    facts: { last_success: success(130.1) },
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
    name: 'a lock without a pending run',
    facts: { lock_held: true, last_success: success(1) },
    expected: { status: 'ok', running: null },
  },
];

test.each(cases)('$name means $expected.status', ({ facts, expected }) => {
  expect(judgeStatus({ ...nothing, ...facts }, 60, now)).toMatchObject(expected);
});

test('a run that has told nothing yet is starting', () => {
  expect(judgeStatus({ ...nothing, pending, lock_held: true }, 60, now).running).toEqual({
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
  const facts = { ...nothing, pending: { ...pending, progress }, lock_held: true };
  expect(judgeStatus(facts, 60, now).running).toMatchObject(progress);
});

test('the next run is due one interval after the last one began', () => {
  const facts = { ...nothing, last_started_at: new Date('2026-06-01T11:30:00Z') };
  expect(judgeStatus(facts, 60, now).next_due_at).toBe('2026-06-01T12:30:00.000Z');
  expect(judgeStatus(facts, 15, now).next_due_at).toBe('2026-06-01T11:45:00.000Z');
});

test('times of the log are told in UTC', () => {
  const facts = { ...nothing, last_run: success(0), last_success: success(30) };
  const { last_run, last_success } = judgeStatus(facts, 60, now);
  expect(last_run?.['sync_timestamp']).toBe('2026-06-01T12:00:00.000Z');
  expect(last_success?.['sync_timestamp']).toBe('2026-06-01T11:30:00.000Z');
});

test('members and notifications are told as counted', () => {
  const facts = {
    ...nothing,
    active: 5,
    inactive: 2,
    notifications_pending: 3,
    notifications_dead: 1,
  };
  expect(judgeStatus(facts, 60, now)).toMatchObject({
    members: { active: 5, inactive: 2 },
    notifications: { pending: 3, dead: 1 },
  });
});
