import { generatePeople, type MemberRecord, timestamp } from '../mockDjango/people.ts';
import type { MockDjango } from '../mockDjango/startMockDjango.ts';

export interface Play {
  usage: string;
  explains: string;
  /** How many words may follow. */
  atMost: number;
  /** Changes the register, and returns what happened and what a sync makes of it. Throws an error in a sentence. */
  run(words: string[]): string;
}

const MANY = 100;

/** Everything that `npm run play` can do to that register, by its first word. */
export function createPlays({ members, behaviour, misbehave, clear }: MockDjango) {
  const original = [...members.list()];
  // Those who have left, as they were.
  const gone = new Map<number, MemberRecord>();
  let turn = 0;
  const now = () => timestamp(behaviour.now());
  const present = (word: string | undefined) => found(members.get(idFrom(word)), word);
  const leave = (member: MemberRecord) => {
    gone.set(member.id, member);
    members.remove(member.id);
  };
  // A made-up person that the register has never had, another one each time.
  const stranger = (): MemberRecord => {
    turn += 1;
    const [person] = generatePeople(1, original.length + 1000 * turn);
    const isKnown = [...members.list(), ...gone.values()].some(
      ({ kennitala }) => kennitala === person?.kennitala,
    );
    return person && !isKnown ? person : stranger();
  };

  const plays: Record<string, Play> = {
    leave: {
      usage: 'leave ID…',
      explains: 'members leave the register',
      atMost: MANY,
      run: (words) => {
        const leaving = some(words).map(present);
        for (const member of leaving) leave(member);
        return `${who(leaving)} left the register. A sync asks for each by id, gets 404, and removes them.`;
      },
    },
    return: {
      usage: 'return ID…',
      explains: 'members who have left come back',
      atMost: MANY,
      run: (words) => {
        const returning = some(words).map((word) => found(gone.get(idFrom(word)), word));
        for (const member of returning) {
          gone.delete(member.id);
          members.add({ ...member, updated_at: now() });
        }
        return `${who(returning)} came back. A sync reactivates the row that is there, if one has removed it meanwhile.`;
      },
    },
    join: {
      usage: 'join',
      explains: 'a new member joins',
      atMost: 0,
      run: () => {
        const { kennitala, name, email, phone } = stranger();
        const { id } = members.add({ kennitala, name, email, phone });
        return `Member ${id} joined. A sync adds a row.`;
      },
    },
    change: {
      usage: 'change ID [name|email|phone]',
      explains: 'a member has another name, e-mail address or phone number',
      atMost: 2,
      run: ([id, what = 'name']) => {
        if (what !== 'name' && what !== 'email' && what !== 'phone') {
          throw new Error('What may change is name, email or phone');
        }
        const member = present(id);
        members.update(member.id, { [what]: stranger()[what] ?? `${turn}@felagi.example` });
        return `Member ${member.id} has another ${what}. A sync updates the row.`;
      },
    },
    kennitala: {
      usage: 'kennitala ID',
      explains: 'a member has another kennitala, as when a temporary one is replaced',
      atMost: 1,
      run: ([id]) => {
        const member = present(id);
        members.update(member.id, { kennitala: stranger().kennitala });
        return `Member ${member.id} has another kennitala. A sync knows them by the id and updates the same row.`;
      },
    },
    hide: {
      usage: 'hide ID…',
      explains: 'the list leaves out members who are still members',
      atMost: MANY,
      run: (words) => {
        const hidden = some(words).map(present);
        behaviour.unlisted = new Set([...behaviour.unlisted, ...hidden.map(({ id }) => id)]);
        return `${who(hidden)} left the list only. A sync asks for each by id, finds them, and removes nobody. It answers held (snapshot_incomplete): a list that lacks members removes no one until it is whole again.`;
      },
    },
    vanish: {
      usage: 'vanish',
      explains: 'half of the register is gone',
      atMost: 0,
      run: () => {
        const half = members.list().filter((_, index) => index % 2 === 1);
        for (const member of half) leave(member);
        return `${half.length} members are gone. A sync holds so many removals back until an admin approves them, on the page at $URL/admin or with the plan that the dry run names:\n\n${approval}`;
      },
    },
    down: {
      usage: 'down',
      explains: 'the register answers 503 to everything',
      atMost: 0,
      run: () => {
        misbehave({ kind: 'status', status: 503 });
        return 'The register is down. A sync tries again for some time, then fails and changes nothing.';
      },
    },
    restore: {
      usage: 'restore',
      explains: 'the register is as it was at the start',
      atMost: 0,
      run: () => {
        clear();
        behaviour.unlisted = new Set();
        gone.clear();
        for (const { id } of [...members.list()]) members.remove(id);
        for (const member of original) members.add({ ...member, updated_at: now() });
        return 'The register is as it was at the start. A sync takes back what it has done since.';
      },
    },
  };
  return plays;
}

const approval = `  curl -X POST -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -d '{"plan":"sha256:…"}' $URL/sync`;

// Not what Number takes besides: 0x10 and 1e1 are nobody's id.
const idFrom = (word: string | undefined) => (isId(word) ? Number(word) : Number.NaN);
const isId = (word: string | undefined) => /^[1-9]\d{0,6}$/.test(word ?? '');

function some(words: string[]): string[] {
  if (words.length > 0) return [...new Set(words)];
  throw new Error('Say which member, by the id: 3 for example');
}

function found(member: MemberRecord | undefined, word: string | undefined): MemberRecord {
  if (member) return member;
  throw new Error(
    word
      ? `There is no such member${isId(word) ? `: ${word}` : ', since an id is a number such as 3'}`
      : 'Say which member, by the id: 3 for example',
  );
}

function who(list: readonly MemberRecord[]): string {
  const ids = list.map(({ id }) => String(id));
  return ids.length === 1
    ? `Member ${ids[0]}`
    : `Members ${ids.slice(0, -1).join(', ')} and ${ids.at(-1)}`;
}
