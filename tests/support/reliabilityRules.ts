import type { Row } from './database.ts';
import type { Watched } from './reliabilityFaults.ts';
import type { Person } from './reliabilityRegister.ts';

// What no run may do, said of the members before and after it. Each rule returns what breaks it, in words. The
// rules know who is who: `metadata.person` is written by the test, as another service writes its ballot mark.

/** One name, as people compare it. */
const plain = (name: unknown): string =>
  String(name).normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();

/** The person whose ballot mark a row has. */
export const personOf = (row: Row | undefined): string | undefined =>
  (row?.['metadata'] as { person?: string } | null | undefined)?.person;

const byId = (rows: Row[]) => new Map(rows.map((row) => [row['id'], row]));
const show = ({ id, kennitala, name, external_id, is_active }: Row) =>
  `row ${id} (${external_id}, ${kennitala}, ${name}, ${is_active})`;
/** By hand, or by the service that owns the row. */
export const isInactiveHere = (row: Row | undefined): boolean =>
  row !== undefined &&
  !row['is_active'] &&
  (row['removed_at'] === null || row['sync_source'] !== 'django');
/** A row that a member of another row may be moved to: of another service, or inactive by somebody's will. */
const isForeign = (row: Row | undefined) =>
  row !== undefined && (row['sync_source'] !== 'django' || isInactiveHere(row));

const isNamed = (row: Row, { name }: Person) => plain(row['name']) === plain(name);
const isNumbered = (row: Row, { id }: Person) => row['external_id'] === String(id);
/** Kennitala, or Django id and name: what a record must share with a row to be of the same person. */
const isSame = (row: Row, person: Person): boolean =>
  row['kennitala'] === person.kennitala || (isNumbered(row, person) && isNamed(row, person));

/** A row stays with its person, as far as a record can show who that is. */
export function changedIdentities(before: Row[], after: Row[], { throughout }: Watched): string[] {
  const old = byId(before);
  return after.flatMap((row) => {
    const was = old.get(row['id']);
    if (!was || isForeign(was)) return [];
    const changed = (field: string) => row[field] !== was[field];
    const renamed = plain(row['name']) !== plain(was['name']);
    if (changed('kennitala') && (changed('external_id') || renamed)) {
      return [`${show(was)} became another person: ${show(row)}`];
    }
    // By the kennitala alone a row may go to a record only if its own person has none that says otherwise.
    if (!row['is_active'] || !changed('external_id') || !renamed) return [];
    const owner = [...throughout.values()].find(
      (member) =>
        member.person === personOf(was) && isSame(was, member) && !isNumbered(row, member),
    );
    // Unless that person goes on in another row, which has their kennitala and which nobody moves away from.
    const other = before.find((one) => one['kennitala'] === owner?.kennitala);
    const now = after.find((one) => one['kennitala'] === owner?.kennitala);
    if (other && other['id'] !== row['id'] && other['id'] === now?.['id']) return [];
    // Or is taken for a namesake, whose kennitala they have now.
    if (owner && other && other['id'] !== row['id'] && isNamed(other, owner)) return [];
    return owner ? [`${show(was)} of ${owner.person} (${owner.id}) went to ${show(row)}`] : [];
  });
}

/**
 * Who was a member all the time and could vote before can vote after. Somebody whose kennitala and name are both
 * others is a newcomer, who waits while additions are held.
 */
export function votesTaken(
  before: Row[],
  after: Row[],
  { throughout, ever }: Watched,
  unreadable: ReadonlySet<number> = new Set(),
  additionsWait = false,
): string[] {
  const people = new Map([...throughout.values()].map((member) => [member.person, member]));
  return [...throughout.values()].flatMap((member) => {
    const { id, person, kennitala, name } = member;
    const theirs = (row: Row) =>
      row['kennitala'] === kennitala ||
      personOf(row) === person ||
      ever.get(String(row['kennitala']))?.has(person);
    // A row whose own member goes on under another kennitala was never this member's.
    const isOthers = (row: Row) => {
      const owner = people.get(personOf(row) ?? person);
      return owner !== undefined && owner !== member && isSame(row, owner);
    };
    const could = before.filter((row) => row['is_active'] && theirs(row) && !isOthers(row));
    // What a record does not say shields nobody, unless it is known under its Django id.
    const named = !unreadable.has(id) || could.some((row) => row['external_id'] === String(id));
    if (could.length === 0 || !named) return [];
    if (additionsWait && !could.some((row) => isSame(row, member))) return [];
    if (after.some((row) => row['is_active'] && theirs(row))) return [];
    // Another service, or somebody by hand, has made the row with this kennitala inactive.
    if (before.some((row) => theirs(row) && isInactiveHere(row))) return [];
    return [`${person} (${id}, ${kennitala}, ${name}) lost ${could.map(show)}`];
  });
}

/** Who can vote after and could not before is a member. */
export function votesGiven(before: Row[], after: Row[], { ever }: Watched): string[] {
  const old = byId(before);
  return after
    .filter((row) => row['is_active'])
    .filter((row) => {
      const was = old.get(row['id']);
      return !was?.['is_active'] || was['kennitala'] !== row['kennitala'];
    })
    .filter((row) => !ever.has(String(row['kennitala'])))
    .map((row) => `${show(row)} can vote, and the register has no such member`);
}

/** A member keeps the row while kennitala, or Django id and name, are those of the row: their ballots are there. */
export function ballotsLost(before: Row[], after: Row[], members: Iterable<Person>): string[] {
  const all = [...members];
  return all.flatMap((member) => {
    const { id, person, kennitala, name } = member;
    // Of two rows that turned out to be one person, the active one is the member's.
    const own = before
      .filter((row) => personOf(row) === person)
      .sort((one, two) => Number(two['is_active']) - Number(one['is_active']));
    const kept =
      own.find((row) => row['kennitala'] === kennitala) ??
      own.find((row) => isSame(row, member) && isFreed(kennitala, before, all));
    const now = after.find((row) => row['kennitala'] === kennitala);
    if (!now || !kept || now['id'] === kept['id']) return [];
    return [`${person} (${id}, ${kennitala}, ${name}) had ${show(kept)}, and now has ${show(now)}`];
  });
}

/** Whether no row has a kennitala, or its member moves away from it to one that is free, or round in a ring. */
function isFreed(
  kennitala: string,
  rows: Row[],
  members: Person[],
  seen: readonly string[] = [],
): boolean {
  const holder = rows.find((row) => row['kennitala'] === kennitala);
  if (!holder || seen.includes(kennitala)) return true;
  const owner = members.find(({ person }) => person === personOf(holder));
  if (isForeign(holder) || !owner || owner.kennitala === kennitala) return false;
  return isSame(holder, owner) && isFreed(owner.kennitala, rows, members, [...seen, kennitala]);
}
