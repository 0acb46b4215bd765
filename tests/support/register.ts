import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { SeenRequest } from '../../local/mockDjango/types.ts';
import type { Row } from './database.ts';
import type { World } from './world.ts';

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** Whether a request asks for the list, and not for one member. */
export const asksForList = ({ path }: SeenRequest): boolean => path === '/api/members/';
/** The member that a request asks for, by Django id. */
export const memberAsked = ({ path }: SeenRequest): string | undefined =>
  /^\/api\/members\/([^/]+)\/$/.exec(path)?.[1];

/** Calls back before each page of a list is answered, with its number and that of the walk, from 1. */
export function onPage(
  django: MockDjango,
  callback: (page: number, walk: number) => unknown,
): void {
  let walk = 0;
  django.behaviour.onRequest = (request) => {
    if (!asksForList(request)) return undefined;
    const { page, offset, cursor } = request.query;
    if (page === undefined && offset === undefined && cursor === undefined) walk += 1;
    return callback(Number(page ?? 1), walk);
  };
}

/** Makes the list leave these members out, counting itself right, while their own pages still answer. */
export function hideFromList(
  django: MockDjango,
  ids: number[],
  when: (request: SeenRequest) => boolean = () => true,
): () => void {
  interface Page {
    count: number;
    results: { id: number }[];
  }
  return django.misbehave({
    kind: 'rewrite',
    when: (request) => asksForList(request) && when(request),
    body: (page: Page) => ({
      ...page,
      count: page.count - ids.length,
      results: page.results.filter(({ id }) => !ids.includes(id)),
    }),
  });
}

const listings = new WeakMap<MockDjango, () => void>();

/** Makes the register answer with exactly these records, in one page, and with each of them by its id. */
export function setRegister(django: MockDjango, records: unknown[]): void {
  listings.get(django)?.();
  for (const { id } of [...django.members.list()]) django.members.remove(id);
  for (const each of [...records].reverse()) {
    const id = (each as Row | null)?.['id'];
    if (typeof id === 'number') django.members.addRaw(each as Row);
  }
  const end = django.misbehave({
    kind: 'rewrite',
    when: ({ path }) => path === '/api/members/',
    body: () => records,
  });
  listings.set(django, end);
}

/** Lists one more record, which names nobody. */
export function listNameless({ django }: World, name: string): void {
  django.misbehave({
    kind: 'rewrite',
    when: asksForList,
    body: (page: { count: number; results: object[] }) => ({
      ...page,
      count: page.count + 1,
      results: [...page.results, { name }],
    }),
  });
}

/** One change of each class: an update, a removal, an addition and a return; gives the way back. */
export async function changeRegister({ django, database }: World): Promise<() => void> {
  const { members } = django;
  const [first, second, third] = members.list();
  if (!first || !second || !third) throw new Error('the register is too small');
  // As a leaver of long ago, of whom the audit trail has nothing any more.
  await database.query(`update public.members set is_active = false, removed_at = '2026-01-01'
    where external_id = '${third.id}';
    delete from public.member_changes where after ->> 'external_id' = '${third.id}'`);
  members.update(first.id, { name: `${first.name} yngri` });
  members.remove(second.id);
  members.add({ id: second.id + 100 });
  return () => {
    members.update(first.id, { name: first.name });
    members.remove(second.id + 100);
    members.add({ ...second });
  };
}
