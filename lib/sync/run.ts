import type pg from 'pg';
import type { SyncContext, SyncRequest } from './types.ts';

/** One run while it goes on. */
export interface Run {
  request: SyncRequest;
  context: SyncContext;
  /** The run's only connection: lock, temporary tables and transaction live and die with it. */
  client: pg.Client;
  /** null for a dry run, which is not logged. */
  id: number | null;
  startedAt: Date;
}
