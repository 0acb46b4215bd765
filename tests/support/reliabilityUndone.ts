import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { Row } from './database.ts';
import type { Audited } from './reliabilityAudit.ts';
import { membersNow } from './reliabilityRegister.ts';
import { personOf } from './reliabilityRules.ts';

/** One field that an undo has given back: what the register asked for, and what stays instead. */
interface Undone {
  row: number;
  field: string;
  refused: unknown;
  kept: unknown;
  /** The kennitala under which the register has, or has not, the member. */
  kennitala: unknown;
  person: string | undefined;
}

/** What admins have undone, and what must therefore stay although the register asks for something else. */
export interface UndoneChanges {
  /** Remembers what an undo did. */
  add(changes: Audited[], rows: Row[]): void;
  /** Forgets what the register no longer asks for. */
  look(django: MockDjango): void;
  /** Forgets what was decided anew: everything, or these rows. */
  forget(rows?: ReadonlySet<number>): void;
  /** What no longer is as the undo left it, in words. */
  broken(rows: Row[]): string[];
}

// A vote, and whose it is. Anything else of a member may be asked for together with something new.
const fields = ['is_active', 'kennitala'] as const;

/** Starts with nothing undone. */
export function trackUndone(): UndoneChanges {
  let all: Undone[] = [];
  const asks = (django: MockDjango, { field, refused, kennitala, person }: Undone) => {
    const members = [...membersNow(django).values()];
    if (field === 'is_active') {
      return members.some((member) => member.kennitala === kennitala) === refused;
    }
    const own = members.find((member) => member.person === person);
    return own?.kennitala === refused;
  };
  return {
    add: (changes, rows) => {
      const touched = new Set(changes.map(({ member_id }) => member_id));
      all = all.filter(({ row }) => !touched.has(row));
      const people = new Map(rows.map((row) => [Number(row['id']), personOf(row)]));
      for (const { member_id, before, after } of changes) {
        for (const field of fields) {
          if (!before || before[field] === after[field]) continue;
          const kennitala = before['is_active'] ? before['kennitala'] : after['kennitala'];
          const person = people.get(member_id);
          if (person === undefined && field !== 'is_active') continue;
          const [refused, kept] = [before[field], after[field]];
          all.push({ row: member_id, field, refused, kept, kennitala, person });
        }
      }
    },
    look: (django) => {
      all = all.filter((one) => asks(django, one));
    },
    forget: (rows) => {
      all = rows ? all.filter(({ row }) => !rows.has(row)) : [];
    },
    broken: (rows) => {
      const now = new Map(rows.map((row) => [Number(row['id']), row]));
      return all
        .filter(({ row, field, kept }) => now.get(row)?.[field] !== kept)
        .map((one) => `undone, and made again: ${JSON.stringify(one)}`);
    },
  };
}
