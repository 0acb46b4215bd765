import type { SyncResult } from '../../lib/sync/types.ts';
import { generatePeople, type MemberRecord } from '../../local/mockDjango/people.ts';
import type { Row } from '../support/database.ts';
import { setRegister } from '../support/register.ts';
import {
  added,
  EARLIER,
  insertMembers,
  NEXT_ID,
  NOW,
  readMembers,
  record,
  removed,
  row,
  seen,
} from '../support/rows.ts';
import { createWorld, type Settings, type World } from '../support/world.ts';

// What the register says and what the table holds before, what is changed and what it holds after.
interface Case {
  name: string;
  register: unknown[];
  before: Row[];
  /** The audit trail: action, our id, fields. */
  changes: string[];
  after: Row[];
  /** Codes and Django ids. */
  errors?: string[];
  suspended?: number;
  held?: SyncResult['held'];
  settings?: Settings;
}

const [anna, birna, dora, einar, freyr, gunnar] = generatePeople(6) as [
  MemberRecord,
  MemberRecord,
  MemberRecord,
  MemberRecord,
  MemberRecord,
  MemberRecord,
];
const leftBefore = { is_active: false, removed_at: '2025-11-11T11:11:11' };
const suspended = { is_active: false, removed_at: null };
const foreign = { sync_source: 'elections', last_verified_at: null };
const withKennitalaOf = ({ kennitala }: MemberRecord) => ({ kennitala });
const namedLike = ({ name, email, phone }: MemberRecord) => ({ name, email, phone });
const spare = '1505801199';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const oneMember: Case[] = [
  {
    name: 'someone new is added',
    register: [record(anna), record(birna)],
    before: [row(anna)],
    changes: [`add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`],
    after: [seen(anna), added(birna)],
  },
  {
    name: 'who is the same in both is only stamped',
    register: [record(anna)],
    before: [row(anna)],
    changes: [],
    after: [seen(anna)],
  },
  {
    name: 'a new name is stored, trimmed and in one Unicode form',
    register: [record(anna, { name: '  Þo\u0301ra   Æsa ' })],
    before: [row(anna)],
    changes: ['update 101: name'],
    after: [seen(anna, { name: 'Þóra   Æsa' })],
  },
  {
    name: 'a name with the special characters of COPY arrives as it is',
    register: [record(anna, { name: 'A\\N\tb\\.\nc\rd' }), record(birna, { name: '\\.' })],
    before: [row(anna), row(birna)],
    changes: ['update 101: name', 'update 102: name'],
    after: [seen(anna, { name: 'A\\N\tb\\.\nc\rd' }), seen(birna, { name: '\\.' })],
  },
  {
    name: 'a new e-mail address is stored',
    register: [record(anna, { email: 'ny@felagi.example' })],
    before: [row(anna)],
    changes: ['update 101: email'],
    after: [seen(anna, { email: 'ny@felagi.example' })],
  },
  {
    name: 'a new phone number is stored',
    register: [record(anna, { phone: '+354 000 0000' })],
    before: [row(anna)],
    changes: ['update 101: phone'],
    after: [seen(anna, { phone: '+354 000 0000' })],
  },
  {
    name: 'a first e-mail address and a first phone number are stored together',
    register: [record(anna, { email: 'ny@felagi.example', phone: '+354 000 0000' })],
    before: [row(anna, { email: null, phone: null })],
    changes: ['update 101: email,phone'],
    after: [seen(anna, { email: 'ny@felagi.example', phone: '+354 000 0000' })],
  },
  {
    name: 'a row without a Django id is found by its kennitala and gets the id',
    register: [record(anna)],
    before: [row(anna, { external_id: null })],
    changes: ['update 101: external_id'],
    after: [seen(anna)],
  },
  {
    name: 'another Django id on the same kennitala is the same member',
    register: [record(anna, { id: 44 })],
    before: [row(anna)],
    changes: ['update 101: external_id'],
    after: [seen(anna, { external_id: '44' })],
  },
  {
    name: 'keys that are missing leave what is stored alone',
    register: [record(anna, { name: undefined, email: undefined, phone: undefined })],
    before: [row(anna, { email: 'a@felagi.example', phone: '+354 000 1111' })],
    changes: [],
    after: [seen(anna, { email: 'a@felagi.example', phone: '+354 000 1111' })],
  },
  {
    name: 'null clears an e-mail address and the empty string a phone number',
    register: [record(anna, { email: null, phone: ' ' })],
    before: [row(anna, { email: 'a@felagi.example', phone: '+354 000 1111' })],
    changes: ['update 101: email,phone'],
    after: [seen(anna, { email: null, phone: null })],
  },
  {
    name: 'an e-mail address and a phone number that cannot be stored leave the stored ones alone',
    register: [record(anna, { email: 'not an address', phone: '0'.repeat(21) })],
    before: [row(anna, { email: 'a@felagi.example', phone: '+354 000 1111' })],
    changes: [],
    after: [seen(anna, { email: 'a@felagi.example', phone: '+354 000 1111' })],
  },
  {
    name: 'a kennitala with a hyphen and spaces is the same kennitala',
    register: [
      record(anna, {
        kennitala: ` ${anna.kennitala.slice(0, 6)}-${anna.kennitala.slice(6)} `,
      }),
    ],
    before: [row(anna)],
    changes: [],
    after: [seen(anna)],
  },
  {
    name: 'who is in the list no more is removed',
    register: [record(birna)],
    before: [row(anna), row(birna)],
    changes: ['remove 101: is_active,removed_at'],
    after: [removed(anna), seen(birna)],
  },
  {
    name: 'who is in the list as deleted is removed',
    register: [record(anna, { deleted_at: '2026-03-03T03:03:03.123456Z' }), record(birna)],
    before: [row(anna), row(birna)],
    changes: ['remove 101: is_active,removed_at'],
    after: [removed(anna), seen(birna)],
  },
  {
    name: 'who is in the list as inactive is removed, and keeps the stored details',
    register: [record(anna, { is_active: false, name: 'Eytt', email: null }), record(birna)],
    before: [row(anna), row(birna)],
    changes: ['remove 101: is_active,removed_at'],
    after: [removed(anna), seen(birna)],
  },
  {
    name: 'a former member who was never here is not added',
    register: [record(anna), record(birna, { is_active: false })],
    before: [row(anna)],
    changes: [],
    after: [seen(anna)],
  },
  {
    name: 'who was removed before and is still away stays as removed',
    register: [record(birna)],
    before: [row(anna, leftBefore), row(birna)],
    changes: [],
    after: [row(anna, leftBefore), seen(birna)],
  },
  {
    name: 'who comes back has the old row again, with what is new',
    register: [record(anna, { email: 'aftur@felagi.example' })],
    before: [row(anna, { ...leftBefore, metadata: { seat: 7 } })],
    changes: ['reactivate 101: email,is_active,removed_at'],
    after: [seen(anna, { email: 'aftur@felagi.example', metadata: { seat: 7 } })],
  },
  {
    name: 'who comes back under another Django id has the old row again',
    register: [record(anna, { id: 44 })],
    before: [row(anna, leftBefore)],
    changes: ['reactivate 101: external_id,is_active,removed_at'],
    after: [seen(anna, { external_id: '44' })],
  },
  {
    name: 'who comes back with another kennitala has the old row again',
    register: [record(anna, { kennitala: spare })],
    before: [row(anna, leftBefore)],
    changes: ['reactivate 101: kennitala,is_active,removed_at'],
    after: [seen(anna, { kennitala: spare })],
  },
  {
    name: 'who was suspended by hand stays suspended and is counted',
    register: [record(anna)],
    before: [row(anna, suspended)],
    changes: [],
    after: [seen(anna, suspended)],
    suspended: 1,
  },
  {
    name: 'who was suspended by hand stays so while the details are brought up to date',
    register: [record(anna, { kennitala: spare, email: 'ny@felagi.example' })],
    before: [row(anna, suspended)],
    changes: ['update 101: kennitala,email'],
    after: [seen(anna, { ...suspended, kennitala: spare, email: 'ny@felagi.example' })],
    suspended: 1,
  },
  {
    name: 'who was suspended by hand and left the register stays suspended, not removed',
    register: [record(birna)],
    before: [row(anna, suspended), row(birna)],
    changes: [],
    after: [row(anna, suspended), seen(birna)],
  },
  {
    name: 'a row whose is_active is null counts as suspended',
    register: [record(anna)],
    before: [row(anna, { is_active: null })],
    changes: [],
    after: [seen(anna, { is_active: null })],
    suspended: 1,
  },
  {
    name: 'a row whose is_active is null is not removed a second time',
    register: [record(birna)],
    before: [row(anna, { is_active: null }), row(birna)],
    changes: [],
    after: [row(anna, { is_active: null }), seen(birna)],
  },
  {
    name: 'a row whose is_active is null but has a time of removal comes back',
    register: [record(anna)],
    before: [row(anna, { is_active: null, removed_at: EARLIER })],
    changes: ['reactivate 101: is_active,removed_at'],
    after: [seen(anna)],
  },
  {
    name: 'an active row with a time of removal loses that time',
    register: [record(anna)],
    before: [row(anna, { removed_at: EARLIER })],
    changes: ['update 101: removed_at'],
    after: [seen(anna)],
  },
  {
    name: 'metadata of other services survives every kind of change',
    register: [record(anna, { name: 'Nýtt Nafn' }), record(birna), record(einar)],
    before: [
      row(anna, { metadata: { a: 1 } }),
      row(birna, { ...leftBefore, metadata: { b: [2] } }),
      row(dora, { metadata: { d: null } }),
      row(einar, { metadata: { e: 'e' } }),
    ],
    changes: [
      'reactivate 102: is_active,removed_at',
      'remove 103: is_active,removed_at',
      'update 101: name',
    ],
    after: [
      seen(anna, { name: 'Nýtt Nafn', metadata: { a: 1 } }),
      seen(birna, { metadata: { b: [2] } }),
      removed(dora, { metadata: { d: null } }),
      seen(einar, { metadata: { e: 'e' } }),
    ],
  },
];

const foreignRows: Case[] = [
  {
    name: 'a row of another service is linked and updated, and keeps its source',
    register: [record(anna)],
    before: [row(anna, { ...foreign, external_id: null, name: 'Önnur', metadata: { m: 1 } })],
    changes: ['update 101: name,external_id'],
    after: [seen(anna, { sync_source: 'elections', metadata: { m: 1 } })],
  },
  {
    name: 'a row of another service is never removed, by absence or as a former member',
    register: [record(anna, { is_active: false }), record(dora)],
    before: [row(anna, foreign), row(birna, { sync_source: null }), row(dora)],
    changes: [],
    after: [row(anna, foreign), row(birna, { sync_source: null }), seen(dora)],
  },
  {
    name: 'a row that another service removed does not come back',
    register: [record(anna)],
    before: [row(anna, { ...leftBefore, sync_source: 'events' })],
    changes: [],
    after: [seen(anna, { ...leftBefore, sync_source: 'events' })],
    errors: ['inactive_here 1'],
    suspended: 1,
  },
  {
    name: "a number of another service's own is no Django id: its row is not taken for that member",
    register: [record(anna), record(birna)],
    before: [row(anna), row(dora, { ...foreign, external_id: '2' })],
    changes: [`add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`],
    after: [seen(anna), row(dora, { ...foreign, external_id: '2' }), added(birna)],
  },
  {
    name: "a number of another service's own does not keep two members from their rows",
    register: [record(anna), record(birna)],
    before: [row(anna, { ...foreign, external_id: '2' }), row(birna)],
    changes: ['update 101: external_id'],
    after: [seen(anna, { sync_source: 'elections' }), seen(birna)],
  },
  {
    name: 'a linked row of another service follows the kennitala of its member',
    register: [record(anna, { kennitala: spare })],
    before: [row(anna, { sync_source: 'elections' })],
    changes: ['update 101: kennitala'],
    after: [seen(anna, { sync_source: 'elections', kennitala: spare })],
  },
  {
    name: 'a row that another service wrote as ours, without an id, is removed when Django has no such member',
    register: [record(birna)],
    before: [row(anna, { external_id: null, last_verified_at: null }), row(birna)],
    changes: ['remove 101: is_active,removed_at'],
    after: [removed(anna, { external_id: null, last_verified_at: null }), seen(birna)],
  },
];

const kennitalas: Case[] = [
  {
    name: 'a new kennitala is stored on the same row',
    register: [record(anna, { kennitala: spare })],
    before: [row(anna, { metadata: { seat: 7 } })],
    changes: ['update 101: kennitala'],
    after: [seen(anna, { kennitala: spare, metadata: { seat: 7 } })],
  },
  {
    name: 'two members who swap their kennitölur keep their rows',
    register: [record(anna, withKennitalaOf(birna)), record(birna, withKennitalaOf(anna))],
    before: [row(anna, { metadata: { who: 'anna' } }), row(birna)],
    changes: ['update 101: kennitala', 'update 102: kennitala'],
    after: [
      seen(anna, { ...withKennitalaOf(birna), metadata: { who: 'anna' } }),
      seen(birna, withKennitalaOf(anna)),
    ],
  },
  {
    name: 'three kennitölur that go round keep their rows',
    register: [
      record(anna, withKennitalaOf(birna)),
      record(birna, withKennitalaOf(dora)),
      record(dora, withKennitalaOf(anna)),
    ],
    before: [row(anna), row(birna), row(dora)],
    changes: ['update 101: kennitala', 'update 102: kennitala', 'update 103: kennitala'],
    after: [
      seen(anna, withKennitalaOf(birna)),
      seen(birna, withKennitalaOf(dora)),
      seen(dora, withKennitalaOf(anna)),
    ],
  },
  {
    name: 'kennitölur that move up by one keep their rows',
    register: [
      record(anna, withKennitalaOf(birna)),
      record(birna, withKennitalaOf(dora)),
      record(dora, { kennitala: spare }),
    ],
    before: [row(anna), row(birna), row(dora)],
    changes: ['update 101: kennitala', 'update 102: kennitala', 'update 103: kennitala'],
    after: [
      seen(anna, withKennitalaOf(birna)),
      seen(birna, withKennitalaOf(dora)),
      seen(dora, { kennitala: spare }),
    ],
  },
  {
    name: 'a new member takes the kennitala that another has just left',
    register: [record(anna, { kennitala: spare }), record(birna, withKennitalaOf(anna))],
    before: [row(anna)],
    changes: [
      `add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`,
      'update 101: kennitala',
    ],
    after: [seen(anna, { kennitala: spare }), added(birna, withKennitalaOf(anna))],
  },
  {
    name: 'a kennitala on the row of a removed member makes the two rows one person',
    register: [record(anna, withKennitalaOf(birna))],
    before: [row(anna), row(birna, leftBefore)],
    changes: [
      'reactivate 102: name,email,phone,external_id,is_active,removed_at',
      'remove 101: is_active,removed_at',
    ],
    after: [
      removed(anna),
      seen(birna, { ...namedLike(anna), external_id: '1', ...withKennitalaOf(birna) }),
    ],
  },
  {
    name: 'a kennitala on a row of another service makes the two rows one person',
    register: [record(anna, withKennitalaOf(birna))],
    before: [row(anna), row(birna, { ...foreign, external_id: null })],
    changes: ['remove 101: is_active,removed_at', 'update 102: name,email,phone,external_id'],
    after: [
      removed(anna),
      seen(birna, { ...namedLike(anna), external_id: '1', sync_source: 'elections' }),
    ],
  },
  ...[
    { by: 'by hand', inactive: suspended, after: seen },
    { by: 'by another service', inactive: { ...foreign, is_active: false }, after: row },
  ].map(
    ({ by, inactive, after }): Case => ({
      name: `a member who is given the kennitala of a row that is inactive ${by} is named`,
      register: [record(anna, withKennitalaOf(birna))],
      before: [row(anna), row(birna, inactive)],
      changes: ['remove 101: is_active,removed_at'],
      after: [removed(anna), after(birna, inactive)],
      errors: ['inactive_here 1'],
      suspended: 1,
    }),
  ),
  {
    name: 'who was suspended by hand, and is given the kennitala of such a row, stays suspended',
    register: [record(anna, withKennitalaOf(birna))],
    before: [row(anna, suspended), row(birna, suspended)],
    changes: ['update 102: name,email,phone,external_id'],
    after: [
      row(anna, suspended),
      seen(birna, { ...namedLike(anna), external_id: '1', ...suspended }),
    ],
    suspended: 1,
  },
  {
    name: 'two rows of one person, both active, become one',
    register: [record(anna, withKennitalaOf(birna))],
    before: [row(anna), row(birna)],
    changes: ['remove 101: is_active,removed_at', 'update 102: name,email,phone,external_id'],
    after: [removed(anna), seen(birna, { ...namedLike(anna), external_id: '1' })],
  },
  {
    name: 'kennitölur that move up by one onto a removed member end there, each on the row that has it',
    register: [record(anna, withKennitalaOf(birna)), record(birna, withKennitalaOf(dora))],
    before: [row(anna), row(birna), row(dora, leftBefore)],
    changes: [
      'reactivate 103: name,email,phone,external_id,is_active,removed_at',
      'remove 101: is_active,removed_at',
      'update 102: name,email,phone,external_id',
    ],
    after: [
      removed(anna),
      seen(birna, { ...namedLike(anna), external_id: '1' }),
      seen(dora, { ...namedLike(birna), external_id: '2' }),
    ],
  },
  {
    name: 'a Django id that was given to somebody else, with a kennitala of a row here, goes to that row',
    register: [record(birna, { id: 1 })],
    before: [row(anna), row(birna, leftBefore)],
    changes: [
      'reactivate 102: external_id,is_active,removed_at',
      'remove 101: is_active,removed_at',
    ],
    after: [removed(anna), seen(birna, { external_id: '1' })],
  },
  {
    name: 'two members whose Django ids were exchanged, as after an import, keep their own rows',
    register: [record(anna, { id: 2 }), record(birna, { id: 1 })],
    before: [row(anna, { metadata: { voted: true } }), row(birna)],
    changes: ['update 101: external_id', 'update 102: external_id'],
    after: [
      seen(anna, { external_id: '2', metadata: { voted: true } }),
      seen(birna, { external_id: '1' }),
    ],
  },
  {
    name: 'a Django id that is used again for somebody else is a leaver and a newcomer',
    register: [record(birna, { id: 1, kennitala: spare })],
    before: [row(anna, { metadata: { voted: true } })],
    changes: [
      `add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`,
      'remove 101: is_active,removed_at',
    ],
    after: [
      removed(anna, { metadata: { voted: true } }),
      added(birna, { external_id: '1', kennitala: spare }),
    ],
  },
  {
    name: 'a Django id that is used again after its member was removed is a newcomer',
    register: [record(birna, { id: 1, kennitala: spare })],
    before: [row(anna, { ...leftBefore, metadata: { voted: true } })],
    changes: [`add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`],
    after: [
      row(anna, { ...leftBefore, metadata: { voted: true } }),
      added(birna, { external_id: '1', kennitala: spare }),
    ],
  },
  {
    name: 'a name that only looks different does not make a newcomer of a member with another kennitala',
    register: [
      record(anna, { kennitala: spare, name: ` ${anna.name.toUpperCase().normalize('NFD')}  ` }),
    ],
    before: [row(anna, { metadata: { voted: true } })],
    changes: ['update 101: kennitala,name'],
    after: [
      seen(anna, {
        kennitala: spare,
        name: anna.name.toUpperCase(),
        metadata: { voted: true },
      }),
    ],
  },
  {
    name: 'a record without a name leaves the id to decide',
    register: [record(anna, { kennitala: spare, name: undefined })],
    before: [row(anna)],
    changes: ['update 101: kennitala'],
    after: [seen(anna, { kennitala: spare })],
  },
  {
    name: 'a swap of kennitölur beside a Django id that is used again',
    register: [
      record(anna, withKennitalaOf(birna)),
      record(birna, withKennitalaOf(anna)),
      record(einar, { id: 3 }),
    ],
    before: [row(anna), row(birna), row(dora)],
    changes: [
      `add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`,
      'remove 103: is_active,removed_at',
      'update 101: kennitala',
      'update 102: kennitala',
    ],
    after: [
      seen(anna, withKennitalaOf(birna)),
      seen(birna, withKennitalaOf(anna)),
      removed(dora),
      added(einar, { external_id: '3' }),
    ],
  },
  {
    name: 'a newcomer who meets an inactive row of another service is named, and nothing is done',
    register: [record(anna)],
    before: [row(anna, { ...foreign, is_active: false, external_id: '77' })],
    changes: [],
    after: [row(anna, { ...foreign, is_active: false, external_id: '77' })],
    errors: ['inactive_here 1'],
    suspended: 1,
  },
  {
    name: 'a newcomer who meets a row that was suspended by hand is named',
    register: [record(anna, { id: 44 })],
    before: [row(anna, suspended)],
    changes: [],
    after: [seen(anna, suspended)],
    errors: ['inactive_here 44'],
    suspended: 1,
  },
  {
    name: 'of two rows with one Django id the active one is the member',
    register: [record(anna, { kennitala: spare })],
    before: [row(anna), row(birna, { ...leftBefore, external_id: '1' })],
    changes: ['update 101: kennitala'],
    after: [seen(anna, { kennitala: spare }), row(birna, { ...leftBefore, external_id: '1' })],
  },
  {
    name: 'of two active rows with one Django id only the one with the kennitala stays',
    register: [record(anna)],
    before: [row(anna), row(birna, { external_id: '1' })],
    changes: ['remove 102: is_active,removed_at'],
    after: [seen(anna), removed(birna, { external_id: '1' })],
  },
];

// In a list that shows former members too, the record of a leaver says which row is the leaver's.
const leavers: Case[] = [
  {
    name: 'a member who exchanges kennitölur with a leaver keeps the own row, and so does the leaver',
    register: [
      record(anna, { ...withKennitalaOf(birna), is_active: false, email: 'onnur@felagi.example' }),
      record(birna, withKennitalaOf(anna)),
    ],
    before: [
      row(anna, { ...leftBefore, metadata: { ballot: 1 } }),
      row(birna, { metadata: { ballot: 2 } }),
    ],
    changes: ['update 101: kennitala', 'update 102: kennitala'],
    after: [
      seen(anna, { ...leftBefore, ...withKennitalaOf(birna), metadata: { ballot: 1 } }),
      seen(birna, { ...withKennitalaOf(anna), metadata: { ballot: 2 } }),
    ],
  },
  {
    name: 'the same where the leaver goes in the same run',
    register: [
      record(anna, { ...withKennitalaOf(birna), is_active: false }),
      record(birna, withKennitalaOf(anna)),
    ],
    before: [row(anna, { metadata: { ballot: 1 } }), row(birna)],
    changes: ['remove 101: is_active,removed_at,kennitala', 'update 102: kennitala'],
    after: [
      removed(anna, { ...withKennitalaOf(birna), metadata: { ballot: 1 } }),
      seen(birna, withKennitalaOf(anna)),
    ],
  },
  {
    name: 'the same with a member who is suspended by hand and has left since',
    register: [
      record(anna, { ...withKennitalaOf(birna), is_active: false }),
      record(birna, withKennitalaOf(anna)),
    ],
    before: [row(anna, { ...suspended, metadata: { ballot: 1 } }), row(birna)],
    changes: ['update 101: kennitala', 'update 102: kennitala'],
    after: [
      seen(anna, { ...suspended, ...withKennitalaOf(birna), metadata: { ballot: 1 } }),
      seen(birna, withKennitalaOf(anna)),
    ],
  },
  {
    name: "the same where the leaver's row is another service's",
    register: [
      record(anna, { ...withKennitalaOf(birna), is_active: false }),
      record(birna, withKennitalaOf(anna)),
    ],
    before: [
      row(anna, { ...suspended, sync_source: 'events', metadata: { ballot: 1 } }),
      row(birna),
    ],
    changes: ['update 101: kennitala', 'update 102: kennitala'],
    after: [
      seen(anna, {
        ...suspended,
        sync_source: 'events',
        ...withKennitalaOf(birna),
        metadata: { ballot: 1 },
      }),
      seen(birna, withKennitalaOf(anna)),
    ],
  },
  {
    name: 'a member and two leavers whose kennitölur go round keep their rows',
    register: [
      record(anna, withKennitalaOf(birna)),
      record(birna, { ...withKennitalaOf(dora), is_active: false }),
      record(dora, { ...withKennitalaOf(anna), deleted_at: '2026-01-01' }),
    ],
    before: [row(anna), row(birna, leftBefore), row(dora, leftBefore)],
    changes: ['update 101: kennitala', 'update 102: kennitala', 'update 103: kennitala'],
    after: [
      seen(anna, withKennitalaOf(birna)),
      seen(birna, { ...leftBefore, ...withKennitalaOf(dora) }),
      seen(dora, { ...leftBefore, ...withKennitalaOf(anna) }),
    ],
  },
  {
    name: 'a member who is given the old kennitala of a leaver with a new one keeps the own row',
    register: [
      record(anna, { kennitala: spare, is_active: false }),
      record(birna, withKennitalaOf(anna)),
    ],
    before: [row(anna, { ...leftBefore, metadata: { ballot: 1 } }), row(birna)],
    changes: ['update 101: kennitala', 'update 102: kennitala'],
    after: [
      seen(anna, { ...leftBefore, kennitala: spare, metadata: { ballot: 1 } }),
      seen(birna, withKennitalaOf(anna)),
    ],
  },
  ...[
    {
      when: 'who left before',
      before: row(anna, leftBefore),
      change: 'update 101: kennitala',
      after: seen(anna, { ...leftBefore, kennitala: spare }),
    },
    {
      when: 'who leaves now',
      before: row(anna),
      change: 'remove 101: is_active,removed_at,kennitala',
      after: removed(anna, { kennitala: spare }),
    },
  ].map(
    ({ when, before, change, after }): Case => ({
      name: `a newcomer with the old kennitala of a leaver ${when} has a new row`,
      register: [
        record(anna, { kennitala: spare, is_active: false }),
        record(birna, withKennitalaOf(anna)),
      ],
      before: [before],
      changes: [`add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`, change],
      after: [after, added(birna, withKennitalaOf(anna))],
    }),
  ),
  {
    name: 'a leaver who was entered anew has the old row again, whatever the old record has for a kennitala',
    register: [record(anna, { kennitala: spare, is_active: false }), record(anna, { id: 44 })],
    before: [row(anna, { ...leftBefore, metadata: { ballot: 1 } })],
    changes: ['reactivate 101: external_id,is_active,removed_at'],
    after: [seen(anna, { external_id: '44', metadata: { ballot: 1 } })],
  },
  {
    name: 'a former member who has the Django id of another leaver, by another name, moves no row',
    register: [
      record(dora, { id: 1, is_active: false }),
      record(birna, { ...withKennitalaOf(anna), name: anna.name }),
    ],
    before: [row(anna, leftBefore)],
    changes: ['reactivate 101: email,phone,external_id,is_active,removed_at'],
    after: [seen(anna, { email: birna.email, phone: birna.phone, external_id: '2' })],
  },
  {
    name: 'a leaver whose new kennitala nobody else waits for is left as it was',
    register: [record(anna, { kennitala: spare, is_active: false }), record(birna)],
    before: [row(anna, leftBefore), row(birna)],
    changes: [],
    after: [row(anna, leftBefore), seen(birna)],
  },
  {
    name: 'a kennitala of a leaver who is in the list no more makes the two rows one person',
    register: [record(birna, withKennitalaOf(anna))],
    before: [row(anna, leftBefore), row(birna)],
    changes: [
      'reactivate 101: name,email,phone,external_id,is_active,removed_at',
      'remove 102: is_active,removed_at',
    ],
    after: [seen(anna, { ...namedLike(birna), external_id: '2' }), removed(birna)],
  },
];

const badRecords: Case[] = [
  {
    name: 'one kennitala under two ids is one member, the one linked before, and an error',
    register: [record(birna, withKennitalaOf(anna)), record(anna)],
    before: [row(anna)],
    changes: [],
    after: [seen(anna)],
    errors: ['duplicate_kennitala 2'],
  },
  {
    name: 'one kennitala under two new ids is the member who was told first',
    register: [record(anna), record(birna, withKennitalaOf(anna))],
    before: [],
    changes: [`add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`],
    after: [added(anna)],
    errors: ['duplicate_kennitala 2'],
  },
  {
    name: 'whose record has the kennitala of another is not removed for that',
    register: [record(anna), record(birna, withKennitalaOf(anna))],
    before: [row(anna), row(birna)],
    changes: [],
    after: [seen(anna), row(birna)],
    errors: ['duplicate_kennitala 2'],
  },
  {
    name: 'one id twice is one member, as told last, and an error',
    register: [record(anna, { name: 'Fyrra Nafn' }), record(anna, { name: 'Seinna Nafn' })],
    before: [row(anna)],
    changes: ['update 101: name'],
    after: [seen(anna, { name: 'Seinna Nafn' })],
    errors: ['duplicate_record 1'],
  },
  {
    name: 'one id twice, the second time as deleted, removes nobody',
    register: [record(anna), record(anna, { is_active: false }), record(birna)],
    before: [row(anna), row(birna)],
    changes: [],
    after: [row(anna), seen(birna)],
    errors: ['duplicate_record 1'],
  },
  {
    name: "a former member's record beside the member's own is history, not an error",
    register: [record(birna, { ...withKennitalaOf(anna), is_active: false }), record(anna)],
    before: [row(anna)],
    changes: [],
    after: [seen(anna)],
  },
  {
    name: 'who has a record as former member and joined again under a new id stays a member',
    register: [record(anna, { is_active: false }), record(anna, { id: 44 })],
    before: [row(anna)],
    changes: ['update 101: external_id'],
    after: [seen(anna, { external_id: '44' })],
  },
  {
    name: 'a record that cannot be read keeps the member with its id from being removed',
    register: [record(anna, { kennitala: 123456789 }), record(birna)],
    before: [row(anna), row(birna)],
    changes: [],
    after: [row(anna), seen(birna)],
    errors: ['invalid_kennitala 1'],
  },
  {
    name: 'a record that cannot be read keeps the member with its kennitala from being removed',
    register: [record(anna, { id: null }), record(birna)],
    before: [row(anna), row(birna)],
    changes: [],
    after: [row(anna), seen(birna)],
    errors: ['invalid_id null'],
  },
  {
    name: 'a record that cannot be read keeps nobody else from being removed',
    register: [record(anna, { name: '' }), record(dora)],
    before: [row(anna), row(birna), row(dora)],
    changes: ['remove 102: is_active,removed_at'],
    after: [row(anna), removed(birna), seen(dora)],
    errors: ['invalid_name 1'],
  },
  {
    name: 'who has the kennitala of a member whose record cannot be read waits for that record',
    register: [
      record(anna, { kennitala: 123456789 }),
      record(birna, withKennitalaOf(anna)),
      record(dora, withKennitalaOf(birna)),
    ],
    before: [row(anna, { metadata: { voted: true } }), row(birna), row(dora)],
    changes: [],
    // Nobody can say whether the register has seen these rows.
    after: [row(anna, { metadata: { voted: true } }), row(birna), row(dora)],
    errors: ['invalid_kennitala 1', 'duplicate_kennitala 2', 'duplicate_kennitala 3'],
  },
  {
    name: 'who has the kennitala of a member waits while a record without an id may be that member',
    register: [
      record(anna, { id: null, kennitala: '0101303019' }),
      record(dora, withKennitalaOf(anna)),
    ],
    before: [row(anna, { metadata: { voted: true } })],
    changes: [],
    after: [row(anna, { metadata: { voted: true } })],
    errors: ['invalid_id null', 'duplicate_kennitala 3'],
  },
  {
    name: 'who was entered anew beside a record that cannot be read keeps the row',
    register: [record(anna, { kennitala: 123456789 }), record(anna, { id: 44 })],
    before: [row(anna)],
    changes: ['update 101: external_id'],
    after: [seen(anna, { external_id: '44' })],
    errors: ['invalid_kennitala 1'],
  },
  {
    name: 'a record that names nobody stops every removal, and only that',
    register: [record(anna, { id: null, kennitala: null }), record(dora, { name: 'Nýtt' }), einar],
    before: [row(anna), row(birna), row(dora)],
    changes: [
      `add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`,
      'update 103: name',
    ],
    after: [row(anna), row(birna), seen(dora, { name: 'Nýtt' }), added(einar)],
    errors: ['invalid_id null'],
    held: { removals: { count: 2, limit: 10, reason: 'unidentified_record' } },
  },
  {
    name: 'a record that is no object stops every removal',
    register: ['Anna', record(birna)],
    before: [row(anna), row(birna)],
    changes: [],
    after: [row(anna), seen(birna)],
    errors: ['invalid_record null'],
    held: { removals: { count: 1, limit: 10, reason: 'unidentified_record' } },
  },
  {
    name: 'who is left out by the pattern is neither added nor an error',
    register: [record(anna), record(birna, { kennitala: '9999000001' })],
    before: [row(anna)],
    changes: [],
    after: [seen(anna)],
    settings: { DJANGO_EXCLUDE_KENNITALA: '^9999' },
  },
  {
    name: 'who is here and is now left out by the pattern is removed',
    register: [record(anna), record(birna, { kennitala: '9999000001' })],
    before: [row(anna), row(birna, { kennitala: '9999000001' })],
    changes: ['remove 102: is_active,removed_at'],
    after: [seen(anna), removed(birna, { kennitala: '9999000001' })],
    settings: { DJANGO_EXCLUDE_KENNITALA: '^9999' },
  },
  {
    name: 'someone new without a name cannot be added, and is an error',
    register: [record(anna, { name: undefined }), record(birna)],
    before: [row(birna)],
    changes: [],
    after: [seen(birna)],
    errors: ['invalid_name 1'],
  },
  {
    name: 'an empty register removes nobody',
    register: [],
    before: [row(anna), row(birna)],
    changes: [],
    after: [row(anna), row(birna)],
    held: { removals: { count: 2, limit: 10, reason: 'snapshot_empty' } },
  },
  {
    name: 'a register of former members only removes nobody',
    register: [record(anna, { is_active: false })],
    before: [row(anna), row(birna)],
    changes: [],
    after: [row(anna), row(birna)],
    held: { removals: { count: 2, limit: 10, reason: 'snapshot_empty' } },
  },
  {
    name: 'an empty register is no first load, and is held',
    register: [],
    before: [],
    changes: [],
    after: [],
    held: { removals: { count: 0, limit: 10, reason: 'snapshot_empty' } },
  },
  {
    name: 'everything at once is done at once',
    register: [
      record(anna, withKennitalaOf(birna)),
      record(birna, withKennitalaOf(anna)),
      record(dora, { email: null }),
      record(einar),
      record(gunnar),
    ],
    before: [
      row(anna),
      row(birna),
      row(dora, { email: 'd@felagi.example' }),
      row(einar, leftBefore),
      row(freyr),
    ],
    changes: [
      `add ${NEXT_ID}: kennitala,name,email,phone,external_id,is_active`,
      'reactivate 104: is_active,removed_at',
      'remove 105: is_active,removed_at',
      'update 101: kennitala',
      'update 102: kennitala',
      'update 103: email',
    ],
    after: [
      seen(anna, withKennitalaOf(birna)),
      seen(birna, withKennitalaOf(anna)),
      seen(dora, { email: null }),
      seen(einar),
      removed(freyr),
      added(gunnar),
    ],
  },
];

describe.each([
  { about: 'one member', cases: oneMember },
  { about: 'rows of other services', cases: foreignRows },
  { about: 'kennitölur and ids that move', cases: kennitalas },
  { about: 'leavers whom the list still shows', cases: leavers },
  { about: 'records that are wrong', cases: badRecords },
])('$about', ({ cases }) => {
  test.each(cases)('$name', async (given) => {
    await world.reset();
    await insertMembers(world.database, given.before);
    setRegister(world.django, given.register);
    const options = { settings: given.settings ?? {} };

    const dry = await world.dryRun({}, options);
    expect(await readMembers(world.database)).toEqual(given.before);
    const done = await world.run({}, options);
    expect(await readMembers(world.database, done.timestamp)).toEqual(given.after);
    expect(await trail(done.run_id)).toEqual(given.changes);
    expect(outcome(done)).toEqual(expected(given));
    expect(unhurried(dry)).toEqual(unhurried({ ...done, run_id: null, dry_run: true }));
    const foreseen = (dry.changes ?? []).filter(({ held }) => held === undefined);
    expect(foreseen.map(({ action, fields }) => `${action} ${fields.length}`).sort()).toEqual(
      given.changes.map(actionAndSize).sort(),
    );

    // The second run finds everything as the register wants it.
    const again = await world.run({}, options);
    expect(await trail(again.run_id)).toEqual([]);
    expect(again.members_verified).toBe(done.members_verified + addedIn(done));
    const before = given.after.map(({ last_verified_at, ...rest }) => rest);
    const now = await readMembers(world.database, done.timestamp);
    expect(now.map(({ last_verified_at, ...rest }) => rest)).toEqual(before);
  });
});

async function trail(runId: number | null): Promise<string[]> {
  const rows = await world.database.query<{ line: string }>(
    `select format('%s %s: %s', action, member_id, array_to_string(fields, ',')) as line
     from public.member_changes where run_id = $1 order by 1`,
    [runId],
  );
  return rows.map(({ line }) => line);
}

const outcome = (result: SyncResult) => ({
  status: result.status,
  added: result.members_added,
  updated: result.members_updated,
  reactivated: result.members_reactivated,
  removed: result.members_removed,
  verified: result.members_verified,
  suspended: result.members_suspended,
  errors: result.errors.map(({ code, external_id }) => `${code} ${external_id}`),
  error_count: result.error_count,
  held: result.held,
});

function expected({ changes, before, after, errors = [], suspended: count = 0, held }: Case) {
  const counted = (action: string) =>
    changes.filter((change) => change.startsWith(`${action} `)).length;
  const active = new Set(before.filter((each) => each['is_active']).map(({ id }) => id));
  return {
    status: held ? 'held' : errors.length > 0 ? 'partial' : 'success',
    added: counted('add'),
    updated: counted('update'),
    reactivated: counted('reactivate'),
    removed: counted('remove'),
    // Whom the run saw, and who was active here already.
    verified: after.filter((each) => active.has(each['id']) && each['last_verified_at'] === NOW)
      .length,
    suspended: count,
    errors,
    error_count: errors.length,
    held,
  };
}

const unhurried = ({
  timestamp,
  duration_ms,
  changes,
  changes_total,
  next,
  ...result
}: SyncResult) => result;
const addedIn = (result: SyncResult) => result.members_added + result.members_reactivated;
const actionAndSize = (change: string) =>
  `${change.split(' ')[0]} ${change.split(': ')[1]?.split(',').length}`;
