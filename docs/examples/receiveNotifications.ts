import { createServer, type IncomingMessage, type Server } from 'node:http';
import type pg from 'pg';
import { Webhook } from 'standardwebhooks';

interface Synced {
  run_id: number;
  sync_type: string;
  members_added: number;
  members_removed: number;
  members_updated: number;
  members_reactivated: number;
}

interface Options {
  /** The secret; while it is being rotated the new one and the old one. */
  secrets: string[];
  /** This service's own database, with the table that deduplicate.sql makes. */
  database: pg.Pool;
  /** What this service does about a change. When it throws, the notification comes again. */
  onChange: (data: Synced, client: pg.PoolClient) => Promise<void>;
}

/** Takes the notifications of membership-sync: verified, and each one acted upon once. */
export function receiveNotifications({ secrets, database, onChange }: Options): Server {
  return createServer(async (request, response) => {
    const body = await readBody(request);
    const data = verify(body, request, secrets);
    if (data === undefined) return response.writeHead(401).end();
    const client = await database.connect();
    try {
      await client.query('begin');
      // Delivery is at least once: the same webhook-id may come again, and is acted upon only once.
      const { rowCount } = await client.query(
        'insert into received_webhooks (webhook_id) values ($1) on conflict do nothing',
        [request.headers['webhook-id']],
      );
      if (rowCount === 1) await onChange(data, client);
      await client.query('commit');
      response.writeHead(204).end();
    } catch {
      await client.query('rollback').catch(() => undefined);
      response.writeHead(500).end();
    } finally {
      client.release();
    }
  });
}

// The signature is over the bytes as they came: verify them before anything parses them. The library
// also refuses a timestamp that is more than five minutes old, so nobody can replay an old message.
function verify(body: string, { headers }: IncomingMessage, secrets: string[]): Synced | undefined {
  for (const secret of secrets) {
    try {
      const message = new Webhook(secret).verify(body, headers as Record<string, string>);
      return (message as { data: Synced }).data;
    } catch {
      // Perhaps it is signed with the other one.
    }
  }
  return undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
