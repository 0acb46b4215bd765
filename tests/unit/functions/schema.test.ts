import { dryRunParameters, syncParameters, syncRequest } from '../../../functions/sync/schema.ts';
import { SyncError } from '../../../lib/errors.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
type Given = Parameters<typeof syncRequest>[0];

test('a call without parameters is a scheduled run, stored as membership', () => {
  expect(syncRequest({}, false, 'someone')).toEqual({
    syncType: 'membership',
    dryRun: false,
    previewLimit: 100,
    mode: undefined,
    approvedPlan: undefined,
    undo: undefined,
    externalIds: undefined,
    caller: 'someone',
  });
});

const types: { given: Given; stored: string }[] = [
  { given: { sync_type: 'scheduled' }, stored: 'membership' },
  { given: { sync_type: 'membership' }, stored: 'membership' },
  { given: { sync_type: 'manual' }, stored: 'manual' },
  { given: { sync_type: 'webhook' }, stored: 'webhook' },
  { given: { external_ids: ['7'] }, stored: 'webhook' },
  { given: { external_ids: ['7'], sync_type: 'manual' }, stored: 'manual' },
  { given: { external_ids: ['7'], sync_type: 'scheduled' }, stored: 'membership' },
  { given: { undo: 7 }, stored: 'undo' },
];
test.each(types)('$given is stored as $stored', ({ given, stored }) => {
  expect(syncRequest(given, false, 'someone').syncType).toBe(stored);
});

const together: { given: Given; names: string }[] = [
  { given: { mode: 'full', undo: 7 }, names: 'mode and undo' },
  { given: { mode: 'full', external_ids: ['7'] }, names: 'mode and external_ids' },
  { given: { release: true, undo: 7, external_ids: ['7'] }, names: 'release and undo' },
];
test.each(together)('$names do not go together', ({ given, names }) => {
  const ask = () => syncRequest(given, false, 'someone');
  expect(ask).toThrow(SyncError);
  expect(ask).toThrow(
    expect.objectContaining({
      code: 'invalid_request',
      message: expect.stringMatching(new RegExp(`^${names} do not go together`)),
    }),
  );
});

test('a plan may be approved for the whole register, for named members, and for an undo', () => {
  expect(syncRequest({ plan: digest, mode: 'full' }, false, 'a').approvedPlan).toBe(digest);
  expect(syncRequest({ plan: digest, external_ids: ['7'] }, false, 'a').externalIds).toEqual(['7']);
  expect(syncRequest({ plan: digest, undo: 7, external_ids: ['7'] }, false, 'a')).toMatchObject({
    undo: 7,
    externalIds: ['7'],
    approvedPlan: digest,
  });
});

test.each([
  { plan: digest.toUpperCase() },
  { plan: digest.slice(0, -1) },
  { undo: 0 },
  { undo: 1.5 },
  { undo: 2_147_483_648 },
  { undo: '7' },
  { external_ids: [] },
  { external_ids: [7.5] },
  { external_ids: '7' },
  { external_ids: [''] },
  { external_ids: Array(101).fill('7') },
  { mode: 'selected' },
  { sync_type: 'undo' },
  { limit: 5 },
  { dry_run: true },
])('syncScheduled does not take %j', (given) => {
  expect(syncParameters.safeParse(given).success).toBe(false);
});

test.each([{ limit: 0 }, { limit: 1001 }, { plan: digest }, { dry_run: false }])(
  'syncDryRun does not take %j',
  (given) => {
    expect(dryRunParameters.safeParse(given).success).toBe(false);
  },
);

test.each([{ limit: 1000 }, { undo: 7 }, { external_ids: Array(100).fill('7') }, {}])(
  'syncDryRun takes %j',
  (given) => {
    expect(dryRunParameters.safeParse(given).success).toBe(true);
  },
);
