import { createWorld, type World } from './world.ts';

// The names that test files not yet moved to world.ts know.
export { contextOf, type RunOptions } from './run.ts';
export type { Settings } from './world.ts';
export type SyncBench = World;
export const createSyncBench = createWorld;
