import { parseArgs } from 'node:util';
import { stop as stopEsbuild } from 'esbuild';
import { buildAll } from '../esbuild.config.ts';
import { migrate } from '../migrations/migrate.ts';
import { functionEnvironment, loadEnvFile, portFrom } from './start/environment.ts';
import { firstSync } from './start/firstSync.ts';
import { startFunctions } from './start/functions.ts';
import { startGateway } from './start/gateway.ts';
import { provideDatabase, provideDjango } from './start/parts.ts';
import { progressLine } from './start/progressLine.ts';
import { describeOutcome, hasSucceeded, invitation } from './start/report.ts';
import { createResources, stopOnSignals } from './start/resources.ts';
import { onRebuild } from './start/watch.ts';

// The whole system on this machine, with nothing installed but the npm packages:
//   npm start             build, start everything, sync once, serve until Ctrl-C
//   npm start -- --once   end after the sync; the exit code says whether it went well
//   npm run dev           (--watch) start the functions anew whenever their code changes

const resources = createResources();
let serving = false;
const signals = stopOnSignals(resources, () => (serving ? 0 : 130));

async function start(): Promise<number | undefined> {
  const { values: flags } = parseArgs({
    options: { once: { type: 'boolean' }, watch: { type: 'boolean' } },
  });
  loadEnvFile();
  const gateway = await startGateway(portFrom(process.env));
  resources.add(gateway.stop);

  say('Building the functions');
  const names = await buildAll();
  // Its service is a process of its own, needed further on only to watch.
  if (flags.watch) {
    resources.add(async () => stopEsbuild());
  } else await stopEsbuild();

  const database = await provideDatabase(resources);
  say(database.own ? 'Started an embedded PostgreSQL' : 'Using the database of DATABASE_URL');
  const applied = await migrate(database.url);
  say(`Migrations: ${applied.length === 0 ? 'nothing to apply' : `applied ${applied.length}`}`);

  const django = await provideDjango(resources);
  say(
    django.own
      ? `Started a mock Django with ${django.members} made-up members`
      : `Using Django at ${django.url}`,
  );

  const env = functionEnvironment({ ...django.variables, DATABASE_URL: database.url });
  let functions = await startFunctions(names, env);
  resources.add(() => functions.stop());
  gateway.route(functions.ports);
  say(`Serving ${names.join(', ')} at ${gateway.url}`);

  const progress = progressLine();
  say('Running the first sync');
  const outcome = await firstSync(gateway.url, env.ADMIN_API_KEY, progress.show);
  progress.end();
  console.log(`\n${describeOutcome(outcome)}`);
  if (flags.once) return hasSucceeded(outcome) ? 0 : 1;

  console.log(invitation(gateway.url, env.ADMIN_API_KEY, commandsFor(database, django)));
  serving = true;
  if (flags.watch) {
    await onRebuild(async () => {
      await functions.stop();
      functions = await startFunctions(names, env);
      gateway.route(functions.ports);
      say('Rebuilt, and started anew');
    });
    say('Watching for changes of the functions');
  }
  return undefined;
}

function commandsFor(
  database: Awaited<ReturnType<typeof provideDatabase>>,
  django: Awaited<ReturnType<typeof provideDjango>>,
) {
  const commands = [];
  if (database.own) commands.push({ label: 'The database', command: `psql '${database.url}'` });
  if (django.own) {
    const list = `'${django.url}/api/members/?page_size=2'`;
    const header = `-H 'Authorization: Bearer ${django.key}'`;
    commands.push({ label: 'The mock Django', command: `curl ${header} ${list}` });
  }
  return commands;
}

function say(line: string): void {
  console.log(`• ${line}`);
}

try {
  const exitCode = await start();
  if (exitCode !== undefined && !signals.asked()) await end(exitCode);
} catch (error) {
  if (!signals.asked()) {
    console.error(error instanceof Error ? error.message : error);
    await end(1);
  }
}

async function end(exitCode: number): Promise<void> {
  await resources.stopAll();
  process.exit(exitCode);
}
