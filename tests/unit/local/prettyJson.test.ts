import { prettyJson } from '../../../local/start/pretty.ts';

test('what fits on a line stays on it, and the whole is spread out', () => {
  const value = {
    status: 'ok',
    empty: [],
    none: {},
    few: [1, 'two', null],
    many: Array.from({ length: 20 }, (_, index) => `number ${index}`),
    row: { id: 1, fields: ['name'] },
  };
  const text = prettyJson(JSON.stringify(value));
  expect(JSON.parse(text)).toEqual(value);
  expect(text).toMatch(/^\{\n {2}"status": "ok",\n {2}"empty": \[\],\n {2}"none": \{\},\n/);
  expect(text).toContain('\n  "few": [1, "two", null],\n');
  expect(text).toContain('\n  "many": [\n    "number 0",\n');
  expect(text).toMatch(/\n {2}"row": \{ "id": 1, "fields": \["name"\] \}\n\}\n$/);
  expect(text.split('\n').every((line) => line.length <= 100)).toBe(true);
});

test('what is no JSON stays as it is', () => {
  expect(prettyJson('<html>')).toBe('<html>');
  expect(prettyJson('')).toBe('');
});
