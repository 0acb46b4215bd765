import { isOrderedById } from '../../../lib/django/page.ts';

const link = (position: string) =>
  new URLSearchParams({ cursor: Buffer.from(position).toString('base64') });

test.each([
  { name: 'a cursor at the id of the last row', next: link('p=20'), ordered: true },
  { name: 'a cursor at another value', next: link('p=2026-11-22+10%3A00%3A00'), ordered: false },
  { name: 'a cursor with an offset only', next: link('o=10'), ordered: false },
  {
    name: 'a cursor that is no base64',
    next: new URLSearchParams({ cursor: '%' }),
    ordered: false,
  },
  { name: 'a link without a cursor', next: new URLSearchParams({ after: '20' }), ordered: false },
  { name: 'the last page', next: undefined, ordered: true },
])('$name shows the order of ids: $ordered', ({ next, ordered }) => {
  expect(isOrderedById(next, { id: 20, name: 'Anna' }, ['id'])).toBe(ordered);
});

test('an empty page shows no order', () => {
  expect(isOrderedById(link('p=20'), undefined, ['id'])).toBe(false);
});
