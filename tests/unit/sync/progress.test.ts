import type pg from 'pg';
import { createErrorList } from '../../../lib/sync/findings.ts';
import { trackProgress } from '../../../lib/sync/runLog.ts';

function track(runId: number | null, query = async () => ({})) {
  const told: unknown[] = [];
  let time = 0;
  const client = {
    query: (_statement: string, [id, progress]: [number, string]) => {
      told.push({ id, ...JSON.parse(progress) });
      return query();
    },
  };
  const progress = trackProgress(client as unknown as pg.Client, runId, () => time);
  const wait = (milliseconds: number) => {
    time += milliseconds;
  };
  return { progress, told, wait };
}

test('a new phase is told at once, with the counts of the phase before', async () => {
  const { progress, told, wait } = track(7);
  wait(500);
  await progress.report('fetch', { pages_done: 1, members_fetched: 10 });
  await progress.report('plan');
  expect(told).toEqual([
    { id: 7, phase: 'fetch', pages_done: 1, members_fetched: 10 },
    { id: 7, phase: 'plan', pages_done: 1, members_fetched: 10 },
  ]);
});

test('within a phase it is told twice a second at most, and then the newest', async () => {
  const { progress, told, wait } = track(7);
  wait(500);
  for (let page = 0; page <= 100; page++) {
    await progress.report('fetch', { pages_done: page });
    wait(10);
  }
  expect(told).toEqual([
    { id: 7, phase: 'fetch', pages_done: 0 },
    { id: 7, phase: 'fetch', pages_done: 50 },
    { id: 7, phase: 'fetch', pages_done: 100 },
  ]);
});

test('in its first half second a run tells nothing, and then the phase that lasts', async () => {
  jest.useFakeTimers();
  const { progress, told, wait } = track(7);
  await progress.report('fetch', { pages_done: 1 });
  wait(100);
  await progress.report('plan');
  await progress.report('confirm', { pages_done: 2 });
  await jest.advanceTimersByTimeAsync(399);
  expect(told).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  expect(told).toEqual([{ id: 7, phase: 'confirm', pages_done: 2 }]);
  jest.useRealTimers();
});

test('nothing is told late while a run applies: what fails there would end its transaction', async () => {
  jest.useFakeTimers();
  const { progress, told } = track(7);
  await progress.report('plan');
  await progress.report('apply');
  await jest.advanceTimersByTimeAsync(5_000);
  expect(told).toEqual([]);
  jest.useRealTimers();
});

test('a dry run tells nobody, and is timed all the same', async () => {
  const { progress, told, wait } = track(null);
  await progress.report('fetch');
  wait(70);
  await progress.report('plan');
  wait(30);
  expect(told).toEqual([]);
  expect(progress.durations()).toEqual({ fetch: 70, plan: 30 });
});

test('a phase that comes back adds to its time', async () => {
  const { progress, wait } = track(7);
  for (const [phase, time] of [
    ['fetch', 70],
    ['plan', 30],
    ['fetch', 5],
    ['plan', 1],
  ] as const) {
    await progress.report(phase);
    wait(time);
  }
  expect(progress.durations()).toEqual({ fetch: 75, plan: 31 });
  wait(9);
  expect(progress.durations()).toEqual({ fetch: 75, plan: 40 });
});

test('a database that does not take it does not fail the run', async () => {
  const { progress, told, wait } = track(7, async () => {
    throw new Error('gone');
  });
  wait(500);
  await progress.report('fetch');
  expect(told).toHaveLength(1);
});

test('it waits until the connection is free', async () => {
  const { progress, told, wait } = track(7);
  wait(500);
  const free = Promise.withResolvers<void>();
  const report = progress.report('fetch', {}, () => free.promise);
  await Promise.resolve();
  expect(told).toEqual([]);
  free.resolve();
  await report;
  expect(told).toHaveLength(1);
});

test('every error is counted and the first hundred are kept', () => {
  const errors = createErrorList();
  for (let id = 1; id <= 101; id++) errors.add('invalid_name', `${id}`, 'no name');
  errors.add('invalid_id', undefined, 'no id');
  expect(errors.count()).toBe(102);
  expect(errors.shown()).toHaveLength(100);
  expect(errors.shown()[0]).toEqual({
    code: 'invalid_name',
    external_id: '1',
    message: 'no name',
  });
});

test('an error of a record without an id has none', () => {
  const errors = createErrorList();
  errors.add('invalid_id', undefined, 'no id');
  expect(errors.shown()).toEqual([{ code: 'invalid_id', external_id: null, message: 'no id' }]);
});
