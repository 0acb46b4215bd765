import fc from 'fast-check';
import { act } from '../support/reliabilityActs.ts';
import { step } from '../support/reliabilityHistory.ts';
import { startHistory } from '../support/reliabilityLife.ts';
import { apply } from '../support/reliabilityRegister.ts';
import {
  createReliabilityWorld,
  type ReliabilityWorld,
  search,
  setting,
} from '../support/reliabilityWorld.ts';

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

test('whatever happens to the members and in whatever order, no vote is taken, given or passed on by mistake', async () => {
  await fc.assert(
    fc.asyncProperty(
      setting,
      fc.array(step, { minLength: 1, maxLength: 7 }),
      async (given, steps) => {
        const history = await startHistory(world, given);
        for (const { changes, action } of steps) {
          await world.markBallots();
          for (const each of changes) apply(world.django, each);
          history.undone.look(world.django);
          await act(history, action);
        }
      },
    ),
    search(6),
  );
}, 3_600_000);
