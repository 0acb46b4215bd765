import fc from 'fast-check';
import type { Misbehaviour } from '../../local/mockDjango/misbehave.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { Row } from './database.ts';
import { apply, type Change, membersNow, type Person } from './reliabilityRegister.ts';

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

/** Damages records on their way, in the list and on their own pages. */
export function applyDamages(
  django: MockDjango,
  list: Damage[],
): { damaged: ReadonlySet<number>; end: () => void } {
  const rows = django.members.list();
  const damaged = new Map(
    list.map(({ a, how }) => [rows[a % Math.max(1, rows.length)]?.id ?? Number.NaN, how]),
  );
  const broken = (record: { id: number }) =>
    damaged.has(record.id) ? { ...record, ...damaged.get(record.id) } : record;
  const end = django.misbehave({
    kind: 'rewrite',
    body: (body: { results?: { id: number }[]; id: number }) =>
      body.results ? { ...body, results: body.results.map(broken) } : broken(body),
  });
  return { damaged: new Set(damaged.keys()), end };
}

/** How a register is read. */
interface Reading {
  pageSize: number;
  pagination: string;
  confirm: string;
  detail: boolean;
}
interface Wrongs {
  during: { n: number; change: Change }[];
  faults: RequestFault[];
}

/**
 * Leaves out what no sync could see through. A second walk, which stands in for the page of one member, can miss
 * the same member as the first if the register changes during both; and where nothing is confirmed, because a
 * cursor cannot miss rows, a register that leaves rows out is believed.
 */
export function visible<T extends Wrongs>(
  django: MockDjango,
  { pageSize, pagination, confirm, detail }: Reading,
  rows: Row[],
  asked: T,
): T {
  // Where a row has no Django id, or that of somebody else, no page of one member can speak of it.
  const isElsewhere = ({ external_id, kennitala }: Row) => {
    const record = django.members.get(Number(external_id));
    return external_id === null || (record !== undefined && record.kennitala !== kennitala);
  };
  const byWalk = !detail || rows.some((row) => row['is_active'] && isElsewhere(row));
  const pages = Math.ceil(django.members.list().length / pageSize);
  const believed = pagination === 'cursor' && confirm === 'auto';
  const lies = asked.faults.filter(({ fault }) => fault.kind === 'rewrite');
  return {
    ...asked,
    during: byWalk ? asked.during.filter(({ n }) => n <= pages) : asked.during,
    faults: asked.faults.filter(
      (one) =>
        one.fault.kind !== 'rewrite' ||
        (!believed && (!byWalk || (one === lies[0] && one.n <= pages))),
    ),
  };
}

/** What a run could have seen of the register, while it changed. */
export interface Watched {
  /** Who was a member all the time, under one Django id. */
  throughout: Map<number, Person>;
  /** Who ever was a member, by each kennitala that they had. */
  ever: Map<string, Set<string>>;
}

const watchNow = (django: MockDjango): Watched => {
  const throughout = membersNow(django);
  const ever = new Map<string, Set<string>>();
  const watched = { throughout, ever };
  look(watched, throughout);
  return watched;
};

/** Notes what the register says by now. */
export function look({ throughout, ever }: Watched, now: Map<number, Person>): void {
  for (const { kennitala, person } of now.values()) {
    ever.set(kennitala, (ever.get(kennitala) ?? new Set()).add(person));
  }
  for (const [id, { person }] of [...throughout]) {
    const still = now.get(id);
    if (still?.person === person) {
      throughout.set(id, still);
    } else throughout.delete(id);
  }
}

/** Lets the register change and the replies fail at given requests of the next run; the result says what it was. */
export function disturb(
  django: MockDjango,
  during: { n: number; change: Change }[] = [],
  faults: RequestFault[] = [],
): Watched {
  const watched = watchNow(django);
  let n = 0;
  django.behaviour.onRequest = () => {
    n += 1;
    for (const one of during) {
      if (one.n !== n) continue;
      apply(django, one.change);
      look(watched, membersNow(django));
    }
  };
  const start = django.requests.at(-1)?.n ?? 0;
  for (const { n: at, fault } of faults) {
    django.misbehave({ ...fault, times: 1, when: (request) => request.n - start === at });
  }
  return watched;
}
