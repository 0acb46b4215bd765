import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../lib/log.ts';
import { crc32c } from '../../lib/secretManager.ts';
import { openCredential, secretNames, withRenewal } from '../../lib/secrets.ts';
import { isSecretReference, secretVersionName } from '../../lib/variables.ts';

const log = createLog('CRITICAL', () => {});
const reference = 'sm://p/django-key';

/** A Secret Manager that answers from a list; an Error in it is a failure. */
function open(
  answers: (string | Error)[],
  problemWith: () => string | undefined = () => undefined,
) {
  const fetch = jest.fn(async (_name: string) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (typeof answer === 'string') return answer;
    throw answer;
  });
  const lines: unknown[] = [];
  const log = createLog('INFO', (line) => lines.push(JSON.parse(line)));
  return {
    fetch,
    lines,
    credential: openCredential('DJANGO_API_KEY', reference, { fetch, problemWith, log }),
  };
}

test.each([
  ['s3cret', 2552768472],
  ['123456789', 0xe3069283],
  ['', 0],
])("the checksum of %j is Castagnoli's", (text, expected) => {
  expect(crc32c(Buffer.from(text))).toBe(expected);
});

test.each([
  ['sm://p/s', 'projects/p/secrets/s/versions/latest'],
  ['sm://p/s#7', 'projects/p/secrets/s/versions/7'],
  ['projects/p/secrets/s/versions/3', 'projects/p/secrets/s/versions/3'],
  [
    'projects/p/locations/europe-west2/secrets/s/versions/latest',
    'projects/p/locations/europe-west2/secrets/s/versions/latest',
  ],
])('%s is a reference', (given, expected) => {
  expect(isSecretReference(given)).toBe(true);
  expect(secretVersionName(given)).toBe(expected);
});

test.each(['', 'value', 'sm://p', 'sm://p/', 'sm://p/s#', 'sm://p/s/7', 'projects/p/secrets/s'])(
  '%j is no reference',
  (given) => {
    expect(isSecretReference(given)).toBe(false);
    expect(secretVersionName(given)).toBeUndefined();
  },
);

test('a plain value is what it is', async () => {
  const fetch = jest.fn();
  const sources = { fetch, problemWith: () => undefined, log };
  const credential = openCredential('ADMIN_API_KEY', 'plain', sources);
  await expect(credential.get()).resolves.toBe('plain');
  await expect(credential.renew('plain')).resolves.toBeUndefined();
  expect(fetch).not.toHaveBeenCalled();
});

test('fetching begins when the credential is opened, and happens once', async () => {
  const { fetch, credential } = open(['value']);
  expect(fetch).toHaveBeenCalledWith('projects/p/secrets/django-key/versions/latest');
  await expect(Promise.all([credential.get(), credential.get()])).resolves.toEqual([
    'value',
    'value',
  ]);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test.each(['value\n', 'value\r\n'])(
  'the line end that echo leaves in %j is not the value',
  async (given) => {
    await expect(open([given]).credential.get()).resolves.toBe('value');
  },
);

test('a failure names the secret, and the next to ask tries again', async () => {
  const { fetch, credential } = open([new Error('denied: value'), 'value']);
  await expect(credential.get()).rejects.toMatchObject({
    code: 'secrets_unavailable',
    message: 'The secret behind DJANGO_API_KEY cannot be used: it could not be read.',
  });
  await expect(credential.get()).resolves.toBe('value');
  expect(fetch).toHaveBeenCalledTimes(2);
});

test.each([
  { code: 5, words: 'there is no such secret or version' },
  { code: 7, words: 'roles/secretmanager.secretAccessor' },
  { code: 9, words: 'disabled or destroyed' },
  { code: undefined, message: 'Could not load the default credentials.', words: 'no credentials' },
  { code: undefined, message: 'no answer within 5 seconds', words: 'no answer within 5 seconds' },
])('the reason for a failure with code $code is told', async ({ code, message = '', words }) => {
  const { credential } = open([Object.assign(new Error(message), { code })]);
  await expect(credential.get()).rejects.toThrow(words);
});

test('a value that is not usable is a failure that says why', async () => {
  const { credential } = open(['bad-value'], () => 'is too short');
  await expect(credential.get()).rejects.toMatchObject({
    code: 'secrets_unavailable',
    message: 'The secret behind DJANGO_API_KEY cannot be used: the value it has is too short.',
  });
});

test('a rotated secret is found by a renewal', async () => {
  const { credential } = open(['old', 'new']);
  await credential.get();
  await expect(credential.renew('old')).resolves.toBe('new');
  await expect(credential.get()).resolves.toBe('new');
  await expect(credential.renew('new')).resolves.toBeUndefined();
});

test('those who are refused together share one renewal, and who comes later needs none', async () => {
  const { fetch, credential } = open(['old', 'new']);
  await credential.get();
  const renewals = [credential.renew('old'), credential.renew('old')];
  await expect(Promise.all(renewals)).resolves.toEqual(['new', 'new']);
  await expect(credential.renew('old')).resolves.toBe('new');
  expect(fetch).toHaveBeenCalledTimes(2);
});

test('a renewal that fails leaves the value in place, and is logged', async () => {
  const { credential, lines } = open(['old', new Error('down')]);
  await credential.get();
  await expect(credential.renew('old')).resolves.toBeUndefined();
  await expect(credential.get()).resolves.toBe('old');
  expect(lines.at(-1)).toMatchObject({ severity: 'WARNING', event: 'secret_not_refreshed' });
});

describe('a peer that refuses a credential', () => {
  const refused = new Error('refused');
  const takesOnly = (taken: string) =>
    jest.fn(async (value: string) => {
      if (value !== taken) throw refused;
      return 'welcome';
    });
  const thrown = (error: unknown) => error === refused;

  test('is called once more, with the new value', async () => {
    const call = takesOnly('new');
    const { credential } = open(['old', 'new']);
    await expect(withRenewal(credential, call, { thrown })).resolves.toBe('welcome');
    expect(call.mock.calls).toEqual([['old'], ['new']]);
  });

  test('by what it returns, too', async () => {
    const call = jest.fn(async (value: string) => (value === 'new' ? 200 : 401));
    const returned = (status: number) => status === 401;
    const { credential } = open(['old', 'new']);
    await expect(withRenewal(credential, call, { returned })).resolves.toBe(200);
    expect(call).toHaveBeenCalledTimes(2);
  });

  test('is not called again when there is no new value', async () => {
    const call = takesOnly('new');
    await expect(withRenewal(open(['old']).credential, call, { thrown })).rejects.toBe(refused);
    expect(call).toHaveBeenCalledTimes(1);
  });

  test('and refuses the new one as well has the last word', async () => {
    const call = takesOnly('newer');
    const { credential } = open(['old', 'new', 'newer']);
    await expect(withRenewal(credential, call, { thrown })).rejects.toBe(refused);
    expect(call).toHaveBeenCalledTimes(2);
  });

  test('for another reason is not asked again', async () => {
    const call = takesOnly('new');
    const { credential, fetch } = open(['old', 'new']);
    await expect(withRenewal(credential, call, { thrown: () => false })).rejects.toBe(refused);
    expect([call.mock.calls.length, fetch.mock.calls.length]).toEqual([1, 1]);
  });
});

test('the deployment knows the same secrets', () => {
  const settings = readFileSync(join(import.meta.dirname, '../../deploy/settings.sh'), 'utf8');
  const [, names = ''] = /SECRET_SETTINGS='([^']+)'/.exec(settings) ?? [];
  expect(names.split(' ')).toEqual(secretNames);
});
