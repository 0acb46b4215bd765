import fc from 'fast-check';
import type { Misbehaviour } from '../../local/mockDjango/misbehave.ts';
import type { MemberRecord } from '../../local/mockDjango/people.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import { asksForList } from './register.ts';

/** One change of the register; `a` and `b` pick members by position, whoever is there by then. */
export interface Change {
  kind: (typeof kinds)[number];
  a: number;
  b: number;
}

const kinds = [
  'join',
  'join first',
  'leave',
  'leave',
  'soft delete',
  'come back',
  'rename',
  'clear contact',
  'new kennitala',
  'swap kennitalas',
  'register anew',
  'take over kennitala',
] as const;

export const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...kinds),
  a: fc.nat(20),
  b: fc.nat(20),
});

/** A record that cannot be read, or only in part. */
export const damages = [
  { kennitala: 101302989 },
  { kennitala: '010130298' },
  { kennitala: undefined },
  { name: null },
  { name: 'x'.repeat(256) },
  { is_active: 'yes' },
  { email: 'no address', phone: 'much longer than a phone number' },
  { email: undefined, phone: undefined },
  { id: undefined },
  { id: undefined, kennitala: undefined },
] as const;

export interface Damage {
  a: number;
  how: (typeof damages)[number];
}

export const damage: fc.Arbitrary<Damage> = fc.record({
  a: fc.nat(20),
  how: fc.constantFrom(...damages),
});

/** What goes wrong with one request, by its number from the start of the run. */
export interface RequestFault {
  n: number;
  fault: Misbehaviour;
}

export const requestFault: fc.Arbitrary<RequestFault> = fc.record({
  n: fc.integer({ min: 1, max: 12 }),
  fault: fc.constantFrom<Misbehaviour>(
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 404, body: { detail: 'Invalid page.' } },
    { kind: 'status', status: 403 },
    { kind: 'throttle', retryAfter: 0 },
    { kind: 'throttle', retryAfter: null },
    { kind: 'reset' },
    { kind: 'truncate' },
    { kind: 'malformed' },
    { kind: 'html' },
    { kind: 'rewrite', body: emptyPage },
    { kind: 'rewrite', body: withoutFirst },
    { kind: 'rewrite', body: firstTwice },
  ),
});

interface Page {
  results?: unknown[];
  count?: number;
}
function emptyPage(page: Page): unknown {
  return page.results ? { ...page, results: [] } : page;
}
function withoutFirst(page: Page): unknown {
  return page.results ? { ...page, results: page.results.slice(1) } : page;
}
function firstTwice(page: Page): unknown {
  return page.results ? { ...page, results: [...page.results.slice(0, 1), ...page.results] } : page;
}

let serial = 0;
const freshKennitala = () => {
  serial += 1;
  // Day 0 of month 0 is nobody's birthday.
  return `0000${String(serial).padStart(6, '0')}`;
};

/** Makes a change; one that needs somebody who is not there does nothing. */
export function apply(django: MockDjango, { kind, a, b }: Change): void {
  const { members } = django;
  const all = members.list();
  const first = all[a % Math.max(1, all.length)];
  const second = all[b % Math.max(1, all.length)];
  if (kind === 'join') return void members.add({ kennitala: freshKennitala() });
  if (!first || !second) return;
  switch (kind) {
    case 'join first': {
      const lowest = idOf(all[0]) - 1;
      members.add({ id: lowest, kennitala: freshKennitala() });
      break;
    }
    case 'leave':
      members.remove(first.id);
      break;
    case 'soft delete':
      members.softDelete(first.id);
      break;
    case 'come back':
      members.update(first.id, { is_active: true, deleted_at: null });
      break;
    case 'rename':
      members.update(first.id, { name: `Nýtt Nafn ${b}`, email: `nytt.${b}@felagi.example` });
      break;
    case 'clear contact':
      members.update(first.id, { email: null, phone: '' });
      break;
    case 'new kennitala':
      members.update(first.id, { kennitala: freshKennitala() });
      break;
    case 'swap kennitalas':
      if (first.id === second.id) break;
      members.update(first.id, { kennitala: second.kennitala });
      members.update(second.id, { kennitala: first.kennitala });
      break;
    case 'register anew': {
      const { kennitala, name, email, phone } = first;
      members.remove(first.id);
      members.add({ kennitala, name, email, phone });
      break;
    }
    case 'take over kennitala':
      if (first.id === second.id) break;
      members.remove(first.id);
      members.update(second.id, { kennitala: first.kennitala });
      break;
  }
}

const idOf = (record: MemberRecord | undefined) => record?.id ?? 0;

/** Damages records on their way, in the list and on their own pages; gives a function that ends it. */
export function applyDamages(django: MockDjango, list: Damage[]): () => void {
  const rows = django.members.list();
  const damaged = new Map(
    list.map(({ a, how }) => [rows[a % Math.max(1, rows.length)]?.id ?? Number.NaN, how]),
  );
  const broken = (record: { id: number }) =>
    damaged.has(record.id) ? { ...record, ...damaged.get(record.id) } : record;
  return django.misbehave({
    kind: 'rewrite',
    body: (body: { results?: { id: number }[]; id: number }) =>
      body.results ? { ...body, results: body.results.map(broken) } : broken(body),
  });
}

/** Who is a member in the register now, by Django id. */
export function membersNow(django: MockDjango): Map<number, MemberRecord> {
  return new Map(
    django.members
      .list()
      .filter(({ is_active, deleted_at }) => is_active && !deleted_at)
      .map((record) => [record.id, record]),
  );
}

/** Lets the register change and the answers fail at given requests of the next run; tells who was a member all the time. */
export function disturb(
  django: MockDjango,
  during: { n: number; change: Change }[],
  faults: RequestFault[],
): { throughout: () => Map<number, MemberRecord>; listRequests: () => number } {
  const always = membersNow(django);
  let n = 0;
  let lists = 0;
  django.behaviour.onRequest = (request) => {
    n += 1;
    if (asksForList(request)) lists += 1;
    for (const one of during) {
      if (one.n !== n) continue;
      apply(django, one.change);
      const now = membersNow(django);
      for (const id of [...always.keys()]) if (!now.has(id)) always.delete(id);
      for (const [id, record] of now) if (always.has(id)) always.set(id, record);
    }
  };
  const start = django.requests.at(-1)?.n ?? 0;
  for (const { n: at, fault } of faults) {
    django.misbehave({ ...fault, times: 1, when: (request) => request.n - start === at });
  }
  return { throughout: () => always, listRequests: () => lists };
}
