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

// Of a service that may create functions in schema public, these are looked for by name.
test('every function that a statement calls is one that strangers are watched for', () => {
  const syntax = new Set(
    `all and any array as by cast check coalesce end exists filter from full greatest in insert into join key lateral least
     limit materialized not nullif numeric offset on or over overriding references row select stdin then timestamptz union using values
     varchar when where with`.split(/\s+/),
  );
  const sql = statements
    .filter(({ file }) => file.endsWith('.sql') && !/session|citus/.test(file))
    .map(({ text }) => text.replace(/'[^']*'/g, "''"));
  // Not those of a table or a row that is written like a call.
  const called = sql.flatMap((text) =>
    [
      ...text.matchAll(
        /(?<![\w.]|as |into |table |with |temp |^)\b([a-z_]+)\((?!\s*\n?\s*(?:select|values)\b)/g,
      ),
    ].map(([, name = '']) => name),
  );
  const inspect = statements.find(({ file }) => file.endsWith('inspect_backend.sql'))?.text ?? '';
  const watched = new Set([...inspect.matchAll(/'(\w+)'/g)].map(([, name]) => name));
  const bare = [...new Set(called)].filter((name) => !syntax.has(name) && !watched.has(name));
  expect(called).toContain('convert_to');
  expect(bare).toEqual([]);
});
