import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../../lib/sync');
const comments = /--.*$|^\s*(?:\/\/|\/?\*).*$/gm;
const statements = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(sql|ts)$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8').replace(comments, '') }));

// Another service may have a table of any name in schema public, and a role a search_path of its own.
test('every statement names the schema of each table', () => {
  const own = statements.flatMap(({ text }) =>
    [...text.matchAll(/^create temp (?:table|view) (\w+)/gm)].map(([, name]) => name),
  );
  expect(own).toContain('plan');
  const tables = [...new Set(own), 'members', 'sync_log', 'member_changes', 'notification_outbox'];
  const bare = new RegExp(
    `\\b(?:from|join|into|update|using|copy|analyze)\\s+(?:${tables.join('|')})\\b`,
  );
  expect(statements.filter(({ text }) => bare.test(text)).map(({ file }) => file)).toEqual([]);
});

// Of a line of text the server's log has a copy when a COPY is interrupted: "CONTEXT: COPY incoming, line 1: …".
test('every COPY takes rows in the binary format', () => {
  const copies = statements.flatMap(({ text }) => text.match(/^copy .*$/gm) ?? []);
  expect(copies.length).toBeGreaterThan(1);
  for (const copy of copies) expect(copy).toMatch(/ from stdin \(format binary\)$/);
});
