import { buildAll } from '../esbuild.config.ts';
import { type Postgres, startPostgres } from '../local/postgres.ts';
import { endAll } from '../tests/support/cleanUp.ts';
import { createTemplate } from '../tests/support/template.ts';
import { measureColdStarts } from './figures/coldStart.ts';
import { measureReaders } from './figures/readers.ts';
import { measureRuns } from './figures/runs.ts';
import { measureSlowRegister } from './figures/slowRegister.ts';
import type { Figures } from './figures.ts';
import { printTables } from './report/tables.ts';
import { readFigures, writeReport } from './report/write.ts';

// npm run bench               everything but a million members, written to docs/PERFORMANCE.md
// npm run bench -- --million  a million members, added to the same report
// npm run bench -- --quick    a look at the small sizes, on the terminal only
const quick = process.argv.includes('--quick');
const million = process.argv.includes('--million');
const report = (line: string) =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

report('building the bundles');
await buildAll();
// Durable, because what is measured includes its WAL. Vacuums and checkpoints come between the measurements.
const postgres = await startPostgres({
  durable: true,
  settings: { max_wal_size: '8GB', checkpoint_timeout: '1h', autovacuum: 'off' },
});
try {
  await createTemplate(postgres.url);
  const measured = await measure(postgres);
  if (quick) {
    printTables(measured);
  } else {
    const figures = merge(await readFigures(), measured);
    printTables(figures);
    await writeReport(figures);
  }
} finally {
  await endAll();
  await postgres.stop();
}

async function measure(server: Postgres): Promise<Figures> {
  if (million) {
    return { runs: [await measureRuns(server, 1_000_000, { rounds: 1, warmUp: false, report })] };
  }
  const runs = [
    await measureRuns(server, 2_200, { rounds: quick ? 3 : 9, warmUp: true, report }),
    await measureRuns(server, 10_000, { rounds: quick ? 2 : 5, warmUp: true, report }),
  ];
  if (quick) return { runs };
  runs.push(await measureRuns(server, 100_000, { rounds: 3, warmUp: false, report }));
  report('cold starts');
  const coldStart = await measureColdStarts(15);
  report('the slow register');
  const slowRegister = await measureSlowRegister();
  report('readers beside a sync');
  const readers = await measureReaders(100_000, 5);
  return { runs, coldStart, slowRegister, readers };
}

function merge(earlier: Figures, now: Figures): Figures {
  const sizes = new Set(now.runs.map(({ members }) => members));
  const kept = earlier.runs.filter(({ members }) => !sizes.has(members));
  const runs = [...kept, ...now.runs].toSorted((a, b) => a.members - b.members);
  return { ...earlier, ...now, runs };
}
