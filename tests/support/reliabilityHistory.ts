import fc from 'fast-check';
import { changeClasses } from '../../lib/sync/types.ts';
import type { OldReplies } from './reliabilityCache.ts';
import { damage, requestFault } from './reliabilityFaults.ts';
import { change } from './reliabilityRegister.ts';

const picks = fc.array(fc.nat(20), { minLength: 1, maxLength: 3 });
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('run'),
      mode: fc.constantFrom('full', 'full', 'full', 'incremental'),
      dry: fc.boolean(),
      /** Ten minutes went by, after which a walk decides again about members who were asked for by themselves. */
      later: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('disturbed run'),
      damages: fc.array(damage, { maxLength: 2 }),
      during: fc.array(fc.record({ n: fc.integer({ min: 1, max: 14 }), change }), { maxLength: 2 }),
      faults: fc.array(requestFault, { maxLength: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('old replies'),
      changes: fc.array(change, { minLength: 1, maxLength: 3 }),
      // Where the list is old and does not say so, only the pages of members can show it.
      replies: fc.constantFrom<OldReplies>(
        { of: 'list', age: 600 },
        { of: 'pages', age: 600 },
        { of: 'pages', age: 0 },
        { of: 'all', age: 600 },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('selected'),
      picks,
      release: fc.boolean(),
      approve: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('undo'),
      back: fc.nat(2),
      picks: fc.option(picks),
      approve: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('approve'),
      classes: fc.option(fc.subarray([...changeClasses], { minLength: 1 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay'), which: fc.nat(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('by hand'),
      how: fc.constantFrom('suspend', 'unlink', 'active', 'inactive', 'removed'),
      a: fc.nat(20),
    }),
  },
);

/** What happens in the life of a register: it changes, and somebody acts. */
export const step = fc.record({ changes: fc.array(change, { maxLength: 3 }), action });
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
/** What somebody does in a step, by its name. */
export type Action<Name extends string = string> = Extract<Step['action'], { do: Name }>;
