import type { Case, ContenderFigures, Cost, RunFigures } from '../figures/runs.ts';
import type { Figures } from '../figures.ts';

export type Table = Record<string, string | number>[];

/** Prints what was measured. */
export function printTables(figures: Figures): void {
  for (const run of figures.runs) {
    console.log(`\n${run.members.toLocaleString('en')} members`);
    console.table(runRows(run));
  }
  console.table(ratioRows(figures));
  console.table(otherRows(figures));
}

const whole = (value: number) => Math.round(value).toLocaleString('en');
const ratio = (above: number | undefined, below: number | undefined) =>
  above === undefined || below === undefined ? '–' : (above / below).toFixed(2);

/** One row a contender: ms of wall time and, behind it, of the function's and the database's CPU. */
export function runRows({ contenders }: RunFigures): Table {
  const cell = (cost: Cost | undefined) =>
    cost ? `${whole(cost.wallMs)} (${whole(cost.functionMs)} + ${whole(cost.databaseMs)})` : '–';
  return contenders.map(({ name, lacks, costs, peakMiB }) => ({
    way: name,
    'first load': cell(costs['first load']),
    'nothing changed': cell(costs['nothing changed']),
    '1 % changed': cell(costs['1 % changed']),
    incremental: cell(costs.incremental),
    'WAL, nothing changed, kB': whole((costs['nothing changed']?.walBytes ?? Number.NaN) / 1000),
    'peak MiB': whole(peakMiB),
    'does not do': lacks,
  }));
}

/** One row a size and case: how many times as long as ours each other way takes, in wall time. */
export function ratioRows({ runs }: Figures): Table {
  return runs.flatMap(({ members, contenders }) => {
    const [ours, ...others] = contenders as [ContenderFigures, ...ContenderFigures[]];
    return (['first load', 'nothing changed', '1 % changed'] satisfies Case[]).map((each) => ({
      members: members.toLocaleString('en'),
      case: each,
      'ours, ms': whole(ours.costs[each]?.wallMs ?? Number.NaN),
      'µs a member': (((ours.costs[each]?.wallMs ?? Number.NaN) * 1000) / members).toFixed(1),
      ...Object.fromEntries(
        others.map(({ name, costs }) => [
          `${name} / ours`,
          ratio(costs[each]?.wallMs, ours.costs[each]?.wallMs),
        ]),
      ),
    }));
  });
}

/** Cold starts, waiting for a slow register, and readers beside a sync. */
export function otherRows({ coldStart, slowRegister, readers }: Figures): Table {
  const rows: Table = Object.entries(coldStart ?? {}).map(([name, ms]) => ({
    figure: name === 'empty' ? 'cold start of an empty function' : `cold start of ${name}`,
    ms: whole(ms),
    beside: `${ratio(ms, coldStart?.['empty'])} × an empty function`,
  }));
  if (slowRegister) {
    const { wallMs, boundMs } = slowRegister;
    rows.push({
      figure: 'a register of 22 pages × 1.8 s',
      ms: whole(wallMs),
      beside: `${ratio(wallMs, boundMs)} × the waiting alone`,
    });
  }
  if (readers) {
    const { busyP99Ms, quietP99Ms } = readers;
    rows.push({
      figure: 'p99 of a point read beside a run',
      ms: busyP99Ms.toFixed(2),
      beside: `${ratio(busyP99Ms, quietP99Ms)} × without one`,
    });
  }
  return rows;
}
