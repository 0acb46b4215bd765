import { membersFrom } from '../../../local/start/environment.ts';
import { startSettings } from '../../../local/start/settings.ts';

const DATABASE_URL = 'postgresql://u:secret@db.example/members';
const register = { DJANGO_BASE_URL: 'https://register.example', DJANGO_API_KEY: 'k' };

test.each([
  ['50,000', 50_000],
  ['50.000', 50_000],
  ['1,000,000', 1_000_000],
  ['50_000', 50_000],
  [' 7 ', 7],
  ['0', 0],
  ['', 2200],
  [undefined, 2200],
])('MEMBERS=%s is %s members', (MEMBERS, members) => {
  expect(membersFrom({ MEMBERS })).toBe(members);
});

test.each(['many', '-1', '1.5', '50,00', '1e3', '2000000'])('MEMBERS=%s is refused', (MEMBERS) => {
  expect(() => membersFrom({ MEMBERS })).toThrow('MEMBERS must be a whole number');
});

test('every problem is named at once, and no value is repeated', () => {
  const given = { DATABASE_URL: 'foo:secret', PORT: 'x', MEMBERS: 'y', SYNC_MAX_REMOVALS: 'z' };
  expect(() => startSettings(given, {})).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /DATABASE_URL is set and DJANGO_BASE_URL is not.*PORT must.*MEMBERS must.*DATABASE_URL must be a postgresql.*SYNC_MAX_REMOVALS must/s,
      ),
    }),
  );
  expect(() => startSettings(given, {})).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('secret') }),
  );
});

test('made-up members go into a given database only when --mock is said', () => {
  expect(() => startSettings({ DATABASE_URL }, {})).toThrow('made-up members would go into');
  expect(startSettings({ DATABASE_URL }, { mock: true })).toMatchObject({
    databaseUrl: DATABASE_URL,
    madeUpMembers: 2200,
  });
  expect(startSettings({ DATABASE_URL, ...register }, {})).toMatchObject({
    databaseUrl: DATABASE_URL,
    madeUpMembers: undefined,
  });
  expect(() => startSettings({ DATABASE_URL, ...register }, { mock: true })).toThrow(
    '--mock makes members up',
  );
});

test('what only the page of the admins needs is looked at as well', () => {
  expect(() => startSettings({ DJANGO_ADMIN_URL: 'x' }, {})).toThrow('DJANGO_ADMIN_URL');
});

test('an address that would be cut in its password is refused, and nothing of it is repeated', () => {
  const start = expect(() =>
    startSettings({ DATABASE_URL: 'postgresql://odd:p@SECRET/w@127.0.0.1/db', ...register }, {}),
  );
  start.toThrow(
    'DATABASE_URL must be a postgresql:// URL; in its user name and password write @ as %40',
  );
  start.not.toThrow(/SECRET|odd/);
});

test('a key without its register, and a name that is nearly ours, start no made-up register', () => {
  expect(() => startSettings({ DJANGO_API_KEY: 'k' }, {})).toThrow('DJANGO_BASE_URL is not');
  expect(() => startSettings({ SYNC_MAX_REMOVAL: '5' }, {})).toThrow('nearly SYNC_MAX_REMOVALS');
});

test('the flags for a given database need one', () => {
  for (const flag of ['mock', 'migrate', 'sync']) {
    expect(() => startSettings({}, { [flag]: true })).toThrow(`--${flag} is for a database`);
  }
});

test('an address in Secret Manager is none that can be looked at', () => {
  expect(() => startSettings({ DATABASE_URL: 'sm://p/s', ...register }, {})).toThrow(
    'DATABASE_URL is a reference to Secret Manager',
  );
});

test('no service elsewhere hears of a trial, and every call needs the key', () => {
  const notify = {
    NOTIFY_URLS: 'https://elections.example/hook',
    NOTIFY_SECRET: 'whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw',
  };
  const parts = { DATABASE_URL, ...register };
  const trial = startSettings({ ...notify, AUTH_MODE: 'iam' }, {}).environment(parts);
  expect(trial.values).toMatchObject({ NOTIFY_URLS: '', AUTH_MODE: 'key' });
  expect(trial.values.ADMIN_API_KEY).toMatch(/^local-[0-9a-f]{32}$/);
  expect(trial.notes).toEqual([
    expect.stringContaining('AUTH_MODE is key here'),
    expect.stringContaining('NOTIFY_URLS is left out'),
  ]);

  const local = { ...notify, NOTIFY_URLS: 'http://localhost:3000/hook, http://127.0.0.1:3001' };
  expect(startSettings(local, {}).environment(parts).values).toMatchObject(local);
  const real = { DATABASE_URL, ...register, ...notify, ADMIN_API_KEY: 'mine' };
  expect(startSettings(real, {}).environment({})).toMatchObject({
    values: { NOTIFY_URLS: notify.NOTIFY_URLS, ADMIN_API_KEY: 'mine' },
    notes: [],
  });
});
