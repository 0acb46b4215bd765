import { stop as stopEsbuild } from 'esbuild';
import { buildAll } from '../../esbuild.config.ts';
import { routes } from '../../lib/http/request.ts';
import { migrate } from '../../migrations/migrate.ts';
import type { StartFlags } from './arguments.ts';
import { loadEnvFile } from './environment.ts';
import { startFunctions } from './functions.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { inspectDatabase, refusal } from './givenDatabase.ts';
import { invitation } from './invitation.ts';
import { startOwnDatabase, startOwnRegister } from './parts.ts';
import { playAnswerer, playRefusal } from './play.ts';
import { progressLine } from './progressLine.ts';
import { describeOutcome, hasSucceeded } from './report.ts';
import type { Resources } from './resources.ts';
import { runSync, type SyncOutcome } from './runSync.ts';
import { type StartSettings, startSettings } from './settings.ts';
import { onRebuild } from './watch.ts';

/**
 * Starts everything, syncs, and returns the exit code, or undefined when it serves on. What it started is
 * in `resources`. Throws an error that a user can act on; a given database is unchanged then.
 */
export async function start(flags: StartFlags, resources: Resources): Promise<number | undefined> {
  loadEnvFile();
  const settings = startSettings(process.env, flags);
  const gateway = await startGateway(settings.port);
  resources.add(gateway.stop);

  const database = await provideDatabase(settings, flags, resources);
  const names = await build(flags, resources);
  const register = await provideRegister(settings, resources, gateway);
  const { values, notes } = settings.environment({
    ...database,
    ...register,
    SYNC_URL: `${gateway.url}${routes.syncScheduled.path}`,
    SYNC_DRY_RUN_URL: `${gateway.url}${routes.syncDryRun.path}`,
  });
  for (const note of notes) say(note);

  let functions = await startFunctions(names, values);
  resources.add(() => functions.stop());
  gateway.route(functions.ports);
  say(`Serving ${names.join(', ')} at ${gateway.url}`);

  const key = values.ADMIN_API_KEY;
  const outcome = await firstRuns(settings, flags, { url: gateway.url, key });
  if (flags.once) return hasSucceeded(outcome) ? 0 : 1;

  console.log(
    invitation({
      url: gateway.url,
      key: key === process.env['ADMIN_API_KEY'] ? undefined : key,
      database: settings.databaseUrl ? undefined : database['DATABASE_URL'],
      plays: settings.madeUpMembers !== undefined,
    }),
  );
  if (flags.watch) {
    await onRebuild(async () => {
      await functions.stop();
      functions = await startFunctions(names, values);
      gateway.route(functions.ports);
      say('Rebuilt, and started anew');
    });
    say('Watching for changes of the functions');
  }
  return undefined;
}

async function build(flags: StartFlags, resources: Resources): Promise<string[]> {
  say('Building the functions');
  const names = await buildAll();
  // Its service is a process of its own, needed further on only to watch.
  if (flags.watch) {
    resources.add(async () => stopEsbuild());
  } else {
    await stopEsbuild();
  }
  return names;
}

// A given database is looked at first, and changed only in the ways that the flags allow.
async function provideDatabase(
  { databaseUrl }: StartSettings,
  flags: StartFlags,
  resources: Resources,
): Promise<Record<string, string>> {
  const url = databaseUrl ?? (await startOwnDatabase(resources));
  if (databaseUrl) {
    const found = await inspectDatabase(databaseUrl);
    const reason = refusal(found, flags);
    if (reason) throw new Error(reason);
    say(`Using the database ${found.name}`);
  } else {
    say('Started an embedded PostgreSQL');
  }
  if (!databaseUrl || flags.migrate) {
    const { length } = await migrate(url);
    const applied = databaseUrl ? `applied ${length}` : 'all applied';
    say(`Migrations: ${length === 0 ? 'nothing to apply' : applied}`);
  }
  return { DATABASE_URL: url, ...(databaseUrl ? {} : { DATABASE_READER_URL: '' }) };
}

async function provideRegister(
  { madeUpMembers }: StartSettings,
  resources: Resources,
  gateway: Gateway,
): Promise<Record<string, string>> {
  if (madeUpMembers === undefined) {
    const url = process.env['DJANGO_BASE_URL'] ?? '';
    gateway.answer('/play', playRefusal(url));
    say(`Using the register at ${url}`);
    return {};
  }
  const mock = await startOwnRegister(madeUpMembers, resources);
  gateway.answer('/play', playAnswerer(mock));
  say(`Started a register of ${madeUpMembers} made-up members at ${mock.url}`);
  const { key, scheme } = mock.behaviour;
  return {
    DJANGO_BASE_URL: mock.url,
    DJANGO_API_KEY: key,
    DJANGO_AUTH_SCHEME: scheme,
    DJANGO_MEMBERS_PATH: '',
    DJANGO_FIELD_MAP: '',
  };
}

// With a given database a dry run comes first, and a sync only when the user has said so.
async function firstRuns(
  { databaseUrl }: StartSettings,
  flags: StartFlags,
  at: { url: string; key: string },
): Promise<SyncOutcome> {
  if (databaseUrl) {
    say('Running a dry run, which writes nothing');
    const outcome = await runSync(at, routes.syncDryRun, () => {});
    console.log(`\n${describeOutcome(outcome)}`);
    if (!flags.sync) {
      say('Nothing was written to your database. To sync it: npm start -- --sync');
      return outcome;
    }
    if (!hasSucceeded(outcome)) return outcome;
  }
  const progress = progressLine();
  say('Running the first sync');
  const outcome = await runSync(at, routes.syncScheduled, progress.show);
  progress.end();
  console.log(`\n${describeOutcome(outcome)}`);
  return outcome;
}

function say(line: string): void {
  console.log(`• ${line}`);
}
