import { redact, redactedMessage, redactedStack } from '../../lib/redact.ts';

test.each([
  ['postgresql://user:pa:ss@host/db failed', 'postgresql://***@host/db failed'],
  ['sent Authorization: Bearer abc.def-ghi', 'sent Authorization: Bearer ***'],
  ['Authorization: Token 0a1b2c', 'Authorization: Token ***'],
  ['Invalid token signature: eyJhbGciOi.eyJzdWIi.c2ln', 'Invalid token signature: ***'],
  ['call +354 555 1234 or +3545551234', 'call +*** or +***'],
  ['duplicate jon@example.is', 'duplicate ***@***'],
  ['member 010130-2989 and 0101302989', 'member ******-**** and ******-****'],
  [
    'GET https://r.example/api/members?cursor=x&y=1 gave 500',
    'GET https://r.example/api/members?*** gave 500',
  ],
  ['GET /api/members?name=jon', 'GET /api/members?***'],
  [
    'run 17 took 2200 ms at 2026-11-22T14:00:00.000Z',
    'run 17 took 2200 ms at 2026-11-22T14:00:00.000Z',
  ],
])('%s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test('a stack names the causes too', () => {
  const error = new Error('outer', { cause: new TypeError('of 0101302989') });
  expect(redactedStack(error)).toMatch(
    /^Error: outer\n[\s\S]*\nCaused by: TypeError: of \*+-\*+\n/,
  );
});

const raised = (message: string, fields: object) => Object.assign(new Error(message), fields);

test.each([
  {
    name: 'a value that it could not read',
    message: 'invalid input syntax: "Jón "Nonni"\nJónsson"',
    code: '22P02',
  },
  {
    name: 'a value in the quotes of another language',
    message: 'ungültig: «Jón Jónsson»',
    code: '22P02',
  },
  { name: 'what a trigger raises', message: 'Jón Jónsson may not be changed', code: 'P0001' },
  { name: 'what a function raises under its own code', message: 'Jón Jónsson', code: 'MS001' },
  {
    name: 'what a trigger raises under a code of PostgreSQL',
    message: 'Jón Jónsson has no right to vote',
    code: '42501',
    fields: {
      file: 'pl_exec.c',
      routine: 'exec_stmt_raise',
      where: 'PL/pgSQL function f() line 3 at RAISE',
      table: 'Jón',
      constraint: 'Jón Jónsson',
    },
  },
  {
    name: 'what an extension raises without a context',
    message: 'Jón Jónsson',
    code: 'XX000',
    fields: { file: 'plv8.cc' },
  },
  {
    name: 'what a statement of a trigger quotes',
    message: 'column "Jón Jónsson" does not exist',
    code: '42703',
    fields: { file: 'parse_relation.c', where: 'PL/pgSQL function f() line 3 at EXECUTE' },
  },
])('of PostgreSQL, $name is left out', ({ message, code, fields }) => {
  const stack = redactedStack(raised(message, { code, ...fields }));
  expect(stack).toMatch(new RegExp(`^Error: left out, SQLSTATE ${code}\\n\\s+at `));
  expect(stack).not.toMatch(/Jón|Nonni/);
});

test('of a row that PostgreSQL refuses only the table and the constraint are told', () => {
  const error = raised('duplicate key value violates unique constraint "members_kennitala_key"', {
    code: '23505',
    severity: 'ERROR',
    detail: 'Key (kennitala)=(0101302989) already exists.',
    where: 'COPY incoming, line 1, column name: "Jón"',
    table: 'members',
    constraint: 'members_kennitala_key',
  });
  const told = 'left out, SQLSTATE 23505, table members, constraint members_kennitala_key';
  expect(redactedMessage(error)).toBe(told);
  expect(redactedStack(new Error('outer', { cause: error }))).toContain(
    `Caused by: Error: ${told}\n`,
  );
});

test.each([
  { message: 'permission denied for table members', code: '42501', file: 'aclchk.c' },
  {
    message: 'permission denied to create temporary tables in database "d"',
    code: '42501',
    file: 'namespace.c',
  },
  {
    message: 'query would be affected by row-level security policy for table "members"',
    code: '42501',
    file: 'rls.c',
  },
  { message: 'syntax error at or near "selct"', code: '42601', file: 'scan.l' },
  {
    message: 'canceling statement due to lock timeout',
    code: '55P03',
    file: 'postgres.c',
    where: 'while updating tuple (0,1) in relation "members"',
  },
  { message: 'no such database: d', code: '3D000', file: undefined },
])(
  'what PostgreSQL or a pooler says of its own objects is kept: $message',
  ({ message, ...fields }) => {
    expect(redactedMessage(raised(message, fields))).toBe(message);
  },
);

test('the name of a table that PostgreSQL quotes is kept', () => {
  const error = raised('relation "members" does not exist', { code: '42P01' });
  expect(redactedStack(error)).toContain('"members"');
});

test('a code of Node.js is no SQLSTATE', () => {
  expect(redactedMessage(raised('write EPIPE', { code: 'EPIPE' }))).toBe('write EPIPE');
});

test('the text that JSON.parse quotes is left out', () => {
  let error: unknown;
  try {
    JSON.parse('{"name": Jón "Nonni"\nJónsson}');
  } catch (thrown) {
    error = thrown;
  }
  expect((error as Error).message).toContain('Jón');
  expect(redactedStack(error)).toContain('*** is not valid JSON');
  expect(redactedStack(error)).not.toMatch(/name|Jón|Nonni/);
});

test('anything can be thrown', () => {
  expect(redactedStack('0101302989')).toBe('A value was thrown that is no error (string)');
  expect(redactedStack(Object.assign(new Error('x'), { stack: undefined }))).toBe('Error: x');
});
