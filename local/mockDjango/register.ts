import { type MemberRecord, timestamp } from './people.ts';

/** What a test may put into a record; `undefined` takes the key out of it. */
export type Changes = Record<string, unknown>;

/** The members that Django knows, ordered by id. Changes are seen by the next request. */
export interface Register {
  /** Every record, soft-deleted ones too. Do not change it; use the functions below. */
  list(): readonly MemberRecord[];
  get(id: number): MemberRecord | undefined;
  /** Adds a member under the id given or the next free one; what is not given is made up. */
  add(record?: Changes): MemberRecord;
  /** Adds a record exactly as it is, however bad, and returns the id of its detail page. */
  addRaw(record: Changes): number;
  update(id: number, changes: Changes): MemberRecord;
  /** Deletes the row, as an administrator does. */
  remove(id: number): void;
  /** Keeps the row in the list with `deleted_at` set and `is_active` false. */
  softDelete(id: number): void;
}

export function createRegister(people: readonly MemberRecord[], now: () => Date): Register {
  const byId = new Map(people.map((record) => [record.id, record]));
  let sorted: MemberRecord[] | undefined;
  let lastId = people.reduce((highest, { id }) => Math.max(highest, id), 0);

  const put = (id: number, record: Changes) => {
    // A test may break a record on purpose, and the mock passes it on.
    byId.set(id, record as MemberRecord);
    lastId = Math.max(lastId, id);
    sorted = undefined;
    return record as MemberRecord;
  };
  const idOf = (record: Changes) => (typeof record['id'] === 'number' ? record['id'] : lastId + 1);
  const update = (id: number, changes: Changes) => {
    const before = byId.get(id);
    if (!before) throw new Error(`The register has no member ${id}`);
    const merged = { ...before, updated_at: timestamp(now()), ...changes };
    return put(
      id,
      Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)),
    );
  };

  return {
    list: () => {
      sorted ??= [...byId].sort(([a], [b]) => a - b).map(([, record]) => record);
      return sorted;
    },
    get: (id) => byId.get(id),
    add: (record = {}) => {
      const id = idOf(record);
      const time = timestamp(now());
      return put(id, {
        id,
        // Day 0 of month 0 is nobody's birthday, so this never meets a generated person.
        kennitala: String(id).padStart(10, '0'),
        name: `Nýr Félagi ${id}`,
        email: `nyr.${id}@felagi.example`,
        phone: null,
        is_active: true,
        deleted_at: null,
        date_joined: time,
        updated_at: time,
        ...record,
      });
    },
    addRaw: (record) => {
      const id = idOf(record);
      put(id, record);
      return id;
    },
    update,
    remove: (id) => {
      byId.delete(id);
      sorted = undefined;
    },
    softDelete: (id) => {
      update(id, { is_active: false, deleted_at: timestamp(now()) });
    },
  };
}
