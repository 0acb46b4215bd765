import { startOurs } from '../../bench/support/contender.ts';
import { startRegister } from '../../bench/support/register.ts';
import { cpuMs, peakMemoryMiB } from '../../bench/support/usage.ts';
import { startPostgres } from '../../local/postgres.ts';
import { endAll } from '../support/cleanUp.ts';
import { createTemplate } from '../support/template.ts';

// npm run test:load: first loads of growing registers, each with a fresh process, database and register.
const postgres = await startPostgres({ durable: true, settings: { max_wal_size: '4GB' } });
try {
  await createTemplate(postgres.url);
  const rows = [];
  for (const members of [100, 1_000, 10_000, 100_000]) {
    console.error(`syncing ${members.toLocaleString('en')} members`);
    rows.push(await measure(members));
  }
  console.table(rows);
} finally {
  await endAll();
  await postgres.stop();
}

async function measure(members: number): Promise<Record<string, string | number>> {
  const register = await startRegister(members);
  const ours = await startOurs(register.url);
  try {
    const started = performance.now();
    await ours.sync();
    const wallMs = performance.now() - started;
    const [row] = await ours.database.query<{ phases: Record<string, number>; added: number }>(
      `select details -> 'phases_ms' as phases, members_added as added
       from public.sync_log order by id desc limit 1`,
    );
    if (row?.added !== members) throw new Error(`${row?.added} of ${members} members arrived`);
    return {
      members: members.toLocaleString('en'),
      'total ms': Math.round(wallMs),
      'fetch ms': row.phases['fetch'] ?? 0,
      'plan ms': row.phases['plan'] ?? 0,
      'apply ms': row.phases['apply'] ?? 0,
      'members/s': Math.round((members / wallMs) * 1000).toLocaleString('en'),
      'peak MiB': Math.round(await peakMemoryMiB(ours.pid)),
      'CPU s': ((await cpuMs(ours.pid)) / 1000).toFixed(2),
    };
  } finally {
    await ours.stop();
    register.stop();
  }
}
