import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from '../nearest.ts';

export const startUsage = `Usage: npm start [-- FLAGS]

Builds the functions, starts a PostgreSQL and a made-up member register, syncs once, and serves
until Ctrl-C, which leaves nothing behind.

  --once      end after the first sync; the exit code says whether it went well
  --watch     rebuild and restart the functions whenever their code changes (npm run dev)
  --help      this text

For a database of your own (DATABASE_URL):

  --migrate   apply the migrations that it lacks
  --sync      sync after the dry run, which otherwise is all that happens
  --mock      fill it with made-up members; only an empty database is taken

Variables, in the environment or in a file .env (.env.example lists them all):

  DATABASE_URL      your database instead of one that is thrown away
  DJANGO_BASE_URL   your register instead of the made-up one, with DJANGO_API_KEY
  MEMBERS           how many members to make up (2200)
  PORT              where to serve (8080; 0 takes any free port)`;

const startOptions = {
  once: { type: 'boolean' },
  watch: { type: 'boolean' },
  migrate: { type: 'boolean' },
  sync: { type: 'boolean' },
  mock: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

export type StartFlags = { [F in keyof typeof startOptions]?: boolean };

/** The flags of `npm start`. Throws an error in one sentence when a flag or a word is unknown. */
export function parseStartArguments(args: string[], environment: NodeJS.ProcessEnv): StartFlags {
  // `npm start --once` without the lone -- is a setting of npm's, and the flag would not count.
  const lost = Object.keys(startOptions).find((flag) => environment[`npm_config_${flag}`]);
  if (lost) throw new Error(`npm took --${lost} for itself. Write: npm start -- --${lost}`);
  try {
    return parseArgs({ args, options: startOptions }).values;
  } catch {
    const known = Object.keys(startOptions).map((flag) => `--${flag}`);
    const index = args.findIndex((arg) => !known.includes(arg) && arg !== '-h');
    const meant = nearest(args[index] ?? '', known);
    // What it is may be an address with a password in it, so it is not repeated.
    throw new Error(
      `npm start does not know its argument ${index + 1}.${meant ? ` Did you mean ${meant}?` : ''} ` +
        'Settings are variables, as in PORT=9000 npm start; its flags: npm start -- --help',
    );
  }
}
