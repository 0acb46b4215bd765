import { createLog } from '../../lib/log.ts';
import { crc32c } from '../../lib/secretManager.ts';
import { isSecretReference, openCredential, secretVersionName } from '../../lib/secrets.ts';

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
  return {
    fetch,
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
  await expect(credential.refresh()).resolves.toBeUndefined();
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

test('a rotated secret is found by a refresh', async () => {
  const { credential } = open(['old', 'new']);
  await credential.get();
  await expect(credential.refresh()).resolves.toBe('new');
  await expect(credential.get()).resolves.toBe('new');
  await expect(credential.refresh()).resolves.toBeUndefined();
});

test('a refresh that fails leaves the value in place', async () => {
  const { credential } = open(['old', new Error('down')]);
  await credential.get();
  await expect(credential.refresh()).rejects.toMatchObject({ code: 'secrets_unavailable' });
  await expect(credential.get()).resolves.toBe('old');
});
