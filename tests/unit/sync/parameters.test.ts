import type * as z from 'zod/mini';
import { readParameters } from '../../../lib/http/parameters.ts';
import { dryRunParameters, logsParameters, syncParameters } from '../../../lib/sync/parameters.ts';

const read = (schema: z.ZodMiniType, body: object) => () =>
  readParameters({ query: {}, body, headers: {} }, schema);

const digest = 'plan must be sha256: and 64 hex digits, as syncDryRun answered it.';

test.each([
  { name: 'a plan without its prefix', body: { plan: 'f'.repeat(64) }, message: digest },
  { name: 'a plan in capitals', body: { plan: `sha256:${'F'.repeat(64)}` }, message: digest },
  { name: 'a plan that is no text', body: { plan: 7 }, message: digest },
  { name: 'a plan that is null', body: { plan: null }, message: digest },
  { name: 'a run by name', body: { undo: 'last' }, message: 'undo must be a whole number.' },
  { name: 'half a run', body: { undo: 1.5 }, message: 'undo must be a whole number.' },
  { name: 'no run', body: { undo: 0 }, message: 'undo must be at least 1.' },
  {
    name: 'no ids',
    body: { external_ids: [] },
    message: 'external_ids must have at least 1 entry.',
  },
  {
    name: 'too many ids',
    body: { external_ids: Array(101).fill('1') },
    message: 'external_ids must have at most 100 entries.',
  },
  { name: 'another mode', body: { mode: 1 }, message: 'mode must be one of full, incremental.' },
])('syncScheduled tells what is wrong with $name', ({ body, message }) => {
  expect(read(syncParameters, body)).toThrow(message);
});

test('a dry run and the logs tell it in the same words', () => {
  expect(read(dryRunParameters, { limit: '5' })).toThrow('limit must be a whole number.');
  expect(read(dryRunParameters, { plan: 'x' })).toThrow('plan is unknown here.');
  expect(read(logsParameters, { before: true })).toThrow('before must be a whole number.');
  expect(read(logsParameters, { limit: 201 })).toThrow('limit must be at most 200.');
});

test('a plan as a dry run answers it is taken', () => {
  const plan = `sha256:${'0a'.repeat(32)}`;
  expect(read(syncParameters, { plan })()).toEqual({ plan });
});
