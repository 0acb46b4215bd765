import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog, type LogFields, levelOf, logEvents } from '../../lib/log.ts';

function recorded(level: Parameters<typeof createLog>[0] = 'DEBUG') {
  const lines: string[] = [];
  const log = createLog(level, (line) => lines.push(line));
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as LogFields) };
}

test('an event is one line of JSON in one write', () => {
  const { log, lines, entries } = recorded();
  log('INFO', 'sync_completed', 'two\nlines', { run_id: 7 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
  expect(entries()[0]).toMatchObject({
    severity: 'INFO',
    event: 'sync_completed',
    message: 'two\nlines',
    run_id: 7,
    time: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

test('events below the level are left out', () => {
  const { log, entries } = recorded('WARNING');
  log('INFO', 'sync_started', '');
  log('WARNING', 'sync_refused', '');
  log('CRITICAL', 'sync_held', '');
  expect(entries().map((entry) => entry['event'])).toEqual(['sync_refused', 'sync_held']);
});

test('common fields are on every event and a field cannot replace what Cloud Logging reads', () => {
  const { log, entries } = recorded();
  log.with({ route: 'x' }).with({ run_id: 1 })('INFO', 'request', 'b', {
    severity: 'DEBUG',
    event: 'z',
  });
  expect(entries()[0]).toMatchObject({ severity: 'INFO', event: 'request', route: 'x', run_id: 1 });
});

test('logging never throws, whatever the fields hold', () => {
  const { log, entries } = recorded();
  const circle: LogFields = {};
  circle['self'] = circle;
  log('INFO', 'request', 'kept', circle);
  log('INFO', 'request', '', { big: 10n, error: new TypeError('broken'), nothing: undefined });
  log('INFO', 'request', 'x'.repeat(300_000), { more: 1 });
  expect(entries()[0]).toMatchObject({ message: 'kept', fields_dropped: true });
  expect(entries()[1]).toMatchObject({
    big: '10',
    error: { name: 'TypeError', message: 'broken' },
  });
  expect(entries()[2]).toMatchObject({ fields_dropped: true });
  expect(JSON.stringify(entries()[2]).length).toBeLessThan(256 * 1024);
});

test('an error in a field is redacted', () => {
  const { log, entries } = recorded();
  const error = Object.assign(new Error('Jón Jónsson is blocked'), {
    code: 'P0001',
    detail: 'Jón',
  });
  log('ERROR', 'sync_failed', '', { error, other: new Error('of jon@example.is') });
  expect(entries()[0]).toMatchObject({
    error: { name: 'Error', message: 'left out, SQLSTATE P0001' },
    other: { name: 'Error', message: 'of ***@***' },
  });
  expect(JSON.stringify(entries())).not.toContain('Jón');
});

test('stdout is where it writes unless told otherwise', () => {
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  createLog('INFO')('INFO', 'request', 'b');
  expect(write).toHaveBeenCalledWith(expect.stringContaining('"event":"request"'));
  write.mockRestore();
});

test.each([
  ['WARNING', 'WARNING'],
  [' debug ', 'DEBUG'],
  ['verbose', 'INFO'],
  ['', 'INFO'],
  [undefined, 'INFO'],
])('the word %j names the level %s', (word, level) => {
  expect(levelOf(word)).toBe(level);
});

describe('every event that is logged', () => {
  const root = join(import.meta.dirname, '../..');
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const filesUnder = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|json)$/.test(name))
      .map((name) => join(folder, name));

  test('is explained in OPERATIONS, and nothing else is', () => {
    const [, table = ''] =
      /^\| event .*\n\| -.*\n((?:\|.*\n)+)/m.exec(read('docs/OPERATIONS.md')) ?? [];
    const rows = table.trim().split('\n');
    const explained = rows.flatMap((row) => row.split('|')[1]?.match(/[a-z_]+/g) ?? []);
    expect(explained.sort()).toEqual([...logEvents].sort());
  });

  test('is logged somewhere', () => {
    const code = [...filesUnder('lib'), ...filesUnder('functions')]
      .filter((name) => !name.endsWith('lib/log.ts'))
      .map(read)
      .join('\n');
    expect(logEvents.filter((event) => !code.includes(`'${event}'`))).toEqual([]);
  });

  test('and no other is what the alerts and metrics look for', () => {
    const asked = filesUnder('deploy/monitoring').flatMap((name) =>
      [...read(name).matchAll(/jsonPayload\.event=\\"(\w+)/g)].map((match) => match[1]),
    );
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((event) => !logEvents.some((one) => one === event))).toEqual([]);
  });
});
