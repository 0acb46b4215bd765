import type { MembersPage } from '../../../lib/django/types.ts';
import { SyncError } from '../../../lib/errors.ts';
import { until } from '../../support/until.ts';
import {
  clientFor,
  collect,
  idsOf,
  json,
  type Kind,
  meeting,
  pageOf,
  people,
  person,
  queryOf,
  roundTrips,
  serve,
} from './support.ts';

const env = { DJANGO_PAGE_SIZE: '500' };
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('every kind of list is read completely:', () => {
  test.each([
    ['page-number', 4],
    ['limit-offset', 4],
    ['cursor', undefined],
  ] as const)('%s, although the server cuts page_size', async (kind, pagesTotal) => {
    const origin = await serve((request, response) =>
      json(response, pageOf(kind, people(35), queryOf(request))),
    );
    const pages = await collect(clientFor(origin, { env }).client.getMembers());
    expect(idsOf(pages)).toEqual(upTo(35));
    expect(pages.map((page) => page.index).sort()).toEqual([0, 1, 2, 3]);
    for (const page of pages) {
      expect(page).toMatchObject({
        pagination: kind,
        pagesTotal,
        count: kind === 'cursor' ? undefined : 35,
        rows: page.index === 3 ? 5 : 10,
        retries: 0,
        serverDate: expect.any(Date),
      });
    }
  });

  test.each([
    ['a bare array', people(3)],
    ['results without next', { results: people(3) }],
    ['members', { members: people(3) }],
  ])('%s', async (_, body) => {
    const origin = await serve((_request, response) => json(response, body));
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(pages).toHaveLength(1);
    expect(pages[0]).toMatchObject({ index: 0, pagination: 'single-page', pagesTotal: 1, rows: 3 });
    expect(idsOf(pages)).toEqual([1, 2, 3]);
  });

  test('a bare array with Link and X-Total-Count', async () => {
    const origin = await serve((request, response) => {
      const { results, next, count } = pageOf('page-number', people(35), queryOf(request)) as {
        results: unknown;
        next: string | null;
        count: number;
      };
      response.setHeader('X-Total-Count', count);
      if (next) response.setHeader('Link', `<${next}>; rel="next"`);
      json(response, results);
    });
    const pages = await collect(clientFor(origin, { env }).client.getMembers());
    expect(idsOf(pages)).toEqual(upTo(35));
    expect(pages[0]).toMatchObject({ pagination: 'page-number', count: 35 });
  });

  test.each([
    ['by page', (query: URLSearchParams) => Number(query.get('page') ?? 1) * 10 - 10],
    ['by offset', (query: URLSearchParams) => Number(query.get('offset') ?? 0)],
  ])('a bare array that is the first page %s is found out', async (_, from) => {
    const origin = await serve((request, response) => {
      const start = from(queryOf(request));
      json(response, people(35).slice(start, start + 10));
    });
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(pages).toMatchObject([{ rows: 10, isOpen: true }]);
  });

  test.each<[string, (rows: unknown[]) => unknown]>([
    ['in another order each time', (rows) => rows.toReversed()],
    ['in another order, in an envelope', (rows) => ({ members: rows.toReversed() })],
    ['with its first row at the end', (rows) => [...rows.slice(1), rows[0]]],
    ['without somebody who has just left', (rows) => rows.slice(1)],
    ['with records that name nobody', (rows) => [{ name: 'Nafnlaus' }, ...rows.toReversed()]],
  ])('a whole list that comes again %s is whole', async (_, again) => {
    const nameless = _.includes('nobody') ? [{ name: 'Nafnlaus' }] : [];
    const origin = await serve((request, response) => {
      const rows = [...nameless, ...people(12)];
      json(response, queryOf(request).has('page') ? again(people(12)) : rows);
    });
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(pages).toMatchObject([{ rows: 12 + nameless.length, isOpen: false }]);
  });

  test.each<[string, unknown[]]>([
    ['one other person', [...people(12).slice(5), person(99)]],
    ['records that name nobody', [{ name: 'Nafnlaus' }]],
  ])('a bare array is no whole list where its second page has %s', async (_, second) => {
    const origin = await serve((request, response) =>
      json(response, queryOf(request).has('page') ? second : people(12)),
    );
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(pages).toMatchObject([{ rows: 12, isOpen: true }]);
  });

  test.each([
    ['shows all whatever it is asked', 200],
    ['has no second page', 404],
    ['does not know the word', 400],
    ['fails', 500],
  ])('a bare array whose server %s is whole', async (_, status) => {
    const origin = await serve((request, response) => {
      if (queryOf(request).has('page')) response.statusCode = status;
      json(response, people(10));
    });
    const env = { DJANGO_MAX_RETRIES: '0' };
    const pages = await collect(clientFor(origin, { env }).client.getMembers());
    expect(pages).toMatchObject([{ rows: 10, isOpen: false }]);
  });

  test('nested links', async () => {
    const origin = await serve((request, response) => {
      const { next, ...page } = pageOf('page-number', people(25), queryOf(request)) as {
        next: string | null;
      };
      json(response, { ...page, links: { next } });
    });
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(idsOf(pages)).toEqual(upTo(25));
  });

  test('page numbers without a count, one after the other', async () => {
    const origin = await serve((request, response) =>
      json(response, {
        ...(pageOf('page-number', people(25), queryOf(request)) as object),
        count: null,
      }),
    );
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(idsOf(pages)).toEqual(upTo(25));
    expect(pages[2]).toMatchObject({ pagination: 'page-number', pagesTotal: undefined });
  });

  test('an empty one', async () => {
    const origin = await serve((_request, response) =>
      json(response, { count: 0, next: null, results: [] }),
    );
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(pages).toMatchObject([{ rows: 0, count: 0, pagesTotal: 1 }]);
  });
});

test('records are sorted into members, rejections, warnings and exclusions', async () => {
  const [good, warned, bad, excluded, unnamed] = people(5);
  const rows = [
    good,
    { ...warned, email: 'none' },
    { ...bad, kennitala: null },
    { ...excluded, kennitala: '9999000001' },
    { ...unnamed, id: null, kennitala: '9999000002' },
  ];
  const origin = await serve((_request, response) => json(response, rows));
  const { client } = clientFor(origin, { env: { DJANGO_EXCLUDE_KENNITALA: '^9999' } });
  const [page] = await collect(client.getMembers());
  expect(page).toMatchObject({
    rows: 5,
    members: [{ externalId: '1' }, { externalId: '2' }],
    warnings: [{ externalId: '2', field: 'email' }],
    rejections: [{ code: 'invalid_kennitala', externalId: '3' }],
    excluded: ['4', ''],
  });
});

test('the page size goes with every request, whatever the links say', async () => {
  const seen: (string | null)[] = [];
  const origin = await serve((request, response) => {
    seen.push(queryOf(request).get('page_size'));
    const page = pageOf('page-number', people(35), queryOf(request)) as { next: string | null };
    json(response, { ...page, next: page.next?.replace('page_size=500', 'page_size=7') ?? null });
  });
  await collect(clientFor(origin, { env }).client.getMembers());
  expect(seen).toEqual(['500', '500', '500', '500']);
});

describe('asking for changes', () => {
  test.each(['page-number', 'limit-offset', 'cursor'] as Kind[])(
    'sends the time with every page of a %s list',
    async (kind) => {
      const seen: (string | null)[] = [];
      const origin = await serve((request, response) => {
        const query = queryOf(request);
        seen.push(query.get('modified_since'));
        // A server that forgets the filter in its links.
        query.delete('modified_since');
        json(response, pageOf(kind, people(25), query));
      });
      const { client } = clientFor(origin, {
        env: { DJANGO_MODIFIED_SINCE_PARAM: 'modified_since' },
      });
      const pages = await collect(client.getMembersModifiedSince(new Date(0)));
      expect(idsOf(pages)).toEqual(upTo(25));
      expect(seen).toEqual(Array(3).fill('1970-01-01T00:00:00.000Z'));
    },
  );

  test('is refused where the parameter is not configured', async () => {
    const { client } = clientFor('http://127.0.0.1:1');
    await expect(collect(client.getMembersModifiedSince(new Date()))).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/DJANGO_MODIFIED_SINCE_PARAM/),
    });
  });
});

describe('a list that changes while it is walked has to be read again:', () => {
  const listChanged = { name: 'DjangoListChangedError', code: 'django_invalid_response' };

  test.each([
    ['page-number', 'a page is gone', (): [unknown, number] => [{ detail: 'Invalid page.' }, 404]],
    ['limit-offset', 'a page is empty', () => [{ count: 30, next: null, results: [] }, 200]],
    [
      'limit-offset',
      'a page is empty but has a next link',
      () => [{ count: 35, next: '?offset=50', results: [] }, 200],
    ],
    ['cursor', 'the cursor is no longer valid', () => [{ detail: 'Invalid cursor' }, 404]],
  ] as [Kind, string, () => [unknown, number]][])('%s: %s', async (kind, _, answer) => {
    let requests = 0;
    const origin = await serve((request, response) => {
      requests += 1;
      if (requests === 1) return json(response, pageOf(kind, people(35), queryOf(request)));
      const [body, status] = answer();
      json(response, body, status);
    });
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject(listChanged);
  });

  test('a page in the middle says that it is the last', async () => {
    const origin = await serve((request, response) => {
      const page = queryOf(request).get('page');
      json(response, {
        ...(pageOf('page-number', people(35), queryOf(request)) as object),
        ...(page === '2' && { next: null }),
      });
    });
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject(listChanged);
  });

  test('the last page has become empty', async () => {
    const origin = await serve((request, response) => {
      const rows = queryOf(request).has('offset') ? people(20) : people(21);
      json(response, pageOf('limit-offset', rows, queryOf(request)));
    });
    const env = { DJANGO_CONCURRENCY: '1' };
    await expect(collect(clientFor(origin, { env }).client.getMembers())).rejects.toMatchObject(
      listChanged,
    );
  });

  test('a cursor list ends with an empty page', async () => {
    const origin = await serve((request, response) => {
      const rows = queryOf(request).has('cursor') ? people(10) : people(11);
      json(response, pageOf('cursor', rows, queryOf(request)));
    });
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject(listChanged);
  });

  test.each(['page-number', 'limit-offset', 'cursor'] as Kind[])(
    'a page of a %s list does not say what follows',
    async (kind) => {
      const origin = await serve((request, response) => {
        const query = queryOf(request);
        const page = pageOf(kind, people(15), query) as { next?: unknown };
        if (!page.next) delete page.next;
        json(response, page);
      });
      await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject(
        listChanged,
      );
    },
  );

  test('but a list that has grown is read to its new end', async () => {
    const origin = await serve((request, response) => {
      const rows = queryOf(request).has('page') ? people(55) : people(35);
      json(response, pageOf('page-number', rows, queryOf(request)));
    });
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(idsOf(pages)).toEqual(upTo(55));
    expect(pages.at(-1)).toMatchObject({ index: 5, pagesTotal: 6, count: 55 });
    expect(pages.at(-2)).toMatchObject({ index: 4, pagesTotal: 6 });
  });
});

describe('links that lead nowhere are refused:', () => {
  const refused = { name: 'DjangoShapeError', code: 'django_invalid_response' };
  const walk = async (next: (request: URLSearchParams) => unknown, count?: number) => {
    const origin = await serve((request, response) =>
      json(response, { count, next: next(queryOf(request)), results: people(2) }),
    );
    return collect(clientFor(origin).client.getMembers());
  };

  test('a link to the same page', async () => {
    await expect(walk((query) => `?${query}`)).rejects.toMatchObject(refused);
  });
  test('links in a circle', async () => {
    const next = (query: URLSearchParams) =>
      `?cursor=${{ a: 'b', b: 'c' }[query.get('cursor') ?? ''] ?? 'a'}`;
    await expect(walk(next)).rejects.toMatchObject(refused);
  });
  test('links without end, far beyond the count', async () => {
    const next = (query: URLSearchParams) => `?page=${Number(query.get('page') ?? 1) + 1}`;
    await expect(walk(next, 6)).rejects.toMatchObject(refused);
  });
  test('a count beyond all measure', async () => {
    await expect(walk(() => '?page=2', 1e12)).rejects.toMatchObject(refused);
  });
  test('a link that is none', async () => {
    await expect(walk(() => 'http://[')).rejects.toMatchObject(refused);
  });
  test('a first page that is empty and yet has a next', async () => {
    const origin = await serve((_request, response) =>
      json(response, { next: '?page=2', results: [] }),
    );
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject(refused);
  });
});

describe('the walk is bounded:', () => {
  test.each(['1', '3'])('at most DJANGO_CONCURRENCY=%s requests at once', async (concurrency) => {
    const meter = meeting(Number(concurrency));
    const origin = await serve(async (request, response) => {
      // The first page comes alone.
      if (queryOf(request).has('page')) await meter.hold();
      json(response, pageOf('page-number', people(200), queryOf(request)));
    });
    const env = { DJANGO_CONCURRENCY: concurrency };
    const pages = await collect(clientFor(origin, { env }).client.getMembers());
    expect(idsOf(pages)).toEqual(upTo(200));
    expect(meter.most).toBe(Number(concurrency));
  });

  test.each([
    ['page-number', 1 + 3 + 1],
    ['cursor', 2],
  ] as [Kind, number][])(
    'a consumer that stops taking pages of a %s list stops the fetching',
    async (kind, most) => {
      let requests = 0;
      const origin = await serve((request, response) => {
        requests += 1;
        json(response, pageOf(kind, people(500), queryOf(request)));
      });
      const env = { DJANGO_CONCURRENCY: '3' };
      const pages = clientFor(origin, { env }).client.getMembers();
      await pages.next();
      await until(() => requests > 1);
      await roundTrips();
      expect(requests).toBeLessThanOrEqual(most);
      await pages.return(undefined);
    },
  );

  test('pages come as they arrive, each with its place in the walk', async () => {
    const others = Promise.withResolvers<void>();
    const origin = await serve(async (request, response) => {
      if (queryOf(request).get('page') === '2') await others.promise;
      json(response, pageOf('page-number', people(40), queryOf(request)));
    });
    const pages: MembersPage[] = [];
    for await (const page of clientFor(origin).client.getMembers()) {
      pages.push(page);
      if (pages.length === 3) others.resolve();
    }
    expect(pages.map((page) => page.index).at(-1)).toBe(1);
    expect(idsOf(pages)).toEqual(upTo(40));
  });
});

describe('a walk that ends early leaves no request behind:', () => {
  // Answers the first page; the others stay open until the client gives up.
  async function slowRegister(kind: Kind) {
    const cut: Promise<unknown>[] = [];
    const origin = await serve((request, response) => {
      const query = queryOf(request);
      if (!query.has('page') && !query.has('cursor')) {
        return json(response, pageOf(kind, people(40), query));
      }
      cut.push(new Promise((resolve) => response.on('close', resolve)));
    });
    return { origin, cut };
  }

  test.each(['page-number', 'cursor'] as Kind[])('the consumer leaves (%s)', async (kind) => {
    const { origin, cut } = await slowRegister(kind);
    for await (const _ of clientFor(origin).client.getMembers()) {
      await until(() => cut.length > 0);
      break;
    }
    await Promise.all(cut);
  });

  test('one page fails', async () => {
    const cut: Promise<unknown>[] = [];
    const origin = await serve((request, response) => {
      const page = queryOf(request).get('page');
      if (!page) return json(response, pageOf('page-number', people(40), queryOf(request)));
      if (page === '3') return json(response, {}, 400);
      cut.push(new Promise((resolve) => response.on('close', resolve)));
    });
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject({
      code: 'django_error',
      status: 400,
    });
    await Promise.all(cut);
  });

  test('the signal aborts while pages are on their way', async () => {
    const { origin, cut } = await slowRegister('page-number');
    const abort = new AbortController();
    const reason = new SyncError('deadline_exceeded', 'over');
    const pages = clientFor(origin, { signal: abort.signal }).client.getMembers();
    await pages.next();
    const waiting = pages.next();
    await until(() => cut.length > 0);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await Promise.all(cut);
  });

  test('the signal aborts while the consumer has a page', async () => {
    let answered = 0;
    const origin = await serve((request, response) => {
      response.once('close', () => {
        answered += 1;
      });
      json(response, pageOf('page-number', people(40), queryOf(request)));
    });
    const abort = new AbortController();
    const pages = clientFor(origin, { signal: abort.signal }).client.getMembers();
    await pages.next();
    await until(() => answered === 4);
    const reason = new SyncError('interrupted', 'over');
    abort.abort(reason);
    await expect(pages.next()).rejects.toBe(reason);
  });

  test('the signal was aborted before', async () => {
    const reason = new SyncError('deadline_exceeded', 'over');
    const { client } = clientFor('http://127.0.0.1:1', { signal: AbortSignal.abort(reason) });
    await expect(collect(client.getMembers())).rejects.toBe(reason);
    await expect(client.getMember('1')).rejects.toBe(reason);
  });
});
