import fc from 'fast-check';
import { generatePeople, type MemberRecord } from '../../local/mockDjango/people.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';

/** One change of the register; `a`, `b` and `c` pick records by position, whoever is there by then. */
export interface Change {
  kind: Kind;
  a: number;
  b: number;
  c: number;
}

type Kind = keyof typeof kinds;

/** Somebody of the register. `person` says who it really is, which no sync can read. */
export interface Person extends MemberRecord {
  person: string;
}

let serial = 0;
/** Starts the numbers of fresh people over, so that a case is the same whenever it is run. */
export const startOver = (): void => {
  serial = 0;
};
const fresh = () => {
  serial += 1;
  return serial;
};
// Day 0 of month 0 is nobody's birthday.
const freshKennitala = () => `0000${String(fresh()).padStart(6, '0')}`;
const freshName = () => `Nýtt Nafn ${fresh()}`;
const newcomer = () => {
  const number = fresh();
  return {
    person: `n${number}`,
    kennitala: freshKennitala(),
    name: `Nýr Félagi ${number}`,
    email: `nyr.${number}@felagi.example`,
  };
};

interface Picked {
  members: MockDjango['members'];
  all: readonly Person[];
  first: Person;
  second: Person;
  third: Person;
}

/** What goes with the person when the record is entered anew. */
const ownOf = ({ person, kennitala, name, email, phone }: Person) => ({
  person,
  kennitala,
  name,
  email,
  phone,
});
const membership = { is_active: true, deleted_at: null };
const apart = ({ first, second }: Picked) => first.id !== second.id;
const allApart = ({ first, second, third }: Picked) =>
  new Set([first.id, second.id, third.id]).size === 3;

// The register deletes for good (leave), or says in the record that somebody is no member (soft delete).
const kinds = {
  join: () => undefined,
  'join first': ({ members, all }: Picked) =>
    members.add({ ...newcomer(), id: (all[0]?.id ?? 1) - 1 }),
  leave: ({ members, first }: Picked) => members.remove(first.id),
  'soft delete': ({ members, first }: Picked) => members.softDelete(first.id),
  'come back': ({ members, first }: Picked) => members.update(first.id, membership),
  rename: ({ members, first }: Picked) =>
    members.update(first.id, { name: freshName(), email: `nytt.${serial}@felagi.example` }),
  respell: ({ members, first }: Picked) =>
    members.update(first.id, {
      name: ` ${first.name.toUpperCase().normalize('NFD').replace(' ', '  ')}`,
    }),
  'clear contact': ({ members, first }: Picked) =>
    members.update(first.id, { email: null, phone: '' }),
  'new kennitala': ({ members, first }: Picked) =>
    members.update(first.id, { kennitala: freshKennitala() }),
  'new kennitala and name': ({ members, first }: Picked) =>
    members.update(first.id, { kennitala: freshKennitala(), name: freshName() }),
  'swap kennitalas': ({ members, first, second }: Picked) => {
    members.update(first.id, { kennitala: second.kennitala });
    members.update(second.id, { kennitala: first.kennitala });
  },
  'chain of kennitalas': (picked: Picked) => {
    const { members, first, second, third } = picked;
    if (!allApart(picked)) return;
    members.update(first.id, { kennitala: second.kennitala });
    members.update(second.id, { kennitala: third.kennitala });
    members.update(third.id, { kennitala: freshKennitala() });
  },
  'ring of kennitalas': (picked: Picked) => {
    const { members, first, second, third } = picked;
    if (!allApart(picked)) return;
    members.update(first.id, { kennitala: second.kennitala });
    members.update(second.id, { kennitala: third.kennitala });
    members.update(third.id, { kennitala: first.kennitala });
  },
  'take over kennitala': (picked: Picked) => {
    const { members, first, second } = picked;
    if (!apart(picked)) return;
    members.remove(first.id);
    members.update(second.id, { kennitala: first.kennitala });
  },
  /** A mistake: the newcomer is given the number of somebody who gets another. */
  'hand on kennitala': ({ members, first }: Picked) => {
    members.update(first.id, { kennitala: freshKennitala() });
    members.add({ ...newcomer(), kennitala: first.kennitala });
  },
  'register anew': ({ members, first }: Picked) => {
    members.remove(first.id);
    members.add(ownOf(first));
  },
  /** The old record stays, as that of a former member. */
  'register anew beside': ({ members, first }: Picked) => {
    members.softDelete(first.id);
    members.add(ownOf(first));
  },
  /** Two records are one person: what stays has the id of one, and kennitala and name of the other. */
  merge: (picked: Picked) => {
    const { members, first, second } = picked;
    if (!apart(picked)) return;
    members.remove(first.id);
    members.update(second.id, { ...ownOf(first), ...membership });
  },
  'exchange ids': ({ members, first, second }: Picked) => {
    members.update(first.id, ownOf(second));
    members.update(second.id, ownOf(first));
  },
  'exchange ids and rename': (picked: Picked) => {
    const { members, first, second } = picked;
    if (!apart(picked)) return;
    members.update(first.id, { ...ownOf(second), name: freshName() });
    members.update(second.id, ownOf(first));
  },
  /** Somebody else gets the id of a leaver: nothing of the leaver may pass on. */
  'id used again': ({ members, first }: Picked) => {
    members.remove(first.id);
    members.add({ ...newcomer(), id: first.id, phone: null });
  },
  /** The leaver's id goes to a member who is entered anew. */
  'id used again by a member': (picked: Picked) => {
    const { members, first, second } = picked;
    if (!apart(picked)) return;
    members.remove(second.id);
    members.update(first.id, { ...ownOf(second), ...membership });
  },
  /** And the leaver comes back under another. */
  'id used again, leaver back': ({ members, first }: Picked) => {
    members.update(first.id, { ...newcomer(), phone: null, ...membership });
    members.add(ownOf(first));
  },
  /** Two of one name: a name alone says nothing. */
  namesake: ({ members, first }: Picked) =>
    members.add({ ...newcomer(), name: first.name, email: first.email }),
  'same name': ({ members, first, second }: Picked) =>
    members.update(first.id, { name: second.name }),
};

const weights: Partial<Record<Kind, number>> = { leave: 2, 'id used again': 2, 'new kennitala': 2 };

export const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(
    ...(Object.keys(kinds) as Kind[]).flatMap((kind) => Array<Kind>(weights[kind] ?? 1).fill(kind)),
  ),
  a: fc.nat(20),
  b: fc.nat(20),
  c: fc.nat(20),
});

/** Makes a change; one that needs somebody who is not there, or gives two members one kennitala, does nothing. */
export function apply(django: MockDjango, { kind, a, b, c }: Change): void {
  const all = recordsOf(django);
  const at = (place: number) => all[place % Math.max(1, all.length)];
  const [first, second, third] = [at(a), at(b), at(c)];
  if (kind === 'join') return void django.members.add(newcomer());
  if (first && second && third) kinds[kind]({ members: django.members, all, first, second, third });
  const kennitalas = [...membersNow(django).values()].map(({ kennitala }) => kennitala);
  if (new Set(kennitalas).size < kennitalas.length) putBack(django, all);
}

function putBack({ members }: MockDjango, records: readonly Person[]): void {
  for (const { id } of members.list()) members.remove(id);
  for (const record of records) members.addRaw({ ...record });
}

/** Every record of the register, those of former members too. */
export const recordsOf = ({ members }: MockDjango): readonly Person[] =>
  members.list() as readonly MemberRecord[] as readonly Person[];

/** Fills the register with this many people, and nobody else. */
export function fillRegister({ members }: MockDjango, size: number): Person[] {
  for (const { id } of [...members.list()]) members.remove(id);
  const people = generatePeople(size).map((each) => ({
    ...each,
    id: each.id + 1000,
    person: `p${each.id}`,
  }));
  for (const each of people) members.add(each);
  return people;
}

/** Who is a member in the register now, by Django id. */
export const membersNow = (django: MockDjango): Map<number, Person> =>
  new Map(
    recordsOf(django)
      .filter(({ is_active, deleted_at }) => is_active && !deleted_at)
      .map((record) => [record.id, record]),
  );
