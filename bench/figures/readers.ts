import pg from 'pg';
import { startOurs } from '../support/contender.ts';
import { startRegister } from '../support/register.ts';

export interface ReaderFigures {
  quietP99Ms: number;
  busyP99Ms: number;
}

/** Point reads of members, one at a time, without and with full runs going on beside them. */
export async function measureReaders(members: number, rounds: number): Promise<ReaderFigures> {
  const register = await startRegister(members);
  const ours = await startOurs(register.url);
  const reader = new pg.Client(ours.database.url);
  try {
    await reader.connect();
    await ours.sync();
    const { rows } = await reader.query('select kennitala from public.members order by id');
    const kennitalas = rows.map((row) => row.kennitala as string);
    const quiet: number[] = [];
    const busy: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await register.changeOnePercent();
      busy.push(...(await readUntil(reader, kennitalas, ours.sync('full'))));
      const pause = new Promise((resolve) => setTimeout(resolve, 1500));
      quiet.push(...(await readUntil(reader, kennitalas, pause)));
    }
    return { quietP99Ms: p99(quiet), busyP99Ms: p99(busy) };
  } finally {
    await reader.end();
    await ours.stop();
    register.stop();
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
