import type pg from 'pg';

interface Options {
  /** The URL of the function syncStatus. */
  statusUrl: string;
  /** The Authorization header of the call. */
  authorization: string;
  database: pg.Pool;
  /** How long ago the register may have been read completely. */
  maxAgeMinutes: number;
}

interface Status {
  status: string;
  last_run: { id: number; status: string } | null;
  last_success: { sync_timestamp: string; mode: string } | null;
}

/** Why the list of members is not good enough to open an election with; empty when it is. */
export async function reasonsNotToOpen(options: Options): Promise<string[]> {
  const { statusUrl, authorization, database, maxAgeMinutes } = options;
  const response = await fetch(statusUrl, { headers: { authorization } });
  if (!response.ok) return [`syncStatus answered ${response.status}`];
  const { status, last_run, last_success } = (await response.json()) as Status;
  if (last_success === null) return ['the register has never been read completely'];

  const reasons: string[] = [];
  if (status !== 'ok' && status !== 'running') reasons.push(`the sync is ${status}`);
  const minutes = (Date.now() - Date.parse(last_success.sync_timestamp)) / 60_000;
  if (minutes > maxAgeMinutes) {
    reasons.push(`the register was read ${Math.round(minutes)} minutes ago`);
  }
  if (last_run?.status === 'held') {
    reasons.push(`run ${last_run.id} holds changes back that an admin has to look at`);
  }

  // An incremental run sees only who has changed; a full one sees everybody.
  if (last_success.mode === 'full') {
    const { rows } = await database.query<{ unseen: number }>(
      `select count(*)::int as unseen from public.member_eligibility
      where verified_at is null or verified_at < $1`,
      [last_success.sync_timestamp],
    );
    const unseen = rows[0]?.unseen ?? 0;
    if (unseen > 0) {
      reasons.push(`${unseen} eligible member(s) were not seen when the register was last read`);
    }
  }
  return reasons;
}
