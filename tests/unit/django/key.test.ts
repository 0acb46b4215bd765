import type { Credential } from '../../../lib/secrets.ts';
import { clientFor, collect, json, pageOf, people, queryOf, serve } from './support.ts';

/** A credential whose value changes at each renewal as long as there are more values. */
function rotating(...values: string[]): Credential & { renewals: number } {
  let current = values[0] ?? '';
  const credential = {
    renewals: 0,
    get: async () => current,
    renew: async (refused: string) => {
      if (current !== refused) return current;
      credential.renewals += 1;
      current = values[credential.renewals] ?? current;
      return current === refused ? undefined : current;
    },
  };
  return credential;
}

/** A register that knows only the key "new", and how often it was asked. */
async function register(refusal = 401) {
  const counted = { requests: 0 };
  const origin = await serve((request, response) => {
    counted.requests += 1;
    if (request.headers.authorization !== 'Bearer new') return json(response, {}, refusal);
    json(response, pageOf('page-number', people(40), queryOf(request)));
  });
  return { origin, counted };
}

test.each([401, 403])(
  'a key refused with %d is fetched anew, and the new one used',
  async (status) => {
    const key = rotating('old', 'new');
    const { client } = clientFor((await register(status)).origin, { key });
    expect(await collect(client.getMembers())).toHaveLength(4);
    expect(key.renewals).toBe(1);
  },
);

test('it is fetched anew once for all parallel requests', async () => {
  const key = rotating('old', 'new');
  const { client } = clientFor((await register()).origin, { key });
  await Promise.all(people(20).map(({ id }) => client.getMember(String(id))));
  expect(key.renewals).toBe(1);
});

test('a key that has not changed is an error', async () => {
  const key = rotating('old');
  const { origin, counted } = await register();
  await expect(collect(clientFor(origin, { key }).client.getMembers())).rejects.toMatchObject({
    code: 'django_unauthorized',
  });
  expect([key.renewals, counted.requests]).toEqual([1, 1]);
});

test('a key whose successor is refused too is an error', async () => {
  const key = rotating('old', 'older', 'new');
  const { origin, counted } = await register();
  await expect(collect(clientFor(origin, { key }).client.getMembers())).rejects.toMatchObject({
    code: 'django_unauthorized',
  });
  expect([key.renewals, counted.requests]).toEqual([1, 2]);
});

test('a key that cannot be read fails with its own error', async () => {
  const key: Credential = {
    get: () => Promise.reject(new Error('unavailable')),
    renew: async () => undefined,
  };
  const { client } = clientFor('http://127.0.0.1:1', { key });
  await expect(collect(client.getMembers())).rejects.toThrow('unavailable');
});

test('a call without the key does not fetch it anew', async () => {
  const key = rotating('new', 'newer');
  const { client } = clientFor((await register()).origin, { key });
  expect(await client.healthCheck()).toMatchObject({ refusesAnonymous: true });
  expect(key.renewals).toBe(0);
});
