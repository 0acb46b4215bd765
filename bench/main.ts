import { buildAll } from '../esbuild.config.ts';
import { startPostgres } from '../local/postgres.ts';
import type { Figures } from './comparisons.ts';
import { measureColdStarts } from './figures/coldStart.ts';
import { measureReaders } from './figures/readers.ts';
import { measureSize } from './figures/sizes.ts';
import { measureSlowRegister } from './figures/slowRegister.ts';
import { printTables } from './report/tables.ts';
import { readFigures, writeReport } from './report/write.ts';
import { setStage } from './support/stage.ts';

// npm run bench               everything but a million members, written to docs/PERFORMANCE.md
// npm run bench -- --million  10,000 and 1,000,000 members, added to the same report
// npm run bench -- --quick    a look in under two minutes, on the terminal only
const quick = process.argv.includes('--quick');
const million = process.argv.includes('--million');
const report = (line: string) =>
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

report('building the bundles');
await buildAll();
// Settings of a small Cloud SQL instance; durable, because what is measured includes its WAL.
const postgres = await startPostgres({ durable: true, settings: { max_wal_size: '4GB' } });
try {
  const measured = await measure(postgres.url);
  const figures = quick ? measured : { ...(await readFigures()), ...measured };
  if (!quick) figures.sizes = await mergedSizes(measured);
  printTables(figures);
  if (!quick) await writeReport(figures);
} finally {
  await postgres.stop();
}

async function measure(server: string): Promise<Figures> {
  const options = { rounds: quick ? 1 : 3, report };
  if (million) {
    return {
      sizes: [
        await measureSize(server, 10_000, { ...options, rivals: true }),
        await measureSize(server, 1_000_000, { ...options, rounds: 1, rivals: false }),
      ],
    };
  }
  // First, on a server at rest: after a load it vacuums and writes for minutes.
  report('cold starts');
  const coldStart = await measureColdStarts(server, quick ? 5 : 15);
  report('the slow register');
  const slowRegister = await measureSlowRegister(server);
  const sizes = [];
  for (const members of [1_000, 10_000, 100_000]) {
    sizes.push(
      await measureSize(server, members, { ...options, rivals: members < 100_000 || !quick }),
    );
  }
  report('readers beside a sync');
  const stage = await setStage(server, 100_000);
  const readers = await measureReaders(stage, quick ? 1 : 5);
  await stage.stop();
  return { sizes, coldStart, slowRegister, readers };
}

async function mergedSizes({ sizes }: Figures): Promise<Figures['sizes']> {
  const measured = new Set(sizes.map((size) => size.members));
  const earlier = (await readFigures()).sizes.filter((size) => !measured.has(size.members));
  return [...earlier, ...sizes].toSorted((a, b) => a.members - b.members);
}
