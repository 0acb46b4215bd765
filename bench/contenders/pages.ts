import type { MemberRecord } from '../../local/mockDjango/people.ts';

const CONCURRENCY = 4;

interface Page {
  count: number;
  results: MemberRecord[];
}

/** Hands each page's text to `take`, four requests at a time, the first page alone. */
export async function eachPage(register: string, take: (text: string) => void): Promise<void> {
  const read = async (page: number) =>
    (await fetch(`${register}/api/members/?page=${page}`)).text();
  const first = await read(1);
  take(first);
  const { count, results } = JSON.parse(first) as Page;
  const pages = Math.ceil(count / results.length);
  let next = 2;
  const readOn = async () => {
    while (next <= pages) take(await read(next++));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, readOn));
}

/** Everything the register has, in memory. */
export async function fetchMembers(register: string): Promise<MemberRecord[]> {
  const members: MemberRecord[] = [];
  await eachPage(register, (text) => members.push(...(JSON.parse(text) as Page).results));
  return members;
}
