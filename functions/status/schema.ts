import * as z from 'zod/mini';

/** What syncStatus lists, member by member. */
export const listedCodes = [
  'suspended',
  'records_set_aside',
  'removals_unconfirmed',
  'inactive_here',
  'unseen_members',
] as const;

/** What syncStatus takes: how old the last complete full run may be when an election opens. */
export const statusParameters = z.strictObject({
  within_minutes: z.optional(z.int().check(z.minimum(1), z.maximum(525_600))),
  list: z.optional(z.enum(listedCodes)),
  skip: z.optional(z.int().check(z.minimum(0), z.maximum(2_147_483_647))),
});
