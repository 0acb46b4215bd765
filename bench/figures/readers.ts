import pg from 'pg';
import { ours, type Stage } from '../support/stage.ts';

export interface ReaderFigures {
  quietP99Ms: number;
  busyP99Ms: number;
}

/** Point reads of members, one at a time, without and with full runs going on beside them. */
export async function measureReaders(stage: Stage, rounds: number): Promise<ReaderFigures> {
  const us = await ours(stage);
  const reader = new pg.Client(us.database.url);
  try {
    await reader.connect();
    await us.sync();
    const { rows } = await reader.query('select kennitala from public.members order by id');
    const kennitalas = rows.map((row) => row.kennitala as string);
    const quiet: number[] = [];
    const busy: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await stage.register.changeOnePercent();
      const run = us.served.call({ mode: 'full' });
      busy.push(...(await readUntil(reader, kennitalas, run)));
      const pause = new Promise((resolve) => setTimeout(resolve, 1500));
      quiet.push(...(await readUntil(reader, kennitalas, pause)));
    }
    return { quietP99Ms: p99(quiet), busyP99Ms: p99(busy) };
  } finally {
    await reader.end();
    await us.stop();
  }
}

async function readUntil(
  reader: pg.Client,
  kennitalas: string[],
  end: Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  let ended = false;
  const watch = end.finally(() => {
    ended = true;
  });
  for (let turn = 0; !ended; turn++) {
    const kennitala = kennitalas[(turn * 7919) % kennitalas.length];
    const start = performance.now();
    await reader.query({
      name: 'point_read',
      text: 'select eligible from public.member_eligibility where kennitala = $1',
      values: [kennitala],
    });
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await watch;
  return times;
}

const p99 = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
