import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../migrations/migrate.ts';

export interface BenchDatabase {
  url: string;
  client: pg.Client;
  /** Bytes of WAL written since the server began. */
  walBytes(): Promise<number>;
  drop(): Promise<void>;
}

/** A new database with all migrations on the server behind that URL. */
export async function createBenchDatabase(server: string): Promise<BenchDatabase> {
  const name = `bench_${randomBytes(4).toString('hex')}`;
  const admin = new pg.Client(server);
  await admin.connect();
  await admin.query(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate(url.href, { log: () => undefined });
  const client = new pg.Client(url.href);
  await client.connect();
  return {
    url: url.href,
    client,
    walBytes: async () => {
      const { rows } = await client.query(
        `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`,
      );
      return rows[0].bytes;
    },
    drop: async () => {
      await client.end();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
