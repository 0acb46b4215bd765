import { readableRun } from '../../../functions/logs/history.ts';

test('every time of a run is in UTC, to the millisecond', () => {
  const row = {
    id: 7,
    sync_timestamp: '2026-01-31T12:00:00.123456',
    finished_at: '2026-01-31T14:00:02.5+02:00',
    register_mark: '2026-01-31T06:30:00.000001-05:30',
    register_seen_at: '2026-01-31T12:00:00+00:00',
    status: 'success',
  };
  expect(readableRun(row)).toEqual({
    id: 7,
    sync_timestamp: '2026-01-31T12:00:00.123Z',
    finished_at: '2026-01-31T12:00:02.500Z',
    register_mark: '2026-01-31T12:00:00.000Z',
    register_seen_at: '2026-01-31T12:00:00.000Z',
    status: 'success',
  });
});

test('a time that is not there is null', () => {
  const row = {
    sync_timestamp: null,
    finished_at: null,
    register_mark: null,
    register_seen_at: null,
  };
  expect(readableRun(row)).toEqual(row);
});
