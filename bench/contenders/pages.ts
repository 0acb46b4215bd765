import type { MemberRecord } from '../../local/mockDjango/people.ts';

const CONCURRENCY = 4;

interface Page {
  count: number;
  results: MemberRecord[];
}

/** Hands the members of each page to `take` as it arrives, four requests at a time, the first page alone. */
export async function eachPage(
  register: string,
  take: (members: MemberRecord[]) => unknown,
): Promise<void> {
  const read = async (page: number) => {
    const response = await fetch(`${register}/api/members/?page=${page}`);
    return JSON.parse(await response.text()) as Page;
  };
  const { count, results } = await read(1);
  await take(results);
  const pages = Math.ceil(count / results.length);
  let next = 2;
  const readOn = async () => {
    while (next <= pages) await take((await read(next++)).results);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, readOn));
}

/** Everything the register has, in memory. */
export async function fetchMembers(register: string): Promise<MemberRecord[]> {
  const members: MemberRecord[] = [];
  await eachPage(register, (page) => members.push(...page));
  return members;
}
