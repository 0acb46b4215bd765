import { asDatabaseUnavailable, isLoginRefused } from '../../lib/databaseErrors.ts';

const error = (message: string, fields: object = {}) => Object.assign(new Error(message), fields);
const refused = error('connect ECONNREFUSED', { code: 'ECONNREFUSED', syscall: 'connect' });

test.each([
  { name: 'nobody listens', thrown: refused },
  { name: 'the socket is missing', thrown: error('', { code: 'ENOENT', syscall: 'connect' }) },
  { name: 'the name is unknown', thrown: error('', { code: 'ENOTFOUND', syscall: 'getaddrinfo' }) },
  { name: 'the connection broke', thrown: error('', { code: 'ECONNRESET', syscall: 'read' }) },
  { name: 'every address of a name refuses', thrown: new AggregateError([refused, refused]) },
  { name: 'the server is stopped', thrown: error('', { code: '57P01' }) },
  { name: 'the server is starting', thrown: error('', { code: '57P03' }) },
  { name: 'the connection failed', thrown: error('', { code: '08006' }) },
  { name: 'the password is wrong', thrown: error('', { code: '28P01' }) },
  { name: 'the database does not exist', thrown: error('', { code: '3D000' }) },
  { name: 'there are too many connections', thrown: error('', { code: '53300' }) },
  { name: 'the driver lost it', thrown: error('Connection terminated unexpectedly') },
  {
    name: 'the driver waited too long',
    thrown: error('timeout exceeded when trying to connect'),
  },
])('the database is unavailable when $name', ({ thrown }) => {
  const found = asDatabaseUnavailable(thrown);
  expect(found?.code).toBe('database_unavailable');
  expect(found?.cause).toBe(thrown);
  expect(found?.message).toMatch(/^The database cannot be used \(.+\)\.$/);
});

test.each([
  { name: 'a statement is wrong', thrown: error('', { code: '42P01' }) },
  { name: 'a statement was cancelled', thrown: error('', { code: '57014' }) },
  { name: 'a lock was not free', thrown: error('', { code: '55P03' }) },
  { name: 'a file is missing', thrown: error('', { code: 'ENOENT', syscall: 'open' }) },
  { name: 'it has no system call', thrown: error('', { code: 'ENOENT' }) },
  { name: 'it is a bug', thrown: new TypeError('x is undefined') },
  { name: 'several bugs came together', thrown: new AggregateError([new TypeError('x')]) },
  { name: 'it is no error', thrown: 'ECONNREFUSED' },
])('the database is not to blame when $name', ({ thrown }) => {
  expect(asDatabaseUnavailable(thrown)).toBeUndefined();
});

test('a refused login is known from other failures', () => {
  expect(isLoginRefused(error('', { code: '28P01' }))).toBe(true);
  expect(isLoginRefused(error('', { code: '28000' }))).toBe(true);
  expect(isLoginRefused(refused)).toBe(false);
  expect(isLoginRefused(undefined)).toBe(false);
});
