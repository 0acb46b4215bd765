import createKnex from 'knex';
import { fetchMembers } from './pages.ts';

/** 1,000 rows of six values stay below the 65,535 parameters that one statement may have. */
const BATCH = 1000;

/** The batch upsert of a query builder: fetch everything, then onConflict().merge() in one transaction. */
export async function knexUpsert(databaseUrl: string, register: string): Promise<void> {
  const knex = createKnex({ client: 'pg', connection: databaseUrl });
  try {
    const members = await fetchMembers(register);
    const now = new Date();
    const rows = members.map(({ id, kennitala, name, email, phone }) => ({
      kennitala,
      name,
      email,
      phone,
      external_id: String(id),
      last_verified_at: now,
    }));
    await knex.transaction(async (transaction) => {
      for (let start = 0; start < rows.length; start += BATCH) {
        const batch = rows.slice(start, start + BATCH);
        await transaction('members').insert(batch).onConflict('kennitala').merge();
      }
    });
  } finally {
    await knex.destroy();
  }
}
