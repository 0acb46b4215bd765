import type pg from 'pg';

export interface Eligible {
  name: string;
  email: string | null;
  /** When the register last said that this person is a member. */
  verified_at: Date | null;
}

/** The member with this kennitala, or undefined: who is not in the view is not eligible. */
export async function findEligible(
  database: pg.Pool,
  kennitala: string,
): Promise<Eligible | undefined> {
  const { rows } = await database.query<Eligible>(
    `select name, email, verified_at from public.member_eligibility
    where kennitala = $1 and eligible`,
    [kennitala.replace(/[\s-]/g, '')],
  );
  return rows[0];
}
