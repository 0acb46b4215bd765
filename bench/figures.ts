import type { ColdStartFigures } from './figures/coldStart.ts';
import type { ReaderFigures } from './figures/readers.ts';
import type { RunFigures } from './figures/runs.ts';
import type { SlowRegisterFigures } from './figures/slowRegister.ts';

/** Everything measured so far; parts come from different commands. */
export interface Figures {
  runs: RunFigures[];
  coldStart?: ColdStartFigures;
  slowRegister?: SlowRegisterFigures;
  readers?: ReaderFigures;
}
