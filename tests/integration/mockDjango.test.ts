import { generatePeople } from '../../local/mockDjango/people.ts';
import { startDjango } from '../support/django.ts';

interface Body {
  count?: number;
  next?: string | null;
  links?: { next: string | null };
  results?: { id: number; [field: string]: unknown }[];
  detail?: string;
}

const headers = { Authorization: 'Bearer mock-django-key' };

async function get(url: string, extra: RequestInit = {}) {
  const response = await fetch(url, { headers, redirect: 'manual', ...extra });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson ? JSON.parse(text) : {}) as Body,
  };
}

async function walk(
  first: string,
  onPage: () => void = () => {},
): Promise<{ ids: number[]; counts: unknown[] }> {
  const ids: number[] = [];
  const counts: unknown[] = [];
  for (let url: string | null | undefined = first; url; ) {
    const { body } = await get(url);
    ids.push(...(body.results ?? []).map(({ id }) => id));
    counts.push(body.count);
    url = body.next;
    onPage();
  }
  return { ids, counts };
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

test.each(['page-number', 'limit-offset', 'cursor'] as const)(
  'a %s list is walked by its next links, each member once',
  async (pagination) => {
    const mock = await startDjango({ pagination, pageSize: 10 });
    const { ids, counts } = await walk(`${mock.url}/api/members/`);
    expect(ids).toEqual(range(1, 35));
    expect(counts).toEqual(Array(4).fill(pagination === 'cursor' ? undefined : 35));
  },
);

test('a member deleted and another added during the walk hide a third, and every count agrees', async () => {
  const mock = await startDjango({ pageSize: 10 });
  mock.behaviour.onRequest = (_, n) => {
    if (n !== 2) return;
    mock.members.remove(3);
    mock.members.add();
  };
  const { ids, counts } = await walk(`${mock.url}/api/members/`);
  expect(counts).toEqual([35, 35, 35, 35]);
  expect(ids).toHaveLength(35);
  expect(ids).not.toContain(11);
});

test('a page past the end is 404 by number, and empty by offset', async () => {
  const mock = await startDjango({ pageSize: 10 });
  const list = `${mock.url}/api/members/`;
  expect(await get(`${list}?page=5`)).toMatchObject({
    status: 404,
    body: { detail: 'Invalid page.' },
  });
  mock.behaviour.pagination = 'limit-offset';
  expect((await get(`${list}?offset=900`)).body).toMatchObject({
    results: [],
    next: null,
    count: 35,
  });
  mock.behaviour.pagination = 'cursor';
  expect(await get(`${list}?cursor=nonsense`)).toMatchObject({
    status: 404,
    body: { detail: 'Invalid cursor' },
  });
});

test('a page size above the limit is cut, a bad one and an unknown parameter are ignored', async () => {
  const mock = await startDjango({ pageSize: 10, maxPageSize: 20 });
  const sizeOf = async (query: string) =>
    (await get(`${mock.url}/api/members/?${query}`)).body.results?.length;
  expect(await sizeOf('page_size=1000')).toBe(20);
  expect(await sizeOf('page_size=0')).toBe(10);
  expect(await sizeOf('page_size=many&ssn=1')).toBe(10);
});

test('next names the host of the request, or the one it is told to, and keeps the other parameters', async () => {
  const mock = await startDjango({ pageSize: 10 });
  const list = `${mock.url}/api/members/?page_size=10&b=2`;
  expect((await get(list)).body.next).toBe(`${mock.url}/api/members/?b=2&page=2&page_size=10`);
  mock.behaviour.nextOrigin = 'http://internal:8000';
  mock.behaviour.nestedLinks = true;
  expect((await get(list)).body.links?.next).toBe(
    'http://internal:8000/api/members/?b=2&page=2&page_size=10',
  );
});

test('another scheme is an anonymous call, a wrong key is refused', async () => {
  const mock = await startDjango();
  const call = (authorization: string) =>
    get(`${mock.url}/api/members/`, { headers: { Authorization: authorization } });
  expect(await call('Token mock-django-key')).toMatchObject({ status: 401 });
  mock.behaviour.anonymous = 403;
  expect((await call('Token mock-django-key')).headers.get('www-authenticate')).toBeNull();
  mock.behaviour.anonymous = 'empty';
  expect(await call('Token mock-django-key')).toMatchObject({
    status: 200,
    body: { count: 0, results: [] },
  });
  expect(await call('Bearer wrong')).toMatchObject({
    status: 401,
    body: { detail: 'Invalid token.' },
  });
});

test('a path without its slash is redirected, a detail page answers by id, and a browser gets HTML', async () => {
  const mock = await startDjango({ shape: 'organisation' });
  const redirect = await get(`${mock.url}/api/members?page=2`);
  expect([redirect.status, redirect.headers.get('location')]).toEqual([
    301,
    '/api/members/?page=2',
  ]);
  const [person] = generatePeople(1);
  const { text } = await get(`${mock.url}/api/members/1/`);
  expect(JSON.parse(text)).toMatchObject({
    id: 1,
    ssn: person?.kennitala,
    contact_info: { email: person?.email },
  });
  expect(await get(`${mock.url}/api/members/99/`)).toMatchObject({
    status: 404,
    body: { detail: 'Not found.' },
  });
  const browser = { headers: { ...headers, Accept: 'text/html,application/json' } };
  expect((await get(`${mock.url}/api/members/`, browser)).headers.get('content-type')).toContain(
    'text/html',
  );
});

test('the filter on the time of change gives what changed since, soft-deleted members too', async () => {
  const mock = await startDjango({ modifiedParam: 'modified_since' });
  const since = encodeURIComponent(new Date(Date.now() - 1000).toISOString());
  mock.members.softDelete(4);
  mock.members.update(7, { email: null });
  const { body } = await get(`${mock.url}/api/members/?modified_since=${since}`);
  expect(body.results).toMatchObject([
    { id: 4, is_active: false, deleted_at: expect.stringMatching(/\.\d{6}Z$/) },
    { id: 7, email: null },
  ]);
});

test('it misbehaves as told, as often as told', async () => {
  const mock = await startDjango();
  const list = `${mock.url}/api/members/`;
  mock.misbehave({ kind: 'throttle', retryAfter: 3, times: 1 });
  mock.misbehave({ kind: 'truncate', times: 1 });
  mock.misbehave({ kind: 'reset', times: 1 });
  mock.misbehave({ kind: 'html', times: 1 });
  mock.misbehave({ kind: 'rewrite', body: (page: Body) => ({ ...page, count: 1 }), times: 1 });
  const throttled = await get(list);
  expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '3']);
  await expect(get(list)).rejects.toThrow();
  await expect(get(list)).rejects.toThrow();
  expect((await get(list)).headers.get('content-type')).toContain('text/html');
  expect((await get(list)).body.count).toBe(1);
  expect((await get(list)).body.count).toBe(35);
  expect(mock.requests.map(({ path }) => path)).toEqual(Array(6).fill('/api/members/'));
});

test('made-up people are the same every time, and no two share a kennitala', () => {
  const people = generatePeople(20_000);
  expect(generatePeople(20_000)).toEqual(people);
  expect(new Set(people.map(({ kennitala }) => kennitala)).size).toBe(20_000);
  expect(people.filter(({ kennitala }) => !/^\d{6}[01]\d{2}[90]$/.test(kennitala))).toEqual([]);
  expect(people.filter(({ kennitala }) => kennitala.startsWith('0')).length).toBeGreaterThan(5_000);
});
