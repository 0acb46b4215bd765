import type { ColdStartFigures } from './figures/coldStart.ts';
import type { ReaderFigures } from './figures/readers.ts';
import type { SizeFigures } from './figures/sizes.ts';
import type { SlowRegisterFigures } from './figures/slowRegister.ts';

/** Everything measured so far; parts come from different commands. */
export interface Figures {
  sizes: SizeFigures[];
  readers?: ReaderFigures;
  slowRegister?: SlowRegisterFigures;
  coldStart?: ColdStartFigures;
}

export interface Comparison {
  /** What is divided by what. */
  figure: string;
  ratio: string;
}

/** Sets the figures beside those of the other ways; what was not measured is left out. */
export function compareFigures({ sizes, readers, slowRegister }: Figures): Comparison[] {
  const at = (members: number) => sizes.find((size) => size.members === members);
  const [small, large, huge] = [at(10_000), at(100_000), at(1_000_000)];
  const all: [figure: string, above: number | undefined, below: number | undefined][] = [
    ['first load of 100,000: ours / floor', large?.firstMs, large?.floorMs],
    ['nothing changed of 100,000: ours / floor', large?.unchangedMs, large?.floorMs],
    ['1 % changed of 100,000: ours / floor', large?.onePercentMs, large?.floorMs],
    ['first load of 10,000: rowwise / ours', small?.rowwiseFirstMs, small?.firstMs],
    ['first load of 10,000: upsert library / ours', small?.libraryFirstMs, small?.firstMs],
    ['first load of 100,000: upsert library / ours', large?.libraryFirstMs, large?.firstMs],
    ['1 % changed of 1,000,000: incremental / full', huge?.incrementalMs, huge?.onePercentMs],
    [
      'time per member of a first load: 1,000,000 / 10,000',
      perMember(huge?.firstMs, huge?.members),
      perMember(small?.firstMs, small?.members),
    ],
    ['peak memory: 1,000,000 / 10,000 members', huge?.peakMemoryMiB, small?.peakMemoryMiB],
    [
      'slow register (22 pages × 1.8 s): ours / what its pages take',
      slowRegister?.wallMs,
      slowRegister?.boundMs,
    ],
    ['p99 of a point read: during a sync / without', readers?.busyP99Ms, readers?.quietP99Ms],
    [
      'WAL of an unchanged run of 100,000: ours / rowwise',
      large?.walPerUnchangedMember,
      large?.rowwiseWalPerUnchangedMember,
    ],
  ];
  return all.flatMap(([figure, above, below]) =>
    above === undefined || below === undefined || Number.isNaN(above / below)
      ? []
      : [{ figure, ratio: (above / below).toFixed(2) }],
  );
}

function perMember(ms: number | undefined, members: number | undefined): number | undefined {
  return ms === undefined || members === undefined ? undefined : ms / members;
}
