import fc from 'fast-check';
import { SyncError } from '../../lib/errors.ts';
import type { SyncResult } from '../../lib/sync/types.ts';
import { changesOf, expectAudited } from '../support/reliabilityAudit.ts';
import {
  expectApplied,
  expectRegister,
  expectUndone,
  planned,
} from '../support/reliabilityChecks.ts';
import {
  applyDamages,
  damage,
  disturb,
  requestFault,
  visible,
} from '../support/reliabilityFaults.ts';
import { apply, change, membersNow, recordsOf } from '../support/reliabilityRegister.ts';
import { changedIdentities, votesGiven, votesTaken } from '../support/reliabilityRules.ts';
import {
  attempt,
  createReliabilityWorld,
  type ReliabilityWorld,
  search,
  setting,
} from '../support/reliabilityWorld.ts';
import { runHere } from '../support/run.ts';
import { membersOf, type Settings } from '../support/world.ts';

let world: ReliabilityWorld;
beforeAll(async () => {
  world = await createReliabilityWorld();
});

// Pauses between two tries, or two looks, are as short as they can be: what is tested is what comes after them.
jest.mock('../../lib/django/retryTiming.ts', () => ({
  ...jest.requireActual('../../lib/django/retryTiming.ts'),
  retryWaitMs: () => 0,
}));
jest.mock('node:timers/promises', () => {
  const real = jest.requireActual('node:timers/promises');
  const SECOND_LOOK_MS = 500;
  const setTimeout = (ms: number, ...rest: unknown[]) =>
    real.setTimeout(ms === SECOND_LOOK_MS ? 0 : ms, ...rest);
  return { ...real, setTimeout };
});

const rows = () => membersOf(world.database);
const positions = fc.uniqueArray(fc.nat(13), { maxLength: 2 });
/** A register, how it is read, and what else is in `members`. */
const givenWorld = fc.record({
  reading: setting,
  size: fc.integer({ min: 1, max: 14 }),
  /** Members whom another service wrote before us, by their position in the register. */
  foreign: positions,
  /** Suspended by hand after the first run. */
  suspended: positions,
  /** Rows that lost their Django id. */
  unlinked: positions,
});
type World = typeof givenWorld extends fc.Arbitrary<infer W> ? W : never;

async function prepare({ reading, size, foreign, suspended, unlinked }: World): Promise<Settings> {
  const { database } = world;
  const { people, settings } = await world.start({ ...reading, size });
  const kennitalas = (places: number[]) =>
    places.flatMap((place) => people[place]?.kennitala ?? []);
  await database.query(
    `insert into public.members (kennitala, name, sync_source, external_id, metadata)
     select k, 'Annað Kerfi', 'elections', '7', '{"theirs":true}' from unnest($1::text[] || '0101303019'::text) k`,
    [kennitalas(foreign)],
  );
  expect((await runHere(settings, { mode: 'full' })).status).toBe('success');
  await world.markBallots();
  for (const [places, to] of [
    [suspended, 'is_active = false'],
    [unlinked, 'external_id = null'],
  ] as const) {
    await database.query(`update public.members set ${to} where kennitala = any($1::text[])`, [
      kennitalas(places),
    ]);
  }
  return settings;
}

/** Runs until nothing is left to do, approving what waits because the register is empty; then all agree. */
async function settle(last: SyncResult, settings: Settings): Promise<void> {
  const { held, plan } = last;
  if (held && !isBlocked(last)) {
    expect([held.removals?.reason, membersNow(world.django).size]).toEqual(['snapshot_empty', 0]);
    return settle(await runHere(settings, { mode: 'full', approvedPlan: plan }), settings);
  }
  const after = await rows();
  const { changes: waiting } = await runHere(settings, { mode: 'full', dryRun: true });
  expectRegister(recordsOf(world.django), after, after, last, held ? waiting : []);
}

// A newcomer waits for the kennitala of somebody who is inactive by another's will, until an admin has decided.
const isBlocked = ({ held = {}, errors }: SyncResult): boolean =>
  errors.some(({ code }) => code === 'inactive_here') &&
  Object.entries(held).every(([name, { reason }]) => name === 'additions' && reason === 'blocked');

const disturbance = fc.record({
  before: fc.array(change, { maxLength: 5 }),
  during: fc.array(fc.record({ n: fc.integer({ min: 1, max: 14 }), change }), { maxLength: 5 }),
  faults: fc.array(requestFault, { maxLength: 3 }),
  damages: fc.array(damage, { maxLength: 2 }),
});

test('whatever the register does, nobody whom it has is deactivated, and a run is all or nothing', async () => {
  await fc.assert(
    fc.asyncProperty(givenWorld, disturbance, async (given, asked) => {
      const { database, django } = world;
      const settings = await prepare(given);
      const notified = {
        ...settings,
        NOTIFY_URLS: 'http://127.0.0.1:9/',
        NOTIFY_SECRET: 'c2VjcmV0',
      };
      for (const one of asked.before) apply(django, one);
      const before = await rows();
      const { during, faults, damages } = visible(django, given.reading, before, asked);
      const watched = disturb(django, during, faults);
      const { damaged: unreadable } = applyDamages(django, damages);

      const result = await attempt(notified, { mode: 'full' });

      const after = await rows();
      const [outbox] = await database.query(
        'select count(*)::int as n from public.notification_outbox',
      );
      const [log] = await database.query('select * from public.sync_log order by id desc limit 1');
      if (result instanceof SyncError) {
        expect(result).toMatchObject({ code: expect.stringMatching(/^django_/) });
        expect(after).toEqual(before);
        expect(await changesOf(database, Number(log?.['id']))).toEqual([]);
        expect([outbox, log]).toMatchObject([{ n: 0 }, { status: 'failed' }]);
      } else {
        const changes = await expectAudited(database, before, after, result);
        expect([outbox, log]).toMatchObject([
          { n: changes.length > 0 ? 1 : 0 },
          { status: result.status },
        ]);
      }
      expect(votesTaken(before, after, watched, unreadable)).toEqual([]);
      expect(votesGiven(before, after, watched)).toEqual([]);
      expect(changedIdentities(before, after, watched)).toEqual([]);

      // Undisturbed, the next run puts everything right.
      django.clear();
      django.behaviour.onRequest = () => undefined;
      await settle(await runHere(settings, { mode: 'full' }), settings);
    }),
    search(12),
  );
}, 3_600_000);

test('a dry run tells what the run does, an undo gives it back, and it stays undone until approved', async () => {
  await fc.assert(
    fc.asyncProperty(givenWorld, fc.array(change, { maxLength: 8 }), async (given, asked) => {
      const { database, django } = world;
      const settings = await prepare(given);
      for (const one of asked) apply(django, one);
      const before = await rows();

      const full = { mode: 'full' } as const;
      const dry = await runHere(settings, { ...full, dryRun: true });
      expect(await rows()).toEqual(before);
      const real = await runHere(settings, full);
      const applied = await rows();
      const changes = await expectAudited(database, before, applied, real);
      expectApplied(planned(dry), changes, dry, real);

      const undo = await runHere(settings, { undo: real.run_id ?? 0, syncType: 'undo' });
      expect([undo.status, undo.errors]).toEqual(['success', []]);
      const undone = await rows();
      await expectAudited(database, applied, undone, undo);
      expectUndone(changes, applied, undone, undo, undefined);
      expect(undone.slice(0, before.length)).toEqual(before);
      expect(undone.slice(before.length).filter((row) => row['is_active'])).toEqual([]);

      const again = await runHere(settings, full);
      expect(await rows()).toEqual(undone);
      if (changes.length > 0) expect(again.status).toBe('held');
      await settle(await runHere(settings, { ...full, approvedPlan: again.plan }), settings);
      await settle(await runHere(settings, full), settings);
    }),
    search(8),
  );
}, 3_600_000);
