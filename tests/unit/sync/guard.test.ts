import { loadConfig } from '../../../lib/config.ts';
import { type GuardInput, judge } from '../../../lib/sync/guard.ts';

const none = { removals: 0, additions: 0, updates: 0, kennitala_changes: 0 };
const sound = { complete: true, empty: false, unidentified: 0 };
/** The defaults: 2 % removals and changes of kennitala, 10 % additions, 50 % updates, and ten of each always. */
const decide = (input: Partial<GuardInput>, environment = {}) =>
  judge(
    { planned: none, recent: none, active: 1000, snapshot: sound, ...input },
    loadConfig(environment, ['sync']).sync,
  );
const planned = (changes: Partial<typeof none>) => ({ ...none, ...changes });

test.each([
  { active: 0, limits: { removals: 10, additions: 10, updates: 10, kennitala_changes: 10 } },
  { active: 99, limits: { removals: 10, additions: 10, updates: 49, kennitala_changes: 10 } },
  { active: 1000, limits: { removals: 20, additions: 100, updates: 500, kennitala_changes: 20 } },
  { active: 2174, limits: { removals: 43, additions: 217, updates: 1087, kennitala_changes: 43 } },
])('with $active active members the limits are $limits', ({ active, limits }) => {
  expect(decide({ active }).limits).toEqual(limits);
});

test('a limit may be a number, and nothing is below the floor', () => {
  const environment = {
    SYNC_MAX_REMOVALS: '3',
    SYNC_MAX_ADDITIONS: '700',
    SYNC_MAX_UPDATES: '0',
    SYNC_MAX_KENNITALA_CHANGES: '0',
    SYNC_LIMIT_FLOOR: '5',
  };
  expect(decide({}, environment).limits).toEqual({
    removals: 5,
    additions: 700,
    updates: 5,
    kennitala_changes: 5,
  });
});

test.each([
  { active: 5, changes: 5, most: 10 },
  { active: 6, changes: 5, most: 10 },
  { active: 6, changes: 6, most: 5 },
  { active: 8, changes: 6, most: 10 },
  { active: 8, changes: 7, most: 6 },
  { active: 10, changes: 8, most: 10 },
  { active: 10, changes: 9, most: 8 },
  { active: 12, changes: 10, most: 10 },
])('of $active members $changes removals or other kennitölur meet a limit of $most', (given) => {
  const { active, changes, most } = given;
  for (const name of ['removals', 'kennitala_changes'] as const) {
    const { limits, holds } = decide({ active, planned: planned({ [name]: changes }) });
    expect(limits[name]).toBe(most);
    expect(holds).toEqual(changes > most ? { [name]: 'limit_exceeded' } : {});
  }
});

test('of ten members the ninth of a day waits as well', () => {
  for (const name of ['removals', 'kennitala_changes'] as const) {
    const active = name === 'removals' ? 2 : 10;
    const given = { active, planned: planned({ [name]: 1 }), recent: planned({ [name]: 8 }) };
    expect(decide(given).holds).toEqual({ [name]: 'window_limit_exceeded' });
    expect(decide({ ...given, recent: planned({ [name]: 7 }), active: 3 }).holds).toEqual(
      name === 'removals' ? {} : { [name]: 'window_limit_exceeded' },
    );
  }
});

test.each([
  {
    who: 'additions and updates',
    input: { planned: planned({ additions: 9, updates: 9 }) },
    settings: {},
  },
  { who: 'an undo', input: { planned: planned({ removals: 9 }), isUndo: true }, settings: {} },
  {
    who: 'a floor that is higher than the default',
    input: { planned: planned({ removals: 9 }) },
    settings: { SYNC_LIMIT_FLOOR: '11' },
  },
  {
    who: 'a share that allows it',
    input: { planned: planned({ removals: 9 }) },
    settings: { SYNC_MAX_REMOVALS: '100%' },
  },
])('a small register holds back nothing of $who', ({ input, settings }) => {
  expect(decide({ active: 9, ...input }, settings).holds).toEqual({});
});

const cases: { name: string; input: Partial<GuardInput>; holds: object }[] = [
  { name: 'no change', input: {}, holds: {} },
  {
    name: 'every class at its limit',
    input: { planned: { removals: 20, additions: 100, updates: 500, kennitala_changes: 20 } },
    holds: {},
  },
  {
    name: 'every class one above its limit',
    input: { planned: { removals: 21, additions: 101, updates: 501, kennitala_changes: 21 } },
    holds: {
      removals: 'limit_exceeded',
      additions: 'limit_exceeded',
      updates: 'limit_exceeded',
      kennitala_changes: 'limit_exceeded',
    },
  },
  {
    name: 'removals above their limit, and additions below theirs',
    input: { planned: planned({ removals: 21, additions: 100 }) },
    holds: { removals: 'limit_exceeded' },
  },
  {
    name: 'one removal at the end of a slow drip',
    input: { planned: planned({ removals: 1 }), recent: planned({ removals: 20 }) },
    holds: { removals: 'window_limit_exceeded' },
  },
  {
    name: 'the last removal that the window has room for',
    input: { planned: planned({ removals: 1 }), recent: planned({ removals: 19 }) },
    holds: {},
  },
  {
    name: 'no removal after a day of many',
    input: { recent: planned({ removals: 500 }) },
    holds: {},
  },
  {
    name: 'a first load of any size',
    input: { active: 0, isFirstLoad: true, planned: planned({ additions: 100_000 }) },
    holds: {},
  },
  {
    name: 'removals, but not links and additions, of a first load',
    input: {
      active: 0,
      isFirstLoad: true,
      planned: { removals: 11, additions: 11, updates: 11, kennitala_changes: 11 },
    },
    holds: { removals: 'limit_exceeded' },
  },
  {
    name: 'one removal on the word of an empty list',
    input: { planned: planned({ removals: 1 }), snapshot: { ...sound, empty: true } },
    holds: { removals: 'snapshot_empty' },
  },
  {
    name: 'an empty list and nobody to remove',
    input: { snapshot: { ...sound, empty: true } },
    holds: { removals: 'snapshot_empty' },
  },
  {
    name: 'one removal beside a record that names nobody',
    input: { planned: planned({ removals: 1 }), snapshot: { ...sound, unidentified: 1 } },
    holds: { removals: 'unidentified_record' },
  },
  {
    name: 'an addition beside a record that names nobody',
    input: { planned: planned({ additions: 1 }), snapshot: { ...sound, unidentified: 1 } },
    holds: {},
  },
  {
    name: 'an incomplete walk, even when nobody is to be removed',
    input: { snapshot: { ...sound, complete: false } },
    holds: { removals: 'snapshot_incomplete' },
  },
  {
    name: 'an incomplete walk, whatever else is wrong with the removals',
    input: {
      planned: planned({ removals: 999 }),
      snapshot: { complete: false, empty: true, unidentified: 3 },
    },
    holds: { removals: 'snapshot_incomplete' },
  },
];

test.each(cases)('of $name is held: $holds', ({ input, holds }) => {
  expect(decide(input).holds).toEqual(holds);
});

test('a first load is limited in what it removes only', () => {
  const many = planned({ removals: 11, additions: 999, updates: 999 });
  const { holds, firstLoad } = decide({ active: 1, planned: many, isFirstLoad: true });
  expect([holds, firstLoad]).toEqual([{ removals: 'limit_exceeded' }, true]);
  expect(decide({ active: 0, planned: many }).holds).toMatchObject({ additions: 'limit_exceeded' });
});

test.each([
  ['29%', 100, 29],
  ['57%', 100, 57],
  ['58%', 50, 29],
  ['0.57%', 10_000, 57],
  ['99.999999%', 1_000_000, 999_999],
  ['100%', 2_174, 2_174],
])('%s of %i are %i', (SYNC_MAX_REMOVALS, active, removals) => {
  const environment = { SYNC_MAX_REMOVALS, SYNC_LIMIT_FLOOR: '0' };
  expect(decide({ active }, environment).limits).toMatchObject({ removals });
});
