import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../lib/config.ts';

/** Takes in the .env file, if there is one; what is set already wins. */
export function loadEnvFile(): void {
  const file = join(import.meta.dirname, '../../.env');
  if (existsSync(file)) process.loadEnvFile(file);
}

/** PORT or 8080. Throws when it is no port. */
export function portFrom({ PORT }: NodeJS.ProcessEnv): number {
  const port = Number(PORT || 8080);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error('PORT must be a number from 0 (any free one) to 65535');
}

/**
 * What the functions see: our environment, a key if there is none, warnings and errors only on
 * the terminal. Throws ConfigError with every problem at once, before anything is asked to work with it.
 */
export function functionEnvironment(
  parts: Record<string, string>,
): NodeJS.ProcessEnv & { ADMIN_API_KEY: string } {
  const given = process.env;
  const env = {
    ...given,
    NODE_ENV: given['NODE_ENV'] || 'development',
    LOG_LEVEL: given['LOG_LEVEL'] || 'WARNING',
    ADMIN_API_KEY: given['ADMIN_API_KEY'] || `local-${randomBytes(16).toString('hex')}`,
    ...parts,
    // Ours is the gateway's; a function gets a port of its own.
    PORT: '',
  };
  loadConfig(env, ['runtime', 'auth', 'database', 'django', 'sync', 'notify']);
  return env;
}
