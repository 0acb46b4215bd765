import { redact, redactedStack } from '../../lib/redact.ts';

test.each([
  ['postgresql://user:pa:ss@host/db failed', 'postgresql://***@host/db failed'],
  ['sent Authorization: Bearer abc.def-ghi', 'sent Authorization: Bearer ***'],
  ['Authorization: Token 0a1b2c', 'Authorization: Token ***'],
  ['Invalid token signature: eyJhbGciOi.eyJzdWIi.c2ln', 'Invalid token signature: ***'],
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

test('the value that PostgreSQL quotes is left out', () => {
  const error = Object.assign(new Error('invalid input syntax for type json: "Jón"'), {
    code: '22P02',
  });
  expect(redactedStack(error)).toContain('for type json: "***"');
  expect(redactedStack(error)).not.toContain('Jón');
});

test('the name of a table that PostgreSQL quotes is kept', () => {
  const error = Object.assign(new Error('relation "members" does not exist'), { code: '42P01' });
  expect(redactedStack(error)).toContain('"members"');
});

test('anything can be thrown', () => {
  expect(redactedStack('0101302989')).toBe('A value was thrown that is no error (string)');
  expect(redactedStack(Object.assign(new Error('x'), { stack: undefined }))).toBe('Error: x');
});
