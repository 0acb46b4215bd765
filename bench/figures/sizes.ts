import {
  type Contender,
  libraryContender,
  median,
  ours,
  rowwiseContender,
  type Stage,
  type Sync,
  setStage,
} from '../support/stage.ts';

/** What was measured at one size of the register; times in ms of wall clock, medians over the rounds. */
export interface SizeFigures {
  members: number;
  floorMs: number;
  firstMs: number;
  unchangedMs: number;
  onePercentMs: number;
  incrementalMs: number;
  /** The function's process after all of these, in MiB. */
  peakMemoryMiB: number;
  /** Of one first load, in seconds. */
  cpuSeconds: number;
  phases: Record<string, number>;
  walPerUnchangedMember: number;
  rowwiseFirstMs?: number;
  rowwiseWalPerUnchangedMember?: number;
  libraryFirstMs?: number;
}

export interface SizeOptions {
  rounds: number;
  /** Compare with the slower ways too. */
  rivals: boolean;
  report: (line: string) => void;
}

/** Measures all cases at one size; contenders take turns, so that a slow minute slows them all. */
export async function measureSize(
  server: string,
  members: number,
  { rounds, rivals, report }: SizeOptions,
): Promise<SizeFigures> {
  const stage = await setStage(server, members);
  const samples: Record<string, number[]> = {};
  const note = (name: string, value: number) => {
    samples[name] ??= [];
    samples[name].push(value);
  };
  let phases: Record<string, number> = {};
  try {
    for (let round = 1; round <= rounds; round++) {
      report(`${members} members, round ${round} of ${rounds}`);
      note('floor', await stage.floor());
      phases = await runOurs(stage, note);
      if (rivals) {
        await runRival('rowwise', await rowwiseContender(stage), note);
        await runRival('library', await libraryContender(stage), note);
      }
      note('floor', await stage.floor());
    }
  } finally {
    await stage.stop();
  }
  const of = (name: string) => median(samples[name] ?? []);
  return {
    members,
    floorMs: of('floor'),
    firstMs: of('first'),
    unchangedMs: of('unchanged'),
    onePercentMs: of('onePercent'),
    incrementalMs: of('incremental'),
    peakMemoryMiB: Math.max(...(samples['memory'] ?? [])),
    cpuSeconds: of('cpu'),
    phases,
    walPerUnchangedMember: of('unchangedWal') / members,
    ...(rivals
      ? {
          rowwiseFirstMs: of('rowwiseFirst'),
          rowwiseWalPerUnchangedMember: of('rowwiseUnchangedWal') / members,
          libraryFirstMs: of('libraryFirst'),
        }
      : {}),
  };
}

type Note = (name: string, value: number) => void;

async function runOurs(stage: Stage, note: Note): Promise<Record<string, number>> {
  const us = await ours(stage);
  try {
    await us.served.call({ external_ids: ['0'] }).catch(() => undefined);
    const cpuBefore = await us.served.cpuSeconds();
    note('first', (await us.sync()).wallMs);
    note('cpu', (await us.served.cpuSeconds()) - cpuBefore);
    const { rows } = await us.database.client.query(
      "select details -> 'phases_ms' as phases from sync_log order by id desc limit 1",
    );
    for (let again = 0; again < 2; again++) {
      const { wallMs, walBytes } = await us.sync({ mode: 'full' });
      note('unchanged', wallMs);
      // The run after the first load, as of the rivals: the second one also cleans up after the first.
      if (again === 0) note('unchangedWal', walBytes);
    }
    await stage.register.changeOnePercent();
    note('onePercent', (await us.sync({ mode: 'full' })).wallMs);
    await stage.register.changeOnePercent();
    note('incremental', (await us.sync()).wallMs);
    note('memory', await us.served.peakMemory());
    return rows[0].phases;
  } finally {
    await us.stop();
  }
}

async function runRival(name: string, rival: Contender, note: Note): Promise<void> {
  try {
    note(`${name}First`, (await rival.sync()).wallMs);
    const unchanged: Sync = await rival.sync();
    note(`${name}UnchangedWal`, unchanged.walBytes);
  } finally {
    await rival.stop();
  }
}
