import {
  clientFor,
  json,
  KEY,
  meeting,
  pageOf,
  people,
  person,
  queryOf,
  serve,
} from './support.ts';

describe('one member', () => {
  test('is asked for at the detail endpoint', async () => {
    const seen: (string | undefined)[] = [];
    const origin = await serve((request, response) => {
      seen.push(request.url, request.headers.authorization);
      json(response, person(7));
    });
    expect(await clientFor(origin).client.getMember('7')).toMatchObject({
      found: true,
      record: { kind: 'member', member: { externalId: '7', kennitala: '0000000007' } },
    });
    expect(seen).toEqual(['/api/members/7/', `Bearer ${KEY}`]);
  });

  test.each([404, 410])(
    'that is answered %d in the words of the API does not exist',
    async (status) => {
      const origin = await serve((_request, response) =>
        json(response, { detail: 'Fannst ekki.' }, status),
      );
      expect(await clientFor(origin).client.getMember('7')).toEqual({
        found: false,
        byApi: true,
        stale: false,
      });
    },
  );

  test.each([
    ['a page of HTML', 'text/html', '<h1>Not Found</h1>'],
    [
      'the JSON of a gateway',
      'application/json',
      '{"message":"no Route matched with those values"}',
    ],
    ['another JSON of a gateway', 'application/json', '{"error":{"code":404}}'],
    ['a detail that is no text', 'application/json', '{"detail":{"code":404}}'],
    ['a detail beside a title', 'application/json', '{"title":"Not Found","detail":"no route"}'],
    ['problem details', 'application/problem+json', '{"detail":"no route"}'],
    ['JSON that is none', 'application/json', '{"detail":'],
    ['nothing', 'application/json', ''],
    ['a list', 'application/json', '["detail"]'],
  ])('that is answered 404 with %s is unknown', async (_, type, body) => {
    const origin = await serve((_request, response) =>
      response.writeHead(404, { 'Content-Type': type }).end(body),
    );
    expect(await clientFor(origin).client.getMember('7')).toEqual({
      found: false,
      byApi: false,
      stale: false,
    });
  });

  test.each([
    '/login/?next=/api/members/7/',
    '/api/members/99999/',
    '/api/v2/members/7/',
    '/api/members/7/gone/',
  ])('that redirects to %s is unknown, whatever that address says', async (location) => {
    const asked: (string | undefined)[] = [];
    const origin = await serve((request, response) => {
      asked.push(request.url);
      if (request.url === '/api/members/7/') {
        return response.writeHead(302, { Location: location }).end('{"detail":"Not found."}');
      }
      json(response, { detail: 'Not found.' }, request.url === '/api/members/7' ? 500 : 404);
    });
    expect(await clientFor(origin).client.getMember('7')).toEqual({
      found: false,
      byApi: false,
      stale: false,
    });
    expect(new Set(asked)).toEqual(new Set(['/api/members/7/', '/api/members/7']));
  });

  test.each([
    ['/api/members/7/', '/api/members/7'],
    ['/api/members/7', '/api/members/7/'],
  ])('is followed from %s to %s, which is the same but for the slash', async (from, to) => {
    const origin = await serve((request, response) => {
      if (request.url === from) return response.writeHead(301, { Location: to }).end();
      json(
        response,
        request.url === to ? person(7) : { detail: 'No.' },
        request.url === to ? 200 : 404,
      );
    });
    expect(await clientFor(origin).client.getMember('7')).toMatchObject({ found: true });
  });

  test('is followed to the same address with fewer characters encoded', async () => {
    const origin = await serve((request, response) => {
      if (request.url?.includes('%3A')) {
        return response.writeHead(301, { Location: '/api/members/F:7' }).end();
      }
      json(response, { ...(person(7) as object), id: 'F:7' });
    });
    expect(await clientFor(origin).client.getMember('F:7')).toMatchObject({ found: true });
  });

  test.each([
    ['59', false],
    ['60', false],
    ['61', true],
    ['many', false],
  ])('is old news when a cache had it for %s seconds: %s', async (age, stale) => {
    const origin = await serve((request, response) => {
      const known = request.url?.startsWith('/api/members/7');
      response
        .writeHead(known ? 200 : 404, { 'Content-Type': 'application/json', Age: age })
        .end(JSON.stringify(known ? person(7) : { detail: 'Not found.' }));
    });
    const { client } = clientFor(origin);
    expect(await client.getMember('7')).toMatchObject({ found: true, stale });
    expect(await client.getMember('8')).toMatchObject({ found: false, stale });
  });

  describe('of a register', () => {
    // Answers at one of the two paths only, with a page of HTML at the other.
    const only = async (ending: string, other = 404) => {
      const seen: (string | undefined)[] = [];
      const origin = await serve((request, response) => {
        seen.push(request.url);
        const [, id, slash] = /^\/api\/members\/(\d+)(\/?)$/.exec(request.url ?? '') ?? [];
        if (slash !== ending) {
          return response.writeHead(other, { 'Content-Type': 'text/html' }).end('<h1>');
        }
        if (Number(id) > 10) return json(response, { detail: 'Not found.' }, 404);
        json(response, person(Number(id)));
      });
      return { client: clientFor(origin).client, seen };
    };

    test.each([
      ['with slashes', '/', 404],
      ['without slashes', '', 404],
      ['without slashes, with a page of HTML for every other path', '', 200],
    ])('%s is found, and from then on with one request', async (_, ending, other) => {
      const { client, seen } = await only(ending, other);
      expect(await client.getMember('7')).toMatchObject({ found: true });
      seen.length = 0;
      expect(await client.getMember('8')).toMatchObject({ found: true });
      expect(await client.getMember('11')).toMatchObject({ found: false, byApi: true });
      expect(seen).toEqual([`/api/members/8${ending}`, `/api/members/11${ending}`]);
    });

    test.each(['/', ''])(
      'is missing in its own words, whatever the other path says (%j)',
      async (ending) => {
        const { client } = await only(ending);
        expect(await client.getMember('11')).toMatchObject({ found: false, byApi: true });
      },
    );

    test('that fails is asked at one path only', async () => {
      let requests = 0;
      const origin = await serve((_request, response) => {
        requests += 1;
        json(response, {}, 500);
      });
      const { client } = clientFor(origin, { env: { DJANGO_MAX_RETRIES: '0' } });
      await expect(client.getMember('7')).rejects.toMatchObject({ status: 500 });
      expect(requests).toBe(1);
    });
  });

  test.each([
    [403, 'django_unauthorized'],
    [405, 'django_error'],
    [500, 'django_error'],
  ])('that is answered %d is unknown, which is an error', async (status, code) => {
    const origin = await serve((_request, response) => json(response, {}, status));
    const { client } = clientFor(origin);
    await expect(client.getMember('7')).rejects.toMatchObject({ code, path: '/api/members/7/' });
  });

  test('whose answer is a page of HTML is unknown, which is an error', async () => {
    const origin = await serve((_request, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'),
    );
    await expect(clientFor(origin).client.getMember('7')).rejects.toMatchObject({
      code: 'django_invalid_response',
    });
  });

  test('whose record cannot be read is found, with the rejection', async () => {
    const origin = await serve((_request, response) => json(response, { results: people(2) }));
    expect(await clientFor(origin).client.getMember('7')).toMatchObject({
      found: true,
      record: { kind: 'rejected', rejection: { code: 'invalid_id' } },
    });
  });

  test.each(['..', '120160-3389', 'anna@example.is'])(
    'by the id %j is not asked for',
    async (id) => {
      const { client } = clientFor('http://127.0.0.1:1');
      await expect(client.getMember(id)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.not.stringContaining(id),
      });
    },
  );

  test('many lookups at once keep to DJANGO_CONCURRENCY', async () => {
    const meter = meeting(2);
    const origin = await serve(async (_request, response) => {
      await meter.hold();
      json(response, person(1));
    });
    const { client } = clientFor(origin, { env: { DJANGO_CONCURRENCY: '2' } });
    await Promise.all(people(20).map(({ id }) => client.getMember(String(id))));
    expect(meter.most).toBe(2);
  });
});

describe('the health check', () => {
  test.each([
    [401, true],
    [403, true],
    [404, false],
    [200, false],
  ])('without a key the register answers %d: refusesAnonymous is %s', async (status, refuses) => {
    const sizes: (string | null)[] = [];
    const origin = await serve((request, response) => {
      sizes.push(queryOf(request).get('page_size'));
      if (!request.headers.authorization) return json(response, { results: [] }, status);
      json(response, pageOf('page-number', people(35), queryOf(request)));
    });
    const health = await clientFor(origin).client.healthCheck();
    expect(health).toEqual({
      ok: true,
      latencyMs: expect.any(Number),
      count: 35,
      refusesAnonymous: refuses,
    });
    expect(sizes).toEqual(['1', '1']);
  });

  test('a login page for strangers is no proof that they are refused', async () => {
    const origin = await serve((request, response) => {
      if (request.headers.authorization) return json(response, people(1));
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<form>');
    });
    expect(await clientFor(origin).client.healthCheck()).toMatchObject({
      count: undefined,
      refusesAnonymous: false,
    });
  });

  test('fails with the usual errors', async () => {
    const refusing = await serve((_request, response) => json(response, {}, 401));
    await expect(clientFor(refusing).client.healthCheck()).rejects.toMatchObject({
      code: 'django_unauthorized',
    });
    const failing = await serve((request, response) =>
      json(response, [], request.headers.authorization ? 200 : 500),
    );
    await expect(clientFor(failing).client.healthCheck()).rejects.toMatchObject({
      code: 'django_error',
    });
  });
});
