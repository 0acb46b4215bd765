import fc from 'fast-check';
import { parseJson } from '../../../lib/django/parseJson.ts';
import { people } from './support.ts';

// Long enough to be parsed in parts, whatever else is in it.
const many = people(2000);

function outcome(parse: () => unknown): string {
  try {
    return JSON.stringify(parse());
  } catch (error) {
    return (error as Error).name;
  }
}

function expectAsWhole(text: string): void {
  // Half a character cannot be sent: what arrives is its replacement.
  const bytes = Buffer.from(text);
  const parsed = outcome(() => parseJson(bytes));
  // Compared here: the difference of two long texts takes a matcher minutes to show.
  expect(parsed === outcome(() => JSON.parse(bytes.toString('utf8')))).toBe(true);
}

test.each([
  ['a page', { count: 2000, next: 'https://x/?page=2', previous: null, results: many }],
  ['a bare list', many],
  ['a list before other keys', { members: many, next: null, links: { next: '[1]' } }],
  ['two lists', { errors: [1, 2], results: many, more: [3] }],
  ['an empty list before it', { errors: [], results: many }],
  ['brackets in a link', { next: 'https://x/?a[]=1', results: many }],
  ['records that hold objects and lists', many.map((it) => ({ a: [{ it }, { it }], b: { it } }))],
  [
    'texts that look like the end of a record',
    many.map((it) => ({ ...it, a: '},{', b: '}, {"', c: '\\"},{\\' })),
  ],
  ['a list of texts', many.map(({ name }) => `${name},{`)],
  ['a list in a list', [many, many]],
  ['a list further inside', { data: { results: many } }],
  ['a long text', 'x'.repeat(200_000)],
  ['null in front', [null, ...many]],
])('%s is what JSON.parse makes of it', (_, body) => {
  expectAsWhole(JSON.stringify(body));
  expectAsWhole(JSON.stringify(body, null, 1));
  // As Django REST framework writes it where COMPACT_JSON is False.
  expectAsWhole(JSON.stringify(body).replaceAll('},{', '}, {'));
});

test.each([
  ['a comma before the end', (text: string) => text.replace(/\]}$/, ',]}')],
  ['a comma too many', (text: string) => text.replaceAll('},{', '},,{')],
  ['a comma too few', (text: string) => text.replaceAll('},{', '}{')],
  ['an end that is missing', (text: string) => text.slice(0, -1)],
  ['an end too many', (text: string) => `${text}]`],
  ['another bracket', (text: string) => text.replace(/\]}$/, '}}')],
  ['half of it', (text: string) => text.slice(0, text.length / 2)],
  ['a key that comes twice', (text: string) => text.replace(/}$/, ',"results":7}')],
  ['a key that comes twice as a list', (text: string) => text.replace(/}$/, ',"results":[]}')],
  ['__proto__ as a key', (text: string) => text.replace('"results"', '"__proto__"')],
])('%s is read or refused as JSON.parse does', (_, damage) => {
  expectAsWhole(damage(JSON.stringify({ count: 2000, results: many })));
});

test('any JSON, and any damage to it, is read or refused as JSON.parse does', () => {
  const record = fc.oneof(
    fc.record({ id: fc.nat(), name: fc.string({ unit: 'binary' }), tags: fc.array(fc.string()) }),
    fc.jsonValue(),
  );
  const pieces = fc.constantFrom('},{', '}, {', '[', ']', '{', '}', '"', ',', '\\');
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 20 }),
      fc.constantFrom('{"results":', '{"a":[],"results":', '', '{"next":"[","members":'),
      fc.option(fc.tuple(fc.nat(), pieces)),
      (records, opening, damage) => {
        const filling = many
          .slice(0, 1500)
          .map((it, index) => records[index % records.length] ?? it);
        const list = JSON.stringify([...many.slice(0, 500), ...filling]);
        const text = `${opening}${list}${opening ? ',"count":3}' : ''}`;
        const [at, piece] = damage ?? [0, ''];
        const place = at % text.length;
        expectAsWhole(text.slice(0, place) + piece + text.slice(place));
      },
    ),
    { numRuns: 60 },
  );
});
