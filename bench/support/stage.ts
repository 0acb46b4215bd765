import { join } from 'node:path';
import createKnex, { type Knex } from 'knex';
import { generatePeople } from '../../local/mockDjango/people.ts';
import { copyText, floor } from '../contenders/floor.ts';
import { rowwise } from '../contenders/rowwise.ts';
import { upsertLibrary } from '../contenders/upsertLibrary.ts';
import { type BenchDatabase, createBenchDatabase } from './database.ts';
import { type BenchRegister, startRegister } from './register.ts';
import { type ServedFunction, serveFunction } from './servedFunction.ts';

export const dist = (name: string) => join(import.meta.dirname, '../../dist', name);

/** One register of a size, and what reads it. */
export interface Stage {
  members: number;
  register: BenchRegister;
  /** Wall time of the floor, in ms: the members table is empty before and after. */
  floor(): Promise<number>;
  stop(): Promise<void>;
  server: string;
}

export async function setStage(server: string, members: number): Promise<Stage> {
  const register = await startRegister(members);
  const text = copyText(generatePeople(members));
  const database = await createBenchDatabase(server);
  return {
    members,
    register,
    server,
    floor: async () => {
      const time = await clock(() => floor(database.client, register.url, text));
      await database.client.query('truncate public.members');
      await settle(database);
      return time;
    },
    stop: async () => {
      await database.drop();
      register.stop();
    },
  };
}

/** One sync of a contender: its wall time in ms and the WAL it wrote in bytes. */
export interface Sync {
  wallMs: number;
  walBytes: number;
}

/** A way to sync with a database of its own. */
export interface Contender {
  sync(body?: object): Promise<Sync>;
  stop(): Promise<void>;
}

export interface Ours extends Contender {
  database: BenchDatabase;
  served: ServedFunction;
}

/** Ours: the built bundle under the functions framework, called over HTTP. */
export async function ours({ server, register }: Stage, nodeFlags: string[] = []): Promise<Ours> {
  const database = await createBenchDatabase(server);
  const environment = {
    DATABASE_URL: database.url,
    DJANGO_BASE_URL: register.url,
    DJANGO_API_KEY: 'any',
    DJANGO_MODIFIED_SINCE_PARAM: 'modified_since',
  };
  const served = await serveFunction(
    dist('syncScheduled'),
    'syncScheduled',
    environment,
    nodeFlags,
  );
  const sync = async (body = {}) =>
    measured(database, async () => {
      const { status } = await served.call(body);
      if (status !== 'success') throw new Error(`the run ended ${status}`);
    });
  return {
    database,
    served,
    sync,
    stop: async () => {
      await served.stop();
      await database.drop();
    },
  };
}

export async function rowwiseContender({ server, register }: Stage): Promise<Contender> {
  const database = await createBenchDatabase(server);
  return {
    sync: () => measured(database, () => rowwise(database.client, register.url)),
    stop: database.drop,
  };
}

export async function libraryContender({ server, register }: Stage): Promise<Contender> {
  const database = await createBenchDatabase(server);
  const knex: Knex = createKnex({ client: 'pg', connection: database.url });
  return {
    sync: () => measured(database, () => upsertLibrary(knex, register.url)),
    stop: async () => {
      await knex.destroy();
      await database.drop();
    },
  };
}

async function measured(database: BenchDatabase, work: () => Promise<void>): Promise<Sync> {
  await settle(database);
  const before = await database.walBytes();
  const wallMs = await clock(work);
  return { wallMs, walBytes: (await database.walBytes()) - before };
}

// A checkpoint or a vacuum that one contender caused must not slow the next one.
async function settle({ client }: BenchDatabase): Promise<void> {
  await client.query('vacuum public.members');
  await client.query('checkpoint');
}

export async function clock(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
