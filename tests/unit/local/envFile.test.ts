import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { mistypedNames, readEnvFile } from '../../../local/envFile.ts';
import { parseStartArguments } from '../../../local/start/arguments.ts';

const folder = mkdtempSync(join(tmpdir(), 'membership-sync-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(content: string | Buffer) {
  const file = join(folder, '.env');
  writeFileSync(file, content);
  return readEnvFile(file);
}

test('a byte order mark, line ends of Windows, quotes, comments and several lines are read as they are meant', () => {
  const text = [
    '\uFEFFDATABASE_URL=postgresql://u:p@h/db # mine',
    '# DATABASE_ULR=x',
    '',
    'export DJANGO_API_KEY = "k"',
    "DJANGO_FIELD_MAP='{",
    '  "id": "pk"',
    "}'",
    'EDITOR=vi',
    'other.tool-name=1',
    'MEMBERS=5',
  ];
  for (const end of ['\n', '\r\n']) {
    expect(read(text.join(end))).toMatchObject({
      DATABASE_URL: 'postgresql://u:p@h/db',
      DJANGO_API_KEY: 'k',
      DJANGO_FIELD_MAP: expect.stringMatching(/^\{\s+"id": "pk"\s+\}$/),
      MEMBERS: '5',
    });
  }
  expect(readEnvFile(join(folder, 'none'))).toEqual({});
});

test('the example says nothing wrong', () => {
  const example = readFileSync(join(import.meta.dirname, '../../../.env.example'), 'utf8');
  expect(read(example)).toEqual(parseEnv(example));
});

test.each([
  ['DATABASE_ULR=postgresql://SECRET', 'line 1 sets a name that is nearly DATABASE_URL'],
  ['\nDJANGO_BASEURL=SECRET', 'line 2 sets a name that is nearly DJANGO_BASE_URL'],
  ['database_url=SECRET', 'line 1 sets a name that is nearly DATABASE_URL'],
  ['SYNC_MAX_REMOVAL=SECRET', 'line 1 sets a name that is nearly SYNC_MAX_REMOVALS'],
  ['DJANGO_TOKEN=SECRET', 'line 1 sets a name that nothing reads'],
  ['PORT=1\nDATABASE_URL: SECRET', 'line 2 has a colon where NAME=value has its ='],
  ['DATABASE_URL SECRET', 'line 1 is neither NAME=value nor a comment'],
  ['postgresql://u:SECRET@h/db?a=b', 'line 1 has a colon'],
  ['DJANGO_API_KEY="SECRET', 'a quotation mark is not closed'],
])('%j is named by its line, and nothing of it is repeated', (text, words) => {
  const problem = (() => {
    try {
      return JSON.stringify(read(text));
    } catch (error) {
      return String(error);
    }
  })();
  expect(problem).toContain(words);
  expect(problem).not.toContain('SECRET');
});

test('what is no text in UTF-8, and what is no file, is said in a sentence', () => {
  const utf16 = Buffer.from('\uFEFFDATABASE_URL=postgresql://h/db\n', 'utf16le');
  expect(() => read(utf16)).toThrow('save it as UTF-8');
  expect(() => read(Buffer.from('DJANGO_API_KEY=\xe9', 'latin1'))).toThrow('save it as UTF-8');
  mkdirSync(join(folder, 'as-folder'));
  expect(() => readEnvFile(join(folder, 'as-folder'))).toThrow('.env is a folder, and no file.');
});

test('a mistyped name in the environment is named as the one that was meant', () => {
  expect(mistypedNames(['SYNC_MAX_REMOVAL', 'PORT', 'PATH', 'PGPORT', 'HOME', 'EDITOR'])).toEqual([
    'A variable is set whose name is nearly SYNC_MAX_REMOVALS: correct the name, or unset it',
  ]);
});

test('no argument is printed back', () => {
  expect(() => parseStartArguments(['--once', '--onse'], {})).toThrow(
    'npm start does not know its argument 2. Did you mean --once?',
  );
  for (const word of ['--database-url=postgresql://u:SECRET@h/db', 'SECRET', '--once=SECRET']) {
    const refused = expect(() => parseStartArguments([word], {}));
    refused.toThrow('npm start does not know its argument 1.');
    refused.not.toThrow('SECRET');
  }
});
