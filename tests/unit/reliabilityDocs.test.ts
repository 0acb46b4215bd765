import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/RELIABILITY.md'), 'utf8');
const rows = page.split('\n').filter((line) => /^\| *[^\s|-]/.test(line));
const named = [...page.matchAll(/`(tests\/[\w/]+\.test\.ts)`: "([^"]+)"/g)].map(
  ([, file = '', title = '']) => ({ file, title }),
);

test.each(named)(
  '$file has the test that the page on reliability names: $title',
  ({ file, title }) => {
    const source = readFileSync(join(root, file), 'utf8');
    const written = [`'${title}'`, `"${title}"`, `\`${title}\``];
    expect(written.filter((literal) => source.includes(literal))).toHaveLength(1);
  },
);

test('every danger on the page has a prevention and a test', () => {
  const dangers = rows.filter((line) => !/^\| *(Danger|Property) *\|/.test(line));
  expect(dangers.length).toBeGreaterThan(40);
  expect(named).toHaveLength(dangers.length);
  for (const line of dangers) {
    expect(line.split(' | ').every((cell) => cell.trim() !== '')).toBe(true);
  }
});
