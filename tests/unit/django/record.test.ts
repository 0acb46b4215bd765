import { noKeys } from '../../../lib/django/membershipKeys.ts';
import { parseRecord } from '../../../lib/django/record.ts';
import type { FieldMap } from '../../../lib/variables.ts';
import { person } from './support.ts';

const plain: FieldMap = {
  id: ['id'],
  kennitala: ['kennitala'],
  name: ['name'],
  email: ['email'],
  phone: ['phone'],
  is_active: ['is_active'],
  deleted_at: ['deleted_at'],
};

const now = Date.parse('2026-06-15T12:00:00Z');

const parse = (record: unknown, map: Partial<FieldMap> = {}, exclude?: RegExp) =>
  parseRecord(record, {
    fieldMap: { ...plain, ...map },
    exclude,
    now,
    damaged: false,
    required: noKeys,
  });
const parseWith = (fields: Record<string, unknown>) => parse({ ...person(7), ...fields });
const without = (key: string) => {
  const record: Record<string, unknown> = person(7);
  delete record[key];
  return record;
};

function memberOf(parsed: ReturnType<typeof parse>) {
  if (parsed.kind !== 'member') throw new Error(`not a member but ${JSON.stringify(parsed)}`);
  return parsed;
}

test('a complete record becomes a member', () => {
  expect(parse(person(7))).toEqual({
    kind: 'member',
    member: {
      externalId: '7',
      kennitala: '0000000007',
      name: 'Prófa 7',
      email: 'm7@example.is',
      phone: '5550000',
      isMember: true,
    },
    warnings: [],
  });
});

describe('a record is rejected, and shields whom it names,', () => {
  const both = { externalId: '7', kennitala: '0000000007' };
  const byId = { externalId: '7', kennitala: undefined };
  const byKennitala = { externalId: undefined, kennitala: '0000000007' };
  const nobody = { externalId: undefined, kennitala: undefined };
  const cases: [string, unknown, string, object][] = [
    ['when it is null', null, 'invalid_record', nobody],
    ['when it is text', 'x', 'invalid_record', nobody],
    ['when it is an array', [person(7)], 'invalid_record', nobody],
    ['when it is empty', {}, 'invalid_id', nobody],
    ['when the id is missing', without('id'), 'invalid_id', byKennitala],
    ...[null, '', '  ', true, 1.5, 2 ** 53, {}, 'a\0b', '\ud800', 'x'.repeat(256)].map(
      (id): [string, unknown, string, object] => [
        `when the id is ${JSON.stringify(id).slice(0, 20)}`,
        { ...person(7), id },
        'invalid_id',
        byKennitala,
      ],
    ),
    ['when the kennitala is missing', without('kennitala'), 'invalid_kennitala', byId],
    ...[null, '', 7, 1203456789, '123456789', '12345678901', '12034567x9', '١٢٣٤٥٦٧٨٩٠', ['1']].map(
      (kennitala): [string, unknown, string, object] => [
        `when the kennitala is ${JSON.stringify(kennitala)}`,
        { ...person(7), kennitala },
        'invalid_kennitala',
        byId,
      ],
    ),
    ...[null, '', ' \n', '\0', 5, {}, 'a'.repeat(256), '😀'.repeat(256)].map(
      (name): [string, unknown, string, object] => [
        `when the name is ${JSON.stringify(name).slice(0, 20)}`,
        { ...person(7), name },
        'invalid_name',
        both,
      ],
    ),
    ...['true', 'false', '0', 0, 1, 2, '', null, [], {}].map(
      (is_active): [string, unknown, string, object] => [
        `when is_active is ${JSON.stringify(is_active)}`,
        { ...person(7), is_active },
        'invalid_is_active',
        both,
      ],
    ),
    ...[
      0,
      1,
      true,
      false,
      1_700_000_000,
      'yes',
      'false',
      '2026',
      '01.02.2026',
      '2026-02-30',
      '2026-13-01',
      '2026-04-31T10:00:00Z',
      '2026-01-01T25:00:00Z',
      'infinity',
      [],
      {},
    ].map((deleted_at): [string, unknown, string, object] => [
      `when deleted_at is ${JSON.stringify(deleted_at)}`,
      { ...person(7), deleted_at },
      'invalid_deleted_at',
      both,
    ]),
    ...[
      'anna@example.is',
      'user:anna@example.is:1',
      '0000000007',
      '000000-0007',
      'IS 000000 0007',
      'm-0000000007-2',
      '００００００００0７',
      // Another person's, with its check digit.
      '0101302989',
      person(7).name,
      `${person(7).name} `.replace(' ', '  ').normalize('NFD'),
      person(7).phone,
      String(person(7).phone).replace(/[^0-9]/g, ''),
    ].map((id): [string, unknown, string, object] => [
      `when the id is personal, as ${JSON.stringify(id)}`,
      { ...person(7), id },
      'invalid_id',
      byKennitala,
    ]),
    [
      'when the id looks like a kennitala and no kennitala is there to compare',
      { ...person(7), id: '1201603389', kennitala: null, is_active: false },
      'invalid_id',
      nobody,
    ],
    [
      'when one stands among letters of the id, and none is there to compare',
      { ...person(7), id: 'kt. 120160-3389/b', kennitala: null },
      'invalid_id',
      nobody,
    ],
    [
      'when the id looks like a name and no name is there to compare',
      { ...person(7), id: 'Jóna von Ína Jónsdóttir', name: 12 },
      'invalid_id',
      byKennitala,
    ],
  ];
  test.each(cases)('%s', (_, record, code, shields) => {
    const parsed = parse(record);
    expect(parsed).toEqual({
      kind: 'rejected',
      rejection: { code, ...shields, message: expect.any(String) },
    });
  });
});

test('a kennitala that is a number is told to be one, since its leading zeros are lost', () => {
  const parsed = parseWith({ kennitala: 101301239 });
  expect(parsed).toMatchObject({ rejection: { message: expect.stringMatching(/leading zeros/) } });
});

test('no message repeats a value of the record', () => {
  const secret = 'Leynd\0armál';
  for (const field of ['id', 'kennitala', 'is_active', 'email', 'phone']) {
    expect(JSON.stringify(parseWith({ [field]: `${secret} `.repeat(40) }))).not.toMatch(/Leynd/);
  }
});

test.each([
  'north branch',
  'Deild 7',
  '7b1e2f60-0101-4302-9890-010130298999',
  '12345678901',
  'A-1999999999',
  'Deild A',
  'maki-0101301234',
])('the id %j is none of a person, with a name or without one', (id) => {
  expect(memberOf(parseWith({ id })).member.externalId).toBe(id);
  expect(parseWith({ id, name: 12 })).toMatchObject({ rejection: { externalId: id } });
});

test.each([
  ['12', '12'],
  [' ab-c ', 'ab-c'],
  [0, '0'],
  [-3, '-3'],
  ['😀'.repeat(255), '😀'.repeat(255)],
])('the id %j is kept as text %j', (id, expected) => {
  expect(memberOf(parseWith({ id })).member.externalId).toBe(expected);
});

test.each(['000000-0007', ' 0000000007 ', '0000 00 0007', '000000–0007'])(
  'the kennitala %j loses hyphen and spaces',
  (kennitala) => {
    expect(memberOf(parseWith({ kennitala })).member.kennitala).toBe('0000000007');
  },
);

describe('the name', () => {
  test('stays unknown where the record has no such key', () => {
    const parsed = memberOf(parse(without('name')));
    expect(parsed.member.name).toBeUndefined();
    expect(parsed.warnings).toEqual([]);
  });
  test.each([
    ['is trimmed', '  Prófa Dæmi \n', 'Prófa Dæmi'],
    ['is put in NFC', 'Pro\u0301fa', 'Prófa'],
    ['keeps newlines and tabs inside', 'a\n\tb', 'a\n\tb'],
    ['may have 255 characters outside the basic plane', '😀'.repeat(255), '😀'.repeat(255)],
  ])('%s', (_, name, expected) => {
    const parsed = memberOf(parseWith({ name }));
    expect(parsed.member.name).toBe(expected);
    expect(parsed.warnings).toEqual([]);
  });
  test.each([
    ['loses NUL characters', '\0 Prófa\0 ', 'Prófa'],
    ['has half a surrogate pair replaced', 'Prófa\ud83d', 'Prófa\ufffd'],
  ])('%s, with a warning', (_, name, expected) => {
    const parsed = memberOf(parseWith({ name }));
    expect(parsed.member.name).toBe(expected);
    expect(parsed.warnings).toEqual([
      { externalId: '7', field: 'name', message: expect.any(String) },
    ]);
  });
  test.each([{ is_active: false }, { deleted_at: '2026-01-01' }])(
    'may be blank in the record of someone who left (%j)',
    (left) => {
      const parsed = memberOf(parseWith({ name: '', ...left }));
      expect(parsed.member).toMatchObject({ name: undefined, isMember: false });
      expect(parsed.warnings).toHaveLength(1);
    },
  );
});

describe('e-mail and phone', () => {
  test.each(['email', 'phone'] as const)('a missing %s leaves the stored value alone', (field) => {
    const parsed = memberOf(parse(without(field)));
    expect(parsed.member[field]).toBeUndefined();
    expect(parsed.warnings).toEqual([]);
  });
  test.each([
    ['email', null],
    ['email', ''],
    ['email', '  '],
    ['phone', null],
    ['phone', '\t'],
  ] as const)('%s %j clears the stored value', (field, value) => {
    const parsed = memberOf(parseWith({ [field]: value }));
    expect(parsed.member[field]).toBeNull();
    expect(parsed.warnings).toEqual([]);
  });
  test.each([
    ['email', ' a@b ', 'a@b'],
    ['email', `${'x'.repeat(253)}@b`, `${'x'.repeat(253)}@b`],
    ['phone', '+354 555 0000', '+354 555 0000'],
    ['phone', 5550000, '5550000'],
    ['phone', '1'.repeat(20), '1'.repeat(20)],
  ] as const)('%s %j is kept', (field, value, expected) => {
    const parsed = memberOf(parseWith({ [field]: value }));
    expect(parsed.member[field]).toBe(expected);
    expect(parsed.warnings).toEqual([]);
  });
  test.each([
    ['email', 5],
    ['email', 'no address'],
    ['email', 'a b@c'],
    ['email', 'a@b@c'],
    ['email', '@b'],
    ['email', 'a@b\0c'],
    ['email', 'a@b\ud800'],
    ['email', `${'x'.repeat(255)}@b`],
    ['email', { a: 1 }],
    ['phone', true],
    ['phone', -5],
    ['phone', 1.5],
    ['phone', '1'.repeat(21)],
    ['phone', '555\n0000'],
    ['phone', '\0'],
  ] as const)('%s %j is dropped with a warning and the member is kept', (field, value) => {
    const parsed = memberOf(parseWith({ [field]: value }));
    expect(parsed.member[field]).toBeUndefined();
    expect(parsed.warnings).toEqual([{ externalId: '7', field, message: expect.any(String) }]);
  });
});

// The clock is at noon of 15 June 2026.
test.each([
  [{}, true],
  [{ is_active: false }, false],
  [{ deleted_at: null }, true],
  [{ deleted_at: '' }, true],
  [{ deleted_at: ' ' }, true],
  [{ deleted_at: '2026-01-01T00:00:00Z' }, false],
  [{ is_active: true, deleted_at: '2026-01-01' }, false],
  [{ deleted_at: '2026-06-14' }, false],
  [{ deleted_at: '2026-06-15' }, false],
  [{ deleted_at: '2026-06-16' }, true],
  [{ deleted_at: '9999-12-31' }, true],
  [{ deleted_at: '2026-06-15T12:00:00Z' }, false],
  [{ deleted_at: '2026-06-15T12:00:00.000001Z' }, false],
  [{ deleted_at: '2026-06-15T12:00:01Z' }, true],
  [{ deleted_at: '2026-06-15 11:59:59' }, false],
  [{ deleted_at: '2026-06-15 12:00:01' }, true],
  [{ deleted_at: '2026-06-15T12:30' }, true],
  [{ deleted_at: '2026-06-15T13:30:00+02:00' }, false],
  [{ deleted_at: '2026-06-15T11:30:00-0100' }, true],
  [{ deleted_at: '2026-06-15T14:30:00.439203+02' }, true],
  [{ is_active: false, deleted_at: '2026-06-16' }, false],
])('the membership rule: %j is a member: %s', (fields, isMember) => {
  expect(memberOf(parseWith(fields)).member.isMember).toBe(isMember);
});

test('an id of ten digits that is not the kennitala of its member is a number like any other', () => {
  expect(memberOf(parseWith({ id: '1201603319' })).member.externalId).toBe('1201603319');
});

describe('in a reply with bytes that are no UTF-8', () => {
  const damaged = (record: unknown) =>
    parseRecord(record, {
      fieldMap: plain,
      exclude: undefined,
      now,
      damaged: true,
      required: noKeys,
    });
  test.each([
    ['name', { name: 'J\ufffdn' }, { externalId: '7', kennitala: '0000000007' }],
    ['a field that nobody reads', { note: '\ufffd' }, { externalId: '7', kennitala: '0000000007' }],
    ['the key of a field', { 'is_\ufffd': 1 }, { externalId: '7', kennitala: '0000000007' }],
    ['the id', { id: '7\ufffd' }, { externalId: undefined, kennitala: '0000000007' }],
    ['the kennitala', { kennitala: '000000000\ufffd' }, { externalId: '7', kennitala: undefined }],
  ])('a record that has them in %s is rejected', (_, fields, shields) => {
    expect(damaged({ ...person(7), ...fields })).toEqual({
      kind: 'rejected',
      rejection: { code: 'invalid_encoding', ...shields, message: expect.any(String) },
    });
  });
  test('the others go on', () => {
    expect(damaged(person(7)).kind).toBe('member');
  });
  test('and in any other reply U+FFFD is a character like any other', () => {
    expect(memberOf(parseWith({ name: 'J\ufffdn' })).member.name).toBe('J\ufffdn');
  });
});

test('without is_active and deleted_at, being listed is being a member', () => {
  const { id, kennitala } = person(7);
  expect(memberOf(parse({ id, kennitala })).member).toEqual({
    externalId: '7',
    kennitala,
    name: undefined,
    email: undefined,
    phone: undefined,
    isMember: true,
  });
});

describe('a dotted path', () => {
  const email = (record: object) =>
    memberOf(parse({ ...person(7), ...record }, { email: ['contact_info', 'email'] })).member.email;
  test.each([
    ['reads what it leads to', { contact_info: { email: 'a@b.is' } }, 'a@b.is'],
    ['that meets null clears', { contact_info: null }, null],
    ['that ends in null clears', { contact_info: { email: null } }, null],
    ['that is broken off is missing', {}, undefined],
    ['whose last key is missing is missing', { contact_info: {} }, undefined],
    ['through text is missing', { contact_info: 'x' }, undefined],
  ])('%s', (_, record, expected) => expect(email(record)).toBe(expected));

  test.each([['constructor', 'name'], ['__proto__', 'constructor', 'name'], ['toString']])(
    'sees nothing that the record inherits (%s)',
    (...path) => {
      expect(memberOf(parse(person(7), { name: path })).member.name).toBeUndefined();
    },
  );
});

describe('the exclusion pattern', () => {
  test('leaves out a matching record, whatever else is wrong with it', () => {
    const record = { ...person(7), kennitala: '999900-0001', name: null };
    expect(parse(record, {}, /^9999/u)).toEqual({ kind: 'excluded', externalId: '7' });
    expect(parse({ ...record, id: null }, {}, /^9999/u)).toEqual({
      kind: 'excluded',
      externalId: undefined,
    });
  });
  test('keeps the others, time after time', () => {
    const pattern = /^9999/g;
    for (let i = 0; i < 3; i += 1) {
      expect(parse(person(7), {}, pattern).kind).toBe('member');
      expect(parse({ ...person(7), kennitala: '9999000001' }, {}, pattern).kind).toBe('excluded');
    }
  });
});
