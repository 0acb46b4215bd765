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

export interface Verdict {
  figure: string;
  target: string;
  reached: string;
  met: boolean;
}

/** Compares the figures with what they must reach; what was not measured is left out. */
export function judgeFigures({ sizes, readers, slowRegister }: Figures): Verdict[] {
  const at = (members: number) => sizes.find((size) => size.members === members);
  const [small, large, huge] = [at(10_000), at(100_000), at(1_000_000)];
  const verdicts: Verdict[] = [];
  const most = (figure: string, limit: number, value: number | undefined) => {
    if (value === undefined || Number.isNaN(value)) return;
    verdicts.push({ figure, target: `≤ ${limit}`, reached: value.toFixed(2), met: value <= limit });
  };
  const least = (figure: string, limit: number, value: number | undefined) => {
    if (value === undefined || Number.isNaN(value)) return;
    verdicts.push({ figure, target: `≥ ${limit}`, reached: value.toFixed(2), met: value >= limit });
  };
  const ratio = (above: number | undefined, below: number | undefined) =>
    above === undefined || below === undefined ? undefined : above / below;

  most('first load 100,000: ours / floor', 1.6, ratio(large?.firstMs, large?.floorMs));
  most('nothing changed 100,000: ours / floor', 0.8, ratio(large?.unchangedMs, large?.floorMs));
  most('1 % changed 100,000: ours / floor', 0.9, ratio(large?.onePercentMs, large?.floorMs));
  most(
    'incremental, 1 % of 1,000,000 / full',
    0.03,
    ratio(huge?.incrementalMs, huge?.onePercentMs),
  );
  least('first load 10,000: rowwise / ours', 10, ratio(small?.rowwiseFirstMs, small?.firstMs));
  least(
    'first load 10,000: upsert library / ours',
    1.2,
    ratio(small?.libraryFirstMs, small?.firstMs),
  );
  least(
    'first load 100,000: upsert library / ours',
    1.5,
    ratio(large?.libraryFirstMs, large?.firstMs),
  );
  most(
    'growth 10,000 → 1,000,000, time per member',
    1.2,
    ratio(ratio(huge?.firstMs, huge?.members), ratio(small?.firstMs, small?.members)),
  );
  most('peak memory at 1,000,000, MiB', 160, huge?.peakMemoryMiB);
  most('peak memory 1,000,000 / 10,000', 1.3, ratio(huge?.peakMemoryMiB, small?.peakMemoryMiB));
  most(
    'slow register (22 pages × 1.8 s) / bound',
    1.1,
    ratio(slowRegister?.wallMs, slowRegister?.boundMs),
  );
  most('slow register, seconds', 13, slowRegister && slowRegister.wallMs / 1000);
  most(
    'p99 of a point read, with / without a sync',
    2,
    ratio(readers?.busyP99Ms, readers?.quietP99Ms),
  );
  most(
    'WAL of an unchanged run per member, ours / rowwise',
    1,
    ratio(large?.walPerUnchangedMember, large?.rowwiseWalPerUnchangedMember) ??
      ratio(small?.walPerUnchangedMember, small?.rowwiseWalPerUnchangedMember),
  );
  return verdicts;
}
