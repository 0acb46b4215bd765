import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const comments = /--.*$|^\s*(?:\/\/|\/?\*).*$/gm;
const statements = ['lib/sync', 'functions/status', 'functions/logs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(sql|ts)$/.test(file))
    .map((name) => ({ file: join(folder, name), text: textOf(join(root, folder, name)) })),
);

function textOf(path: string): string {
  return readFileSync(path, 'utf8').replace(comments, '');
}

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
     limit materialized not nullif numeric offset on or over overriding references row select stdin substring then timestamptz union using values
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
  const planted = statements.find(({ file }) => file.endsWith('find_planted.sql'))?.text ?? '';
  const watched = new Set([...planted.matchAll(/'(\w+)'/g)].map(([, name]) => name));
  const bare = [...new Set(called)].filter((name) => !syntax.has(name) && !watched.has(name));
  expect(called).toContain('convert_to');
  expect(bare).toEqual([]);
});

// With members as a reference table of Citus. What it refuses is said in its src/backend/distributed/planner: each rule
// names the file there and its words.
describe('on Citus', () => {
  const single = statements
    .filter(({ file }) => file.endsWith('.sql'))
    .flatMap(({ file, text }) =>
      text
        .replace(/'[^']*'/g, "''")
        .split(';')
        .map((statement) => ({ file, statement: statement.trim() })),
    );
  const members =
    /public\.(?:members|member_sightings|member_eligibility)\b|pg_temp\.known_members\b/;
  const reading = single.filter(({ statement }) => members.test(statement));
  const files = (of: typeof single) => of.map(({ file }) => file);
  const wrong = (rule: RegExp) => files(reading.filter(({ statement }) => rule.test(statement)));
  /** Without what stands in parentheses, innermost first. */
  const outer = (statement: string): string => {
    const rest = statement.replace(/\([^()]*\)/g, '');
    return rest === statement ? rest : outer(rest);
  };
  const writing = reading.filter(({ statement }) =>
    /\b(?:update|delete from) public\.members\b/.test(statement),
  );

  test('statements that read members are found', () => {
    expect(files(reading)).toContain('lib/sync/sql/plan/pair_records.sql');
    expect(new Set(files(writing)).size).toBeGreaterThan(3);
  });

  // multi_router_planner.c: "Sequences cannot be used in router queries". insert_select_planner.c puts the default of a
  // column that is not named into the SELECT, so identity columns count.
  test('nothing is read from members for a table that numbers its rows', () => {
    expect(
      wrong(
        /^[\s\S]*\binsert into (?:pg_temp\.plan|public\.(?:member_changes|sync_log|notification_outbox))\b/,
      ),
    ).toEqual([]);
    expect(wrong(/\bnextval\(/)).toEqual([]);
  });

  // multi_router_planner.c: "relation % is not distributed", "local table % cannot be joined with these distributed
  // tables". recursive_planning.c reads a subquery on local tables first, and sends on what it found.
  test('members are changed by what a subquery gives, and change no other table', () => {
    for (const { file, statement } of writing) {
      expect({ file, statement: outer(statement) }).toEqual({
        file,
        statement: expect.not.stringMatching(/\b(?:pg_temp\.\w+|using|public\.(?!members\b)\w+)/),
      });
    }
    expect(wrong(/\b(?:update|delete from) (?!public\.members\b)(?:pg_temp|public)\./)).toEqual([]);
  });

  // What the planner of PostgreSQL does not pull up, Citus does not see as a join with our own table, and fails later on in
  // SelectsFromDistributedTable: "relation % is not distributed". So it does of a view that is left in the query on some
  // releases of PostgreSQL (citus#8059).
  test('what members are changed by is a plain part of our tables, and no view', () => {
    const views = statements.flatMap(
      ({ text }) => text.match(/(?<=^create temp view )\w+/gm) ?? [],
    );
    expect(views).toContain('applicable');
    for (const { file, statement } of writing) {
      // One row by its id.
      if (/where id = found_id$/.test(statement.trim())) continue;
      const [, from = ''] = /\bfrom \(([\s\S]*?)\n? *\) \w\b/.exec(statement) ?? [];
      expect({ file, from }).toEqual({ file, from: expect.stringMatching(/\bfrom pg_temp\.\w+/) });
      expect({ file, from }).toEqual({
        file,
        from: expect.not.stringMatching(
          new RegExp(
            `\\b(?:limit|offset|distinct|group by|union|over|pg_temp\\.(?:${views.join('|')}))\\b`,
          ),
        ),
      });
    }
  });

  // multi_router_planner.c: "STABLE functions used in UPDATE queries cannot be called with column references",
  // "non-IMMUTABLE functions are not allowed in CASE or COALESCE statements" and "… in the RETURNING clause".
  test('a change of members calls no stable function and makes no text of a row', () => {
    for (const { file, statement } of writing) {
      const set = statement.slice(statement.search(/\bset\b/));
      expect({ file, set }).toEqual({
        file,
        set: expect.not.stringMatching(
          /\b(?:now|to_char|to_jsonb|concat\w*|format)\(|\)::text|\b\w::text|public\.\w+\(|\breturning\b/,
        ),
      });
    }
  });

  // multi_router_planner.c: "only SELECT, UPDATE, or DELETE common table expressions may be router planned";
  // recursive_planning.c: "recursive CTEs are only supported when they contain a filter on the distribution column".
  test('no query that reads members writes in a part of it, or repeats one', () => {
    expect(wrong(/\bas (?:not )?(?:materialized )?\(\s*(?:insert|update|delete)\b/)).toEqual([]);
    expect(wrong(/\bwith recursive\b/)).toEqual([]);
  });
});
