import { randomBytes } from 'node:crypto';
import { isSecretReference } from '../../lib/variables.ts';
import { readEnvFile } from '../envFile.ts';

/**
 * Takes in the .env file, if there is one. A variable that is set already stays as it is. Throws an error that
 * names the lines that say nothing.
 */
export function loadEnvFile(): void {
  for (const [name, value] of Object.entries(readEnvFile())) process.env[name] ??= value;
}

/** PORT or 8080. Throws when it is no port. */
export function portFrom({ PORT }: NodeJS.ProcessEnv): number {
  const port = Number(PORT || 8080);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error('PORT must be a number from 0 (any free one) to 65535');
}

const MOST_MEMBERS = 1_000_000;

/** MEMBERS or 2200; `50,000` and `50.000` are fifty thousand. Throws when it is no number of members. */
export function membersFrom({ MEMBERS }: NodeJS.ProcessEnv): number {
  const text = (MEMBERS || '2200').trim();
  const digits = /^\d{1,3}([,._' ]\d{3})+$/.test(text) ? text.replace(/\D/g, '') : text;
  if (/^\d+$/.test(digits) && Number(digits) <= MOST_MEMBERS) return Number(digits);
  throw new Error(`MEMBERS must be a whole number from 0 to ${MOST_MEMBERS}`);
}

export interface Parts {
  /** The variables of the database and the register. */
  variables: Record<string, string>;
  /** Whether both are the user's own, so that services may hear of what happens to them. */
  real: boolean;
}

export interface FunctionEnvironment {
  values: NodeJS.ProcessEnv & { ADMIN_API_KEY: string };
  /** What differs from the environment given, in sentences. */
  notes: string[];
}

/**
 * What the functions see: the environment given, with the parts, and a key if there is none. Only warnings
 * and errors come to the terminal. Two things of a deployed environment do not hold here. Nobody verifies
 * a caller for us, so AUTH_MODE is `key`. And no service elsewhere hears of made-up members.
 */
export function functionEnvironment(given: NodeJS.ProcessEnv, parts: Parts): FunctionEnvironment {
  const notes: string[] = [];
  const values = {
    ...given,
    NODE_ENV: given['NODE_ENV'] || 'development',
    LOG_LEVEL: given['LOG_LEVEL'] || 'WARNING',
    AUTH_MODE: 'key',
    ADMIN_API_KEY: given['ADMIN_API_KEY'] ?? '',
    ...parts.variables,
    // Ours is the gateway's; a function gets a port of its own.
    PORT: '',
  };
  if (given['AUTH_MODE'] && given['AUTH_MODE'] !== 'key') {
    notes.push('AUTH_MODE is key here: only Cloud Run verifies callers for AUTH_MODE=iam');
  }
  if (!values.ADMIN_API_KEY || isSecretReference(values.ADMIN_API_KEY)) {
    values.ADMIN_API_KEY = `local-${randomBytes(16).toString('hex')}`;
  }
  if (!parts.real && !receiversOf(given).every(isOnThisMachine)) {
    Object.assign(values, { NOTIFY_URLS: '' });
    notes.push('NOTIFY_URLS is left out: no service elsewhere hears of a trial');
  }
  return { values, notes };
}

function receiversOf({ NOTIFY_URLS }: NodeJS.ProcessEnv): string[] {
  return (NOTIFY_URLS ?? '')
    .split(',')
    .map((url) => url.trim())
    .filter(Boolean);
}

function isOnThisMachine(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}
