import { readPageBody } from '../../../lib/django/page.ts';
import type { ListHeaders } from '../../../lib/django/pagination.ts';
import { MOST_PAGES, recognisePagination } from '../../../lib/django/pagination.ts';

const recognise = (length: number, count: number | undefined, next?: string) =>
  recognisePagination(
    { rows: length, count },
    next === undefined ? undefined : new URLSearchParams(next),
    '/api/members',
  );

describe('the kind of a list is recognised from its first page:', () => {
  test.each([
    ['no next link: one page', 10, 10, undefined, 'single-page', undefined],
    ['page=2', 10, 35, 'page=2', 'page-number', 4],
    ['page=2 under another name', 10, 35, 's%C3%AD%C3%B0a=2', 'page-number', 4],
    ['page=2 without a count', 10, undefined, 'page=2', 'page-number', undefined],
    ['pages counted from 0', 10, 35, 'page=1', 'page-number', undefined],
    ['page=2 of two rows', 2, 5, 'page=2', 'page-number', 3],
    ['offset=2 after two rows', 2, 5, 'offset=2', 'limit-offset', 3],
    ['limit and offset', 10, 35, 'limit=10&offset=10', 'limit-offset', 4],
    ['limit and offset after two rows', 2, 5, 'limit=2&offset=2', 'limit-offset', 3],
    ['an offset alone', 10, 35, 'start=10', 'limit-offset', 4],
    ['what may be the id of the last row', 10, 35, 'after=10', 'page-number', undefined],
    ['what may be the id of the second row', 2, 5, 'after=2', 'page-number', undefined],
    ['a limit that was cut', 10, 35, 'max=100&skip=10', 'limit-offset', 4],
    ['two numbers nobody can tell apart', 10, 35, 'a=10&b=10', 'limit-offset', undefined],
    ['three numbers', 10, 35, 'a=10&b=10&offset=10', 'limit-offset', undefined],
    [
      'limit and offset without a count',
      10,
      undefined,
      'limit=10&offset=10',
      'limit-offset',
      undefined,
    ],
    ['a cursor', 10, undefined, 'cursor=cD0xMA%3D%3D', 'cursor', undefined],
    ['a cursor with a count', 10, 35, 'cursor=cD0xMA%3D%3D', 'cursor', undefined],
    ['a cursor that looks like a number', 10, undefined, 'cursor=10', 'cursor', undefined],
    ['an opaque parameter of any name', 10, 35, 'after=abc', 'cursor', undefined],
    ['a text beside a limit', 10, 35, 'after=abc&limit=10', 'cursor', undefined],
    ['a page beside a constant', 10, 35, 'format=json&page=2', 'page-number', undefined],
    ['an offset beside a constant', 10, 35, 'format=json&offset=10', 'limit-offset', undefined],
    ['a next link although all are counted', 10, 10, 'page=2', 'page-number', undefined],
  ])('%s', (_, length, count, next, pagination, pages) => {
    expect(recognise(length, count, next)).toMatchObject({ pagination, pages });
  });
});

test('pages are asked for by number from what the first link says', () => {
  expect(recognise(10, 35, 'page=2').queryOf(3).toString()).toBe('page=4');
  expect(recognise(10, 35, 'limit=10&offset=10').queryOf(3).toString()).toBe('limit=10&offset=30');
  expect(recognise(10, 10).queryOf(0).toString()).toBe('');
});

test('a count that needs absurdly many pages is refused', () => {
  expect(recognise(1, MOST_PAGES, 'page=2').pages).toBe(MOST_PAGES);
  expect(() => recognise(1, MOST_PAGES + 1, 'page=2')).toThrow(
    expect.objectContaining({ name: 'DjangoShapeError', code: 'django_invalid_response' }),
  );
});

describe('a page is read from', () => {
  test.each([
    ['a bare array', [1], { rows: [1], count: undefined, next: undefined }],
    ['results', { results: [1] }, { rows: [1], count: undefined, next: undefined }],
    ['members', { members: [] }, { rows: [], count: undefined, next: undefined }],
    [
      'a page of Django REST framework',
      { count: 3, next: 'http://x/?page=2', previous: null, results: [1] },
      { rows: [1], count: 3, next: 'http://x/?page=2' },
    ],
    [
      'the last page',
      { count: 1, next: null, results: [1] },
      { rows: [1], count: 1, next: undefined },
    ],
    [
      'nested links',
      { links: { next: '?page=2', previous: null }, count: 3, results: [1] },
      { rows: [1], count: 3, next: '?page=2' },
    ],
    [
      'nested links at their end',
      { links: { next: null }, results: [] },
      { rows: [], next: undefined },
    ],
    ['an unknown count', { count: null, results: [] }, { rows: [], count: undefined }],
    ['an empty link', { next: '', results: [] }, { rows: [], next: undefined }],
    ['a total', { total: 205, page: 1, results: [1] }, { count: 205, next: undefined }],
    [
      'what stands in an envelope',
      { meta: { totalCount: 205, next: '/m/?page=2' }, results: [1] },
      { count: 205, next: '/m/?page=2', saysNext: true },
    ],
    [
      'links with a rel',
      {
        links: [
          { rel: 'self', href: '/' },
          { rel: 'next', href: '/m/?page=2' },
        ],
        results: [1],
      },
      { next: '/m/?page=2' },
    ],
    ['HAL', { _links: { next: { href: '?page=2' } }, results: [1] }, { next: '?page=2' }],
    ['another name', { next_page_url: '?page=2', results: [1] }, { next: '?page=2' }],
    [
      'its end in other words',
      { has_more: false, total_pages: 3, results: [1] },
      { next: undefined, saysNext: true },
    ],
    ['printed pages', { pages: 12, results: [1] }, { next: undefined }],
    [
      'an end with a position of its own',
      { has_more: 'false', next_cursor: 'abc', results: [1] },
      { next: undefined, saysNext: true },
    ],
    [
      'the last of several pages',
      { next: null, pages: 3, results: [1] },
      { next: undefined, saysNext: true },
    ],
  ])('%s', (_, body, expected) => expect(readPageBody(body, '/p')).toMatchObject(expected));

  test.each([
    ['null', null],
    ['text', 'x'],
    ['an object without a list', { detail: 'x' }],
    ['results that are no list', { results: {} }],
    ['a negative count', { count: -1, results: [] }],
    ['a count of text', { count: '35', results: [] }],
    ['a count that is no whole number', { count: 1.5, results: [] }],
    ['a next that is no text', { next: 2, results: [] }],
    ['a nested next that is no text', { links: { next: {} }, results: [] }],
    ['a page number without a link', { next_page: 2, total_pages: 3, results: [1] }],
    ['more, without a link', { has_more: true, members: [1] }],
    ['a token', { nextPageToken: 'abc', results: [1] }],
    ['several pages, without a link', { meta: { page: 1, last_page: 3 }, results: [1] }],
    ['a next page by its number', { nextPage: 2, results: [1] }],
  ])('nothing else: %s is an invalid response', (_, body) => {
    expect(() => readPageBody(body, '/p')).toThrow(
      expect.objectContaining({ name: 'DjangoShapeError', code: 'django_invalid_response' }),
    );
  });
});

describe('headers of a list', () => {
  const read = (headers: ListHeaders) => readPageBody([1], '/p', headers);
  test.each([
    ['nothing', {}, { count: undefined, next: undefined, saysNext: false }],
    [
      'a next link among others',
      { link: '<https://x/?page=1>; rel="first", <https://x/?page=2>; title="a"; rel="next"' },
      { next: 'https://x/?page=2' },
    ],
    [
      'the last page by nothing',
      { link: '<https://x/?page=1>; rel=prev' },
      { next: undefined, saysNext: false },
    ],
    [
      'a next link as few write it',
      { link: `</?page=1>; title="a, <b>"; rel='prev', </?page=2>; rel="http://x/rel next"` },
      { next: '/?page=2' },
    ],
    ['links of other kinds', { link: '</style.css>; rel=preload' }, { saysNext: false }],
    ['a total', { total: '205' }, { count: 205 }],
  ])('say %s', (_, headers, expected) => expect(read(headers)).toMatchObject(expected));

  test('nothing beside what the body says as Django REST framework does, nor in a total that is none', () => {
    const headers = { link: '</events/>; rel="next"', total: '999' };
    const body = { count: 1, next: null, total: 12.5, pages: 12, results: [1] };
    expect(readPageBody(body, '/p', headers)).toMatchObject({ count: 1, next: undefined });
    expect(read({ total: 'unknown' })).toMatchObject({ count: undefined });
  });
});
