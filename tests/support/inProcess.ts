import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterTests } from './cleanUp.ts';

/** Serves a registered function with the functions framework in this process; gives its address. */
export async function serveFunction(name: string): Promise<string> {
  const server = getTestServer(name).listen(0, '127.0.0.1');
  afterTests(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const served = new Map<string, Promise<string>>();

/**
 * Loads a function of ours in this process, where its lines count as covered, and serves it. It reads its
 * environment while it loads, once: all functions of a test file have the same.
 */
export function serveOurs(name: string, settings: Record<string, string>): Promise<string> {
  const known = served.get(name) ?? load(name, settings);
  served.set(name, known);
  return known;
}

async function load(name: string, settings: Record<string, string>): Promise<string> {
  // jest gives every test file a process.env of its own.
  Object.assign(process.env, settings);
  await import(`../../functions/${name}.ts`);
  const { closePool } = await import('../../lib/database.ts');
  afterTests(closePool);
  return serveFunction(name);
}
