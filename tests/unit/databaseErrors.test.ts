import {
  asDatabaseUnavailable,
  isConnectionLost,
  isLoginRefused,
} from '../../lib/databaseErrors.ts';

const error = (message: string, fields: object = {}) => Object.assign(new Error(message), fields);
const refused = error('connect ECONNREFUSED', { code: 'ECONNREFUSED', syscall: 'connect' });

const socket = (code: string, syscall = 'connect') => error('', { code, syscall });

test.each([
  { name: 'nobody listens', thrown: refused, says: 'is it running' },
  { name: 'the socket is missing', thrown: socket('ENOENT'), says: 'step cloudsql of deploy.sh' },
  { name: 'the socket is not ours', thrown: socket('EACCES'), says: 'is not attached' },
  { name: 'the name is unknown', thrown: socket('ENOTFOUND', 'getaddrinfo'), says: 'host' },
  { name: 'names are not answered', thrown: socket('EAI_AGAIN', 'getaddrinfo'), says: 'DNS' },
  { name: 'nothing answers', thrown: socket('ETIMEDOUT'), says: 'firewall' },
  { name: 'the connection broke', thrown: socket('ECONNRESET', 'read'), says: 'was lost' },
  { name: 'every address refuses', thrown: new AggregateError([refused]), says: 'is it running' },
  { name: 'the server is stopped', thrown: error('', { code: '57P01' }), says: 'was lost' },
  { name: 'the session waited too long', thrown: error('', { code: '25P03' }), says: 'was lost' },
  { name: 'the connection failed', thrown: error('', { code: '08006' }), says: 'was lost' },
  { name: 'the server is starting', thrown: error('', { code: '57P03' }), says: 'starting' },
  {
    name: 'the password is wrong',
    thrown: error('', { code: '28P01' }),
    says: 'secret was rotated',
  },
  { name: 'the user is unknown', thrown: error('', { code: '28000' }), says: 'user and password' },
  {
    name: 'there is no password',
    thrown: error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
    says: 'user and password',
  },
  { name: 'the database does not exist', thrown: error('', { code: '3D000' }), says: 'its name' },
  {
    name: 'there are too many of us',
    thrown: error('', { code: '53300' }),
    says: 'max_connections',
  },
  {
    name: 'a sequence of ours is at its end',
    thrown: error('nextval: reached maximum value of sequence "sync_log_id_seq" (2147483647)', {
      code: '2200H',
    }),
    says: '(2200H, sync_log_id_seq)',
  },
  {
    name: 'a sequence of ours is behind',
    thrown: error('duplicate key', { code: '23505', constraint: 'sync_log_pkey' }),
    says: 'is behind the numbers that are there',
  },
  { name: 'the disk is full', thrown: error('', { code: '53100' }), says: 'disk space' },
  { name: 'there is no such table', thrown: error('', { code: '42P01' }), says: 'npm run migrate' },
  {
    name: 'there is no such column',
    thrown: error('', { code: '42703' }),
    says: 'npm run migrate',
  },
  { name: 'a right is missing', thrown: error('', { code: '42501' }), says: 'lacks a right' },
  {
    name: 'rows may be hidden',
    thrown: error('query would be affected by row-level security policy for table "members"', {
      code: '42501',
    }),
    says: 'BYPASSRLS',
  },
  {
    name: 'it wants encryption',
    thrown: error('pg_hba.conf rejects connection for host "10.0.0.1", no encryption', {
      code: '28000',
    }),
    says: 'sslmode=verify-ca&sslrootcert=FILE',
  },
  {
    name: 'it wants encryption, in another language',
    thrown: error('kein pg_hba.conf-Eintrag', { code: '28000' }),
    says: 'with or without encryption',
  },
  {
    name: 'it wants a certificate of ours',
    thrown: error('connection requires a valid client certificate', { code: '28000' }),
    says: 'sslcert=FILE&sslkey=FILE',
  },
  {
    name: 'a pooler refuses the password',
    thrown: error('SASL authentication failed', { code: '08P01' }),
    says: 'The connection pooler refused the login',
  },
  {
    name: 'a pooler does not know the database',
    thrown: error('no such database: members', { code: '08P01' }),
    says: 'its name in DATABASE_URL',
  },
  {
    name: 'a pooler has no session to give',
    thrown: error('query_wait_timeout', { code: '08P01' }),
    says: 'is the pool large enough',
  },
  {
    name: 'a pooler gives a session for one statement',
    thrown: error('transaction blocks not allowed in statement pooling mode', { code: '08P01' }),
    says: 'set pool_mode = session',
  },
  {
    name: 'its certificate is of another name',
    thrown: error('', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
    says: 'not for the host',
  },
  {
    name: 'its certificate has expired',
    thrown: error('', { code: 'CERT_HAS_EXPIRED' }),
    says: 'renew it',
  },
  {
    name: 'TLS fails otherwise',
    thrown: error('', { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }),
    says: 'sslcert and sslkey',
  },
  { name: 'it is a replica', thrown: error('', { code: '25006' }), says: 'read replica' },
  {
    name: 'somebody holds a lock',
    thrown: error('', { code: '55P03' }),
    says: 'held a lock on members, or on another table of ours, for too long, and nothing was changed',
  },
  {
    name: 'two wait for each other',
    thrown: error('', { code: '40P01' }),
    says: 'nothing was changed',
  },
  {
    name: 'a statement was stopped',
    thrown: error('', { code: '57014' }),
    says: 'nothing was changed',
  },
  {
    name: 'its certificate is not trusted',
    thrown: error('', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    says: 'sslmode',
  },
  {
    name: 'it knows no encryption',
    thrown: error('The server does not support SSL connections'),
    says: 'sslmode',
  },
  { name: 'the driver lost it', thrown: error('Connection terminated unexpectedly'), says: 'lost' },
  {
    name: 'the driver waited too long',
    thrown: error('timeout exceeded when trying to connect'),
    says: 'did not answer in time',
  },
  {
    name: 'the pool waited too long',
    thrown: error('Connection terminated due to connection timeout'),
    says: 'did not answer in time',
  },
])('the database is unavailable when $name', ({ thrown, says }) => {
  const found = asDatabaseUnavailable(thrown);
  expect(found?.code).toBe('database_unavailable');
  expect(found?.cause).toBe(thrown);
  expect(found?.message).toContain(says);
  expect(found?.message).toMatch(/\.$/);
});

test('what the driver says, which may hold the user, the host or a row, is not repeated', () => {
  const thrown = error('password authentication failed for user "hanna"', {
    code: '28P01',
    detail: 'Key (kennitala)=(0101302989)',
  });
  const found = asDatabaseUnavailable(thrown);
  expect(found?.message).toMatch(/^The database refused the login: .*\(28P01\)\.$/);
  expect(found?.message).not.toMatch(/hanna|0101302989/);
});

test.each([
  { name: 'a statement is wrong', thrown: error('', { code: '42601' }) },
  { name: 'a value is taken', thrown: error('', { code: '23505' }) },
  { name: 'a file is missing', thrown: error('', { code: 'ENOENT', syscall: 'open' }) },
  { name: 'it has no system call', thrown: error('', { code: 'ENOENT' }) },
  { name: 'it is a bug', thrown: new TypeError('x is undefined') },
  { name: 'several bugs came together', thrown: new AggregateError([new TypeError('x')]) },
  { name: 'nothing came together', thrown: new AggregateError([]) },
  { name: 'it is no error', thrown: 'ECONNREFUSED' },
])('the database is not to blame when $name', ({ thrown }) => {
  expect(asDatabaseUnavailable(thrown)).toBeUndefined();
});

test('a refused login is known from other failures', () => {
  expect(isLoginRefused(error('', { code: '28P01' }))).toBe(true);
  expect(isLoginRefused(error('', { code: '28000' }))).toBe(true);
  const byPooler = error('password authentication failed', { code: '08P01' });
  expect(isLoginRefused(byPooler)).toBe(true);
  expect(isLoginRefused(error('unsupported startup parameter', { code: '08P01' }))).toBe(false);
  expect(isLoginRefused(refused)).toBe(false);
  expect(isLoginRefused(undefined)).toBe(false);
});

test('a lost connection is known from one that was never there', () => {
  for (const code of ['ECONNRESET', '57P01', '57P05']) {
    expect(isConnectionLost(error('', { code }))).toBe(true);
  }
  expect(isConnectionLost(error('Connection terminated unexpectedly'))).toBe(true);
  expect(isConnectionLost(error('Connection terminated due to connection timeout'))).toBe(false);
  for (const thrown of [refused, error('', { code: '42501' }), undefined]) {
    expect(isConnectionLost(thrown)).toBe(false);
  }
});

test('a constraint that a trigger names is not repeated', () => {
  const thrown = error('no', {
    code: '23505',
    constraint: 'double 0101302989',
    where: 'PL/pgSQL function public.theirs() line 1 at RAISE',
  });
  expect(asDatabaseUnavailable(thrown)?.message).toMatch(/\(23505, public\.theirs\)\.$/);
});
