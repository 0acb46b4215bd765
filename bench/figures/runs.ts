import type { Postgres } from '../../local/postgres.ts';
import type { TestDatabase } from '../../tests/support/database.ts';
import { writeHistory } from '../../tests/support/history.ts';
import { rivals } from '../contenders/rivals.ts';
import { type Contender, type Mode, startOurs, startRival } from '../support/contender.ts';
import { startRegister } from '../support/register.ts';
import { cpuMs, mean, median, peakMemoryMiB, serverCpuMs } from '../support/usage.ts';

export const cases = ['first load', 'nothing changed', '1 % changed', 'incremental'] as const;
export type Case = (typeof cases)[number];

/** One sync: wall time, CPU of the function and of the database, and the WAL written, in ms and bytes. */
export interface Cost {
  wallMs: number;
  functionMs: number;
  databaseMs: number;
  walBytes: number;
}

export interface ContenderFigures {
  name: string;
  lacks: string;
  /** Medians of wall time and WAL, means of CPU time. */
  costs: Partial<Record<Case, Cost>>;
  peakMiB: number;
}

export interface RunFigures {
  members: number;
  contenders: ContenderFigures[];
}

export interface RunOptions {
  /** Rounds that count; one more goes before, for what a process pays once. */
  rounds: number;
  warmUp: boolean;
  report: (line: string) => void;
}

/**
 * Measures every contender on every case at one size. They take turns, so that a slow minute slows them all,
 * and after each sync their members must be the same. Throws when they are not.
 */
export async function measureRuns(
  postgres: Postgres,
  members: number,
  { rounds, warmUp, report }: RunOptions,
): Promise<RunFigures> {
  const register = await startRegister(members);
  const contenders = [
    await startOurs(register.url),
    ...(await Promise.all(
      rivals.filter(({ upTo }) => members <= upTo).map((rival) => startRival(rival, register.url)),
    )),
  ];
  const samples = new Map<Contender, Partial<Record<Case, Cost[]>>>();
  try {
    for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
      report(`${members} members, round ${round} of ${rounds}`);
      for (const each of cases) {
        if (each === '1 % changed' || each === 'incremental') await register.changeOnePercent();
        await takeTurns(postgres, contenders, each, round, (contender, cost) => {
          if (round === 0) return;
          const own = samples.get(contender) ?? {};
          samples.set(contender, own);
          own[each] = [...(own[each] ?? []), cost];
        });
      }
    }
    return {
      members,
      contenders: await Promise.all(
        contenders.map(async (contender) => ({
          name: contender.name,
          lacks: contender.lacks,
          costs: Object.fromEntries(
            Object.entries(samples.get(contender) ?? {}).map(([name, costs]) => [name, sum(costs)]),
          ),
          peakMiB: await peakMemoryMiB(contender.pid),
        })),
      ),
    };
  } finally {
    await Promise.all(contenders.map(({ stop }) => stop()));
    register.stop();
  }
}

async function takeTurns(
  postgres: Postgres,
  contenders: Contender[],
  each: Case,
  round: number,
  note: (contender: Contender, cost: Cost) => void,
): Promise<void> {
  // Only ours can be told what changed since; the others read everything, as in the case before.
  const taking = each === 'incremental' ? contenders.slice(0, 1) : contenders;
  const states = new Set<string>();
  for (let turn = 0; turn < taking.length; turn++) {
    const contender = taking[(turn + round) % taking.length] as Contender;
    await prepare(contender.database, each);
    const mode: Mode = each === 'first load' ? undefined : each === 'incremental' ? each : 'full';
    note(contender, await measure(postgres, contender, mode));
    states.add(await stateOf(contender.database));
  }
  if (states.size > 1) throw new Error(`the contenders disagree after "${each}"`);
}

// A first load meets empty tables; every other run a database that is analysed and has a day of runs behind it.
async function prepare({ query }: TestDatabase, each: Case): Promise<void> {
  if (each === 'first load') {
    const rows = await query<{ name: string }>(
      `select format('public.%I', tablename) as name from pg_tables
       where schemaname = 'public' and tablename not like '%migrations'`,
    );
    await query(`truncate ${rows.map(({ name }) => name).join(', ')} restart identity`);
    await query('vacuum analyze');
  } else if (each === 'nothing changed') {
    await writeHistory({ query }, { runs: 24, changes: 10 });
  } else await query('vacuum analyze');
  await query('checkpoint');
}

async function measure(postgres: Postgres, contender: Contender, mode: Mode): Promise<Cost> {
  const { query } = contender.database;
  const wal = async () => {
    const [row] = await query<{ bytes: number }>(
      `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`,
    );
    return row?.bytes ?? Number.NaN;
  };
  const [walBefore, functionBefore, databaseBefore] = [
    await wal(),
    await cpuMs(contender.pid),
    await serverCpuMs(postgres.pid),
  ];
  const started = performance.now();
  await contender.sync(mode);
  const wallMs = performance.now() - started;
  return {
    wallMs,
    functionMs: (await cpuMs(contender.pid)) - functionBefore,
    databaseMs: (await serverCpuMs(postgres.pid)) - databaseBefore,
    walBytes: (await wal()) - walBefore,
  };
}

async function stateOf({ query }: TestDatabase): Promise<string> {
  const [row] = await query<{ state: string }>(
    `select count(*) || md5(string_agg(md5(row(kennitala, name, email, phone, external_id, is_active)::text), ''
       order by kennitala)) as state
     from public.members`,
  );
  return row?.state ?? '';
}

const sum = (costs: Cost[]): Cost => ({
  wallMs: median(costs.map(({ wallMs }) => wallMs)),
  functionMs: mean(costs.map(({ functionMs }) => functionMs)),
  databaseMs: mean(costs.map(({ databaseMs }) => databaseMs)),
  walBytes: median(costs.map(({ walBytes }) => walBytes)),
});
