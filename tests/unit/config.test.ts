import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import {
  ConfigError,
  type ConfigGroup,
  type Environment,
  loadConfig,
  secretsOf,
  variableNames,
} from '../../lib/config.ts';
import { problemWithSecret } from '../../lib/secrets.ts';

const groups: ConfigGroup[] = ['runtime', 'auth', 'database', 'reader', 'django', 'sync', 'notify'];
const complete: Environment = {
  ADMIN_API_KEY: 'local-key',
  DATABASE_URL: 'postgresql://u:p@localhost/db',
  DJANGO_BASE_URL: 'https://register.example/base',
  DJANGO_API_KEY: 'django-key',
};
const longKey = 'k'.repeat(32);

function problems(environment: Environment, asked: ConfigGroup[] = groups): string[] {
  try {
    loadConfig(environment, asked);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('.env.example', () => {
  const example = parseEnv(readFileSync(join(__dirname, '../../.env.example'), 'utf8'));

  test('names the same variables as the configuration', () => {
    expect(Object.keys(example).sort()).toEqual([...variableNames].sort());
  });

  test('shows the defaults', () => {
    expect(loadConfig({ ...example, ...complete }, groups)).toEqual(loadConfig(complete, groups));
  });
});

test('a minimal environment is enough, and the rest has defaults', () => {
  const config = loadConfig(complete, groups);
  expect(config.runtime.PORT).toBe(8080);
  expect(config.django.DJANGO_FIELD_MAP.is_active).toEqual(['is_active']);
  expect(config.sync.SYNC_MAX_REMOVALS).toEqual({ percent: 2 });
  expect(config.notify.NOTIFY_URLS).toEqual([]);
});

test('every missing and malformed variable is named in one error, and no value is repeated', () => {
  const broken = {
    DATABASE_URL: 'mysql://secret-value',
    PORT: 'eighty-secret',
    NODE_ENV: 'prod-secret',
    SYNC_MAX_REMOVALS: '101%',
    SYNC_ENABLED: 'maybe',
    DJANGO_FIELD_MAP: '{"secret":"x"}',
    DJANGO_EXCLUDE_KENNITALA: '(',
    NOTIFY_URLS: 'https://a.example, ftp://b.example',
  };
  const found = problems(broken);
  expect(found.map((problem) => problem.split(' ')[0]).sort()).toEqual([
    'ADMIN_API_KEY',
    'DATABASE_URL',
    'DJANGO_API_KEY',
    'DJANGO_BASE_URL',
    'DJANGO_EXCLUDE_KENNITALA',
    'DJANGO_FIELD_MAP',
    'NODE_ENV',
    'NOTIFY_URLS',
    'PORT',
    'SYNC_ENABLED',
    'SYNC_MAX_REMOVALS',
  ]);
  expect(found.join()).not.toContain('secret-value');
  expect(found.join()).not.toContain('eighty');
});

test('a group that is not asked for is not looked at', () => {
  expect(problems({ ADMIN_API_KEY: 'x' }, ['runtime', 'auth'])).toEqual([]);
});

const cases: { name: string; environment: Environment; problem: string | undefined }[] = [
  {
    name: 'a short key is accepted in development',
    environment: { ADMIN_API_KEY: 'short' },
    problem: undefined,
  },
  {
    name: 'a short key is refused in production',
    environment: { NODE_ENV: 'production', ADMIN_API_KEY: 'short' },
    problem: 'ADMIN_API_KEY is too short: at least 32 characters outside development',
  },
  {
    name: 'a short key is refused in staging',
    environment: { NODE_ENV: 'staging', ADMIN_API_KEY: 'short' },
    problem: 'ADMIN_API_KEY is too short: at least 32 characters outside development',
  },
  {
    name: 'a reference instead of a key is accepted in production',
    environment: { NODE_ENV: 'production', ADMIN_API_KEY: 'sm://p/key#3' },
    problem: undefined,
  },
  {
    name: 'no key is needed where the platform verifies the caller',
    environment: { NODE_ENV: 'production', AUTH_MODE: 'IAM', ADMIN_API_KEY: '' },
    problem: undefined,
  },
  {
    name: 'no key is refused where nobody verifies the caller',
    environment: { AUTH_MODE: 'key', ADMIN_API_KEY: '' },
    problem: 'ADMIN_API_KEY is missing (needed with AUTH_MODE=key)',
  },
  {
    name: 'other certificates than those of Google are refused in production',
    environment: {
      NODE_ENV: 'production',
      ADMIN_API_KEY: longKey,
      AUTH_CERTS_URL: 'http://127.0.0.1:1/certs',
    },
    problem:
      'AUTH_CERTS_URL is for development and tests only: it decides which tokens are trusted',
  },
  {
    name: 'an emulator is named as host and port',
    environment: { SECRET_MANAGER_EMULATOR_HOST: 'http://127.0.0.1:1' },
    problem: 'SECRET_MANAGER_EMULATOR_HOST must be host:port',
  },
  {
    name: 'notifications are signed',
    environment: { NOTIFY_URLS: 'https://a.example' },
    problem: 'NOTIFY_SECRET is missing (needed with NOTIFY_URLS)',
  },
  {
    name: 'a malformed signing key is reported once, and not as missing',
    environment: { NOTIFY_URLS: 'https://a.example', NOTIFY_SECRET: 'correct-horse-battery' },
    problem: 'NOTIFY_SECRET must be whsec_ followed by base64',
  },
  {
    name: 'a malformed admin key is reported once, and not as missing',
    environment: { AUTH_MODE: 'key', ADMIN_API_KEY: 'two words' },
    problem: 'ADMIN_API_KEY must be printable ASCII without spaces or line ends',
  },
  {
    name: 'what signs the notifications is a key of Standard Webhooks',
    environment: { NOTIFY_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` },
    problem: undefined,
  },
  {
    name: 'the signing key may come without its prefix',
    environment: { NOTIFY_SECRET: Buffer.alloc(24, 7).toString('base64') },
    problem: undefined,
  },
  {
    name: 'a pass phrase is no signing key',
    environment: { NOTIFY_SECRET: 'correct-horse-battery' },
    problem: 'NOTIFY_SECRET must be whsec_ followed by base64',
  },
  {
    name: 'a prefix alone is no signing key',
    environment: { NOTIFY_SECRET: 'whsec_' },
    problem: 'NOTIFY_SECRET must be whsec_ followed by base64',
  },
  {
    name: 'a key that no header can carry is refused',
    environment: { DJANGO_API_KEY: 'pasted with a line end\n' },
    problem: 'DJANGO_API_KEY must be printable ASCII without spaces or line ends',
  },
  {
    name: 'a key of the scheme Basic is user:password, of any characters',
    environment: { DJANGO_AUTH_SCHEME: 'Basic', DJANGO_API_KEY: 'sync:lykill með bili' },
    problem: undefined,
  },
  {
    name: 'a key of the scheme Basic without a user is refused',
    environment: { DJANGO_AUTH_SCHEME: 'basic', DJANGO_API_KEY: 'lykill' },
    problem: 'DJANGO_API_KEY must be user:password with DJANGO_AUTH_SCHEME=Basic',
  },
  {
    name: 'a database is reached by a socket too',
    environment: { DATABASE_URL: 'postgresql://u:p@/db?host=/cloudsql/p:r:i' },
    problem: undefined,
  },
  {
    name: 'a database may be a reference',
    environment: { DATABASE_URL: 'projects/p/secrets/s/versions/latest' },
    problem: undefined,
  },
  {
    name: 'a reference with an empty part is no reference',
    environment: { DATABASE_URL: 'sm://p/' },
    problem: expect.stringMatching(/^DATABASE_URL must be a postgresql:.. URL;/),
  },
  {
    name: 'an address with a password in it is refused',
    environment: { DJANGO_BASE_URL: 'https://u:p@register.example' },
    problem:
      'DJANGO_BASE_URL must be an http:// or https:// URL without a user name or password in it',
  },
  {
    name: 'a limit may be a number of members',
    environment: { SYNC_MAX_REMOVALS: '25' },
    problem: undefined,
  },
  {
    name: 'half a member is no limit',
    environment: { SYNC_MAX_REMOVALS: '2.5' },
    problem:
      'SYNC_MAX_REMOVALS must be a share such as 2% (at most 100%) or a whole number of members',
  },
  {
    name: 'a field map is JSON',
    environment: { DJANGO_FIELD_MAP: 'id=id' },
    problem:
      'DJANGO_FIELD_MAP must be a JSON object from our fields (id, kennitala, name, email, phone, is_active, deleted_at) to dotted paths, with different ones for id and kennitala',
  },
  {
    name: 'words and digits are understood as flags',
    environment: { SYNC_ENABLED: 'off' },
    problem: undefined,
  },
];

test.each(cases)('$name', ({ environment, problem }) => {
  expect(problems({ ...complete, ...environment })).toEqual(problem === undefined ? [] : [problem]);
});

test('the reader has the address of the database where it has none of its own', () => {
  const own = { ...complete, DATABASE_READER_URL: 'postgresql://reader@h/db' };
  expect(loadConfig(own, ['reader']).reader).toEqual({
    DATABASE_READER_URL: 'postgresql://reader@h/db',
  });
  expect(loadConfig(complete, ['reader']).reader.DATABASE_READER_URL).toBe(
    complete['DATABASE_URL'],
  );
  expect(loadConfig({ ...own, DATABASE_URL: '' }, ['reader'])).toBeDefined();
  expect(problems({}, ['reader'])).toEqual(['DATABASE_URL is missing']);
  expect(problems({ DATABASE_READER_URL: 'x' }, ['reader'])).toEqual([
    expect.stringContaining('DATABASE_READER_URL must be a postgresql:// URL'),
  ]);
});

test('each group knows its secrets', () => {
  expect(groups.map((group) => secretsOf(group))).toEqual([
    [],
    ['ADMIN_API_KEY', 'WEBHOOK_KEY'],
    ['DATABASE_URL'],
    ['DATABASE_READER_URL'],
    ['DJANGO_API_KEY'],
    [],
    ['NOTIFY_SECRET'],
  ]);
});

test('a secret is held to the same rules as the variable that refers to it', () => {
  const problem = problemWithSecret('production');
  expect(problem('DATABASE_URL', 'postgresql://u:p@h/db')).toBeUndefined();
  expect(problem('DATABASE_URL', 'hunter2')).toMatch(/^must be a postgresql:.. URL;/);
  expect(problem('ADMIN_API_KEY', 'short')).toMatch(/^is too short/);
  expect(problem('ADMIN_API_KEY', longKey)).toBeUndefined();
  expect(problem('DJANGO_API_KEY', '')).toBe('is empty');
  expect(problem('DJANGO_API_KEY', 'sm://p/other')).toBe('is itself a reference');
  expect(problem('DJANGO_API_KEY', 'two\nlines')).toMatch(/^must be printable ASCII/);
  expect(problem('NOTIFY_SECRET', 'not base64')).toBe('must be whsec_ followed by base64');
  expect(problem('NOTIFY_SECRET', 'whsec_AAECAwQFBgc=')).toBeUndefined();
  expect(problemWithSecret('test')('ADMIN_API_KEY', 'short')).toBeUndefined();
});
