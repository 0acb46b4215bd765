import { asOf, foldRuns } from '../../../functions/admin/fold.ts';
import type { RunLine } from '../../../functions/admin/reads.ts';

let id = 0;
const run = (more: Partial<RunLine> = {}): RunLine => ({
  id: ++id,
  sync_type: 'membership',
  at: new Date(0),
  mode: 'incremental',
  status: 'success',
  added: 0,
  updated: 0,
  kennitala: 0,
  returned: 0,
  removed: 0,
  errors: 0,
  caller: null,
  approved_by: null,
  undoes: null,
  held: null,
  error_code: null,
  ...more,
});
const single = (more: Partial<RunLine> = {}) =>
  run({ mode: 'selected', sync_type: 'webhook', ...more });
const lengths = (runs: RunLine[]) =>
  foldRuns(runs).map((line) => (line.kind === 'run' ? 1 : line.runs.length));

test('quiet hours and calls in between are one line, until something happens', () => {
  const month = Array.from({ length: 3_000 }, (_, n) => (n % 3 ? single() : run()));
  expect(lengths(month)).toEqual([3_000]);
  expect(lengths([run(), single(), run({ removed: 1 }), single(), run()])).toEqual([2, 1, 2]);
  expect(lengths([run({ status: 'failed' }), run(), run({ undoes: 1 })])).toEqual([1, 1, 1]);
});

test('a line has no more changed members than can be read', () => {
  const month = Array.from({ length: 50 }, () => single({ updated: 1 }));
  expect(lengths(month)).toEqual([20, 20, 10]);
});

test('a run that never ended goes on only where the status says so', () => {
  const pending = run({ status: 'pending' });
  expect(asOf(pending, { running: { run_id: pending.id } }).status).toBe('pending');
  expect(asOf(pending, { running: null }).status).toBe('abandoned');
});
