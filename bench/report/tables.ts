import { compareFigures, type Figures } from '../comparisons.ts';

/** Prints what was measured, and how it compares with the other ways. */
export function printTables(figures: Figures): void {
  console.table(sizeRows(figures));
  console.table(coldStartRows(figures));
  console.table(compareFigures(figures));
}

const seconds = (ms: number | undefined) => (ms === undefined ? '–' : (ms / 1000).toFixed(2));

/** One row a size; times in seconds. */
export function sizeRows({ sizes }: Figures): Record<string, string | number>[] {
  return sizes.map((size) => ({
    members: size.members.toLocaleString('en'),
    floor: seconds(size.floorMs),
    'first load': seconds(size.firstMs),
    unchanged: seconds(size.unchangedMs),
    '1 % changed': seconds(size.onePercentMs),
    incremental: seconds(size.incrementalMs),
    rowwise: seconds(size.rowwiseFirstMs),
    'upsert library': seconds(size.libraryFirstMs),
    'members/s': Math.round((size.members / size.firstMs) * 1000).toLocaleString('en'),
    'CPU s': size.cpuSeconds.toFixed(2),
    'peak MiB': Math.round(size.peakMemoryMiB),
    'WAL B/unchanged': Math.round(size.walPerUnchangedMember),
  }));
}

/** One row a function. */
export function coldStartRows({ coldStart }: Figures): Record<string, string | number>[] {
  return Object.entries(coldStart ?? {}).map(([name, ms]) => ({
    'cold start of': name,
    seconds: seconds(ms),
    '/ empty': (ms / (coldStart?.['empty'] ?? ms)).toFixed(1),
  }));
}
