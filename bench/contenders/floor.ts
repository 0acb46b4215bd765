import type pg from 'pg';
import { from } from 'pg-copy-streams';
import type { MemberRecord } from '../../local/mockDjango/people.ts';
import { eachPage } from './pages.ts';

/** The rows of the register as COPY text, made before the clock starts. */
export function copyText(people: readonly MemberRecord[]): string {
  const field = (value: string | null) => value ?? '\\N';
  return people
    .map(
      ({ id, kennitala, name, email, phone }) =>
        `${id}\t${kennitala}\t${name}\t${field(email)}\t${field(phone)}\n`,
    )
    .join('');
}

/**
 * The least that any way can cost: every page fetched and thrown away, the same rows COPYed from memory
 * into a plain table, and one INSERT … SELECT into the empty members table with its indexes.
 */
export async function floor(client: pg.Client, register: string, text: string): Promise<void> {
  await eachPage(register, () => undefined);
  await client.query('begin');
  await client.query(
    'create temp table rows (external_id text, kennitala text, name text, email text, phone text) on commit drop',
  );
  await new Promise<void>((resolve, reject) => {
    const stream = client.query(from('copy rows from stdin'));
    stream.once('finish', resolve).once('error', reject);
    stream.end(text);
  });
  await client.query(`
    insert into public.members (kennitala, name, email, phone, external_id, last_verified_at)
    select kennitala, name, email, phone, external_id, now() from rows
  `);
  await client.query('commit');
}
