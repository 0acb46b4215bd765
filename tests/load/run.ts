import { ours, setStage } from '../../bench/support/stage.ts';
import { startPostgres } from '../../local/postgres.ts';

// npm run test:load: first loads of growing registers, each with a fresh process, database and register.
const postgres = await startPostgres({ durable: true, settings: { max_wal_size: '4GB' } });
try {
  const rows = [];
  for (const members of [100, 1_000, 10_000, 100_000]) {
    console.error(`syncing ${members.toLocaleString('en')} members`);
    rows.push(await measure(members));
  }
  console.table(rows);
} finally {
  await postgres.stop();
}

async function measure(members: number): Promise<Record<string, string | number>> {
  const stage = await setStage(postgres.url, members);
  const us = await ours(stage);
  try {
    const { wallMs, walBytes } = await us.sync();
    const { rows } = await us.database.client.query(
      "select details -> 'phases_ms' as phases, members_added from sync_log order by id desc limit 1",
    );
    const [{ phases, members_added }] = rows;
    if (members_added !== members) {
      throw new Error(`${members_added} of ${members} members arrived`);
    }
    return {
      members: members.toLocaleString('en'),
      'total ms': Math.round(wallMs),
      'fetch ms': phases.fetch,
      'plan ms': phases.plan,
      'apply ms': phases.apply,
      'members/s': Math.round((members / wallMs) * 1000).toLocaleString('en'),
      'peak MiB': Math.round(await us.served.peakMemory()),
      'CPU s': (await us.served.cpuSeconds()).toFixed(2),
      'WAL MB': (walBytes / 1e6).toFixed(1),
    };
  } finally {
    await us.stop();
    await stage.stop();
  }
}
