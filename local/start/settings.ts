import { ConfigError, loadConfig } from '../../lib/config.ts';
import { isSecretReference } from '../../lib/variables.ts';
import { mistypedNames } from '../envFile.ts';
import type { StartFlags } from './arguments.ts';
import {
  type FunctionEnvironment,
  functionEnvironment,
  membersFrom,
  portFrom,
} from './environment.ts';

/** What `npm start` is about to do, all of it known before anything is started. */
export interface StartSettings {
  port: number;
  /** The address of a database that the user has given; undefined: one of our own. */
  databaseUrl: string | undefined;
  /** How many members to make up; undefined: the user has given a register. */
  madeUpMembers: number | undefined;
  /** What the functions see once the parts that we start ourselves are known. */
  environment(parts: Record<string, string>): FunctionEnvironment;
}

// As good as what will stand there, for the check before anything is started.
const placeholders = {
  database: { DATABASE_URL: 'postgresql://127.0.0.1/embedded', DATABASE_READER_URL: '' },
  page: { SYNC_URL: 'http://127.0.0.1', SYNC_DRY_RUN_URL: 'http://127.0.0.1' },
  register: { DJANGO_BASE_URL: 'http://127.0.0.1', DJANGO_API_KEY: 'made-up' },
};

/**
 * Reads environment and flags. Throws an error that names every problem at once. A given database and
 * made-up members do not go together, unless the user has said --mock.
 */
export function startSettings(given: NodeJS.ProcessEnv, flags: StartFlags): StartSettings {
  const databaseUrl = given['DATABASE_URL'] || undefined;
  const hasRegister = Boolean(given['DJANGO_BASE_URL']);
  const problems = [
    ...mistypedNames(Object.keys(given)),
    ...problemsWith(flags, databaseUrl, hasRegister),
  ];
  if (given['DJANGO_API_KEY'] && !hasRegister && !flags.mock) {
    problems.push(
      'DJANGO_API_KEY is set and DJANGO_BASE_URL is not: set both for your register, or neither for a made-up one',
    );
  }
  const collect = <T>(fallback: T, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      problems.push(...(error instanceof ConfigError ? error.problems : [messageOf(error)]));
      return fallback;
    }
  };
  const environment = (parts: Record<string, string>) =>
    functionEnvironment(given, {
      variables: parts,
      real: databaseUrl !== undefined && hasRegister,
    });
  const port = collect(0, () => portFrom(given));
  const madeUpMembers = hasRegister ? undefined : collect(0, () => membersFrom(given));
  collect(undefined, () => {
    const { values } = environment({
      ...placeholders.page,
      ...(databaseUrl ? {} : placeholders.database),
      ...(hasRegister ? {} : placeholders.register),
    });
    loadConfig(values, [
      'runtime',
      'auth',
      'database',
      'reader',
      'django',
      'sync',
      'admin',
      'notify',
    ]);
  });
  if (problems.length > 0) throw new Error(asList(problems));
  return { port, databaseUrl, madeUpMembers, environment };
}

function problemsWith(
  flags: StartFlags,
  databaseUrl: string | undefined,
  hasRegister: boolean,
): string[] {
  const problems: string[] = [];
  if (databaseUrl && isSecretReference(databaseUrl)) {
    problems.push('DATABASE_URL is a reference to Secret Manager; npm start needs the address');
  }
  if (databaseUrl && !hasRegister && !flags.mock) {
    problems.push(
      'DATABASE_URL is set and DJANGO_BASE_URL is not: made-up members would go into your database. ' +
        'Set DJANGO_BASE_URL; or unset DATABASE_URL; or, for an empty database to try things in, add --mock',
    );
  }
  if (flags.mock && hasRegister) {
    problems.push('--mock makes members up, but DJANGO_BASE_URL names a register');
  }
  for (const flag of ['mock', 'migrate', 'sync'] as const) {
    if (flags[flag] && !databaseUrl) {
      problems.push(`--${flag} is for a database of your own: DATABASE_URL is not set`);
    }
  }
  return problems;
}

function asList(problems: string[]): string {
  const heading = problems.length === 1 ? 'Nothing was started:' : 'Nothing was started, because:';
  const lines = problems.map((problem) => `  - ${problem}`);
  return [
    heading,
    ...lines,
    'Every variable is in .env.example, every flag in npm start -- --help.',
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
