import { createTestDatabase } from '../support/database.ts';
import { startDatabaseProxy } from '../support/databaseProxy.ts';
import { writeHistory } from '../support/history.ts';
import { type OwnServer, startOwnServer } from '../support/ownServer.ts';
import { createWorld, type World } from '../support/world.ts';

// Statements that are quick on an empty database and slow after a year. The server itself explains every one
// that it ran for us, on tables that were analysed and have a year of runs behind them.
const MEMBERS = 1_000;
const FIRST_LOAD = 20_000;
const RUNS = 24 * 60;

let server: OwnServer;
let world: World;
let logged = 0;

beforeAll(async () => {
  server = await startOwnServer({
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_format': 'json',
    autovacuum: 'off',
    log_line_prefix: '<%a> ',
  });
  world = await createWorld({ database: server.database, members: MEMBERS, pageSize: 500 });
  await world.run();
  await world.database.query(`
    insert into public.member_changes (run_id, member_id, action, fields, before, after, changed_at)
    select 1, member, 'add', '{}'::text[], null::jsonb, '{}'::jsonb, now() - make_interval(hours => ${RUNS})
    from generate_series(${MEMBERS + 1}, ${FIRST_LOAD}) member`);
  // What a sample says when nearly all rows are of one first load.
  await world.database.query('alter table public.member_changes alter run_id set (n_distinct = 1)');
  await writeHistory(world.database, { runs: RUNS });
}, 60_000);

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
}

interface Read {
  table: string;
  how: string;
  /** Rows that were looked at. */
  rows: number;
  loops: number;
  statement: string;
}

/** Every read of a table of ours by the functions since the last call. */
async function reads(): Promise<Read[]> {
  const text = await server.log();
  const entries = text.slice(logged).split(/^(?=<)/m);
  logged = text.length;
  return entries.flatMap((entry) => {
    const json = /^<membership-sync> LOG: {2}duration: .* plan:\n([\s\S]*)$/.exec(entry)?.[1];
    if (json === undefined) return [];
    const { 'Query Text': statement, Plan: plan } = JSON.parse(json);
    return nodesOf(plan).flatMap((node) =>
      node['Relation Name']
        ? [
            {
              table: node['Relation Name'],
              how: node['Node Type'],
              rows:
                (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) *
                node['Actual Loops'],
              loops: node['Actual Loops'],
              statement,
            },
          ]
        : [],
    );
  });
}
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

test('a run sends as many statements for three thousand members as for thirty', async () => {
  const other = await createTestDatabase();
  const proxy = await startDatabaseProxy(other.url);
  const settings = { DATABASE_URL: proxy.url, DJANGO_CONCURRENCY: '1' };
  const statements: string[][] = [];
  for (const members of [30, 3_000]) {
    const small = await createWorld({ database: other, members, settings });
    for (const _ of ['first load', 'nothing changed']) {
      const from = proxy.statements.length;
      expect(await small.run({ mode: 'full' })).toMatchObject({ status: 'success' });
      const sent = proxy.statements.slice(from);
      // How far it is, is written down every half second.
      statements.push(sent.filter((statement) => !statement.includes('set progress')));
    }
    await small.reset();
  }
  expect(statements[2]).toEqual(statements[0]);
  expect(statements[3]).toEqual(statements[1]);
});

test.each<{ name: string; act: () => Promise<unknown> }>([
  { name: 'a run in which nothing changed', act: () => world.run({ mode: 'full' }) },
  {
    name: 'a run with changes',
    act: () => {
      world.django.members.update(5, { name: 'Nýtt Nafn' });
      world.django.members.remove(6);
      return world.run({ mode: 'full' });
    },
  },
  { name: 'a dry run', act: () => world.dryRun({ mode: 'full' }) },
  { name: 'a run for one member', act: () => world.run({ externalIds: ['7'] }) },
  { name: 'the status', act: () => world.get('syncStatus') },
  { name: 'the log', act: () => world.get('syncLogs?limit=10') },
  {
    name: 'an undo of many changes',
    act: async () => {
      for (const { id } of world.django.members.list()) {
        if (id % 3 === 0) world.django.members.update(id, { name: `Nýtt Nafn ${id}` });
      }
      const { run_id } = await world.run({ mode: 'full' });
      return world.run({ undo: Number(run_id) });
    },
  },
  {
    name: 'a first load',
    act: async () => {
      await world.reset();
      return world.run();
    },
  },
])('$name looks at few rows of the past, and at no table once a row', async ({ act }) => {
  await reads();
  await act();
  const all = await reads();
  expect(all.length).toBeGreaterThan(0);
  const past = all.filter(({ table }) => !['members', 'incoming', 'plan'].includes(table));
  // What is pruned is looked for among the oldest thousand.
  const trail = past.filter(({ table, rows }) => table === 'member_changes' && rows > 1000);
  expect(trail).toEqual([]);
  expect(past.filter(({ rows, loops }) => loops > 1 && rows > 1000)).toEqual([]);
  // Nor does the cost grow with the square of what changes.
  expect(all.filter(({ rows }) => rows > 30 * MEMBERS)).toEqual([]);
});

test.each([
  { name: 'a run', act: () => world.run({ mode: 'full' }) },
  { name: 'a dry run', act: () => world.dryRun({ mode: 'full' }) },
])('$name reads no rows of other services, however many there are', async ({ act }) => {
  const OTHERS = 30_000;
  await world.database.query(`
    delete from public.members where sync_source = 'events';
    insert into public.members (kennitala, name, sync_source)
    select '8' || lpad(n::text, 9, '0'), 'Gestur ' || n, 'events' from generate_series(1, ${OTHERS}) n`);
  await world.database.query('vacuum analyze public.members');
  await world.run({ mode: 'full' });
  await reads();
  await act();
  const ofMembers = (await reads()).filter(({ table }) => table === 'members');
  expect(ofMembers.length).toBeGreaterThan(0);
  expect(ofMembers.filter(({ rows }) => rows > 2 * MEMBERS)).toEqual([]);
});
