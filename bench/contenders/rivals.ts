import pg from 'pg';
import { byHand } from './byHand.ts';
import { knexUpsert } from './knexUpsert.ts';
import { limit } from './limit.ts';
import { rowwise } from './rowwise.ts';

export interface Rival {
  name: string;
  /** What ours does and this way does not. */
  lacks: string;
  /** The largest register it is measured with. */
  upTo: number;
  sync(databaseUrl: string, register: string): Promise<void>;
}

// Every run has a connection of its own, as ours has.
const connected =
  (work: (client: pg.Client, register: string) => Promise<void>) =>
  async (databaseUrl: string, register: string) => {
    const client = new pg.Client(databaseUrl);
    await client.connect();
    try {
      await work(client, register);
    } finally {
      await client.end();
    }
  };

const unsafe = 'proof, confirmation, limits, dry run, undo';

/** The other ways, from the least that can be done to the plainest. */
export const rivals: Rival[] = [
  {
    name: 'limit without stamps',
    lacks: `${unsafe}, stamp`,
    upTo: 1_000_000,
    sync: connected((client, register) => limit(client, register, false)),
  },
  {
    name: 'limit',
    lacks: unsafe,
    upTo: 1_000_000,
    sync: connected((client, register) => limit(client, register, true)),
  },
  {
    name: 'by hand',
    lacks: `${unsafe}, audit trail`,
    upTo: 1_000_000,
    sync: connected(byHand),
  },
  {
    name: 'knex',
    lacks: `${unsafe}, audit trail, removals, changed kennitölur`,
    upTo: 1_000_000,
    sync: knexUpsert,
  },
  {
    name: 'rowwise',
    lacks: `${unsafe}, audit trail, removals, changed kennitölur`,
    upTo: 100_000,
    sync: connected(rowwise),
  },
];
