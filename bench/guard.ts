import { median, ours, rowwiseContender, setStage } from './support/stage.ts';

// node bench/guard.ts SERVER_URL: the medians that the regression test compares, as JSON.
const MEMBERS = 10_000;
const ROUNDS = 2;

const stage = await setStage(String(process.argv[2]), MEMBERS);
const times = { first: [] as number[], unchanged: [] as number[], rowwise: [] as number[] };
try {
  for (let round = 0; round < ROUNDS; round++) {
    const us = await ours(stage);
    // What a process pays once is not what grows with the register.
    await us.served.call({ external_ids: ['0'] }).catch(() => undefined);
    times.first.push((await us.sync()).wallMs);
    times.unchanged.push((await us.sync({ mode: 'full' })).wallMs);
    await us.stop();
    const rowwise = await rowwiseContender(stage);
    times.rowwise.push((await rowwise.sync()).wallMs);
    await rowwise.stop();
  }
} finally {
  await stage.stop();
}
console.log(
  JSON.stringify({
    first: median(times.first),
    unchanged: median(times.unchanged),
    rowwise: median(times.rowwise),
  }),
);
