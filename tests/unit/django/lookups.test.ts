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

  test.each([
    ['JSON', 'application/json', '{"detail":"Not found."}'],
    ['HTML', 'text/html', '<h1>Not Found</h1>'],
  ])('that is answered 404 in %s does not exist, asked for once', async (_, type, body) => {
    let requests = 0;
    const origin = await serve((_request, response) => {
      requests += 1;
      response.writeHead(404, { 'Content-Type': type }).end(body);
    });
    expect(await clientFor(origin).client.getMember('7')).toEqual({
      found: false,
      byApi: type === 'application/json',
    });
    expect(requests).toBe(1);
  });

  test.each([
    [403, 'django_unauthorized'],
    [410, 'django_error'],
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

  test('whose id fits in no path is not asked for', async () => {
    const { client } = clientFor('http://127.0.0.1:1');
    await expect(client.getMember('..')).rejects.toMatchObject({ code: 'invalid_request' });
  });

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
