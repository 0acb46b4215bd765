import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clone, createClone, type Started } from '../support/clone.ts';

// Half a dozen processes a test, on a machine that runs other tests beside.
jest.setTimeout(180_000);

let clone: Clone;
let started: string;
// What the user pastes: the lines that npm start prints, and its port for npm run play.
let pasted: Record<string, string>;

async function start(env: Record<string, string> = {}): Promise<Started> {
  const running = clone.start([], env);
  await running.says('Serving until Ctrl-C');
  const [, URL = '', KEY = ''] = /^ {2}URL=(\S+)\n {2}KEY=(\S+)$/m.exec(running.output()) ?? [];
  pasted = { URL, KEY, PORT: new globalThis.URL(URL).port };
  return running;
}

let running: Started;
beforeAll(async () => {
  clone = await createClone();
  running = await start();
  started = running.output();
});

async function shell(lines: string): Promise<string> {
  const run = clone.run('bash', ['-ec', lines], { HOME: clone.folder, ...pasted });
  const code = await run.ended;
  if (code !== 0) throw new Error(`It ended with ${code}:\n${run.output()}`);
  return run.output();
}

const play = (words: string) => shell(`npm run --silent play -- ${words}`);
const curl = (path: string, more = '') =>
  shell(`curl -sS ${more} -H "Authorization: Bearer $KEY" "$URL${path}"`);
const sync = async (body = {}) =>
  JSON.parse(
    await curl('/sync', `-X POST -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`),
  );

// What another machine and another hour make of the same.
const masked = (text: string) =>
  text
    .replace(/"timestamp": ".*"/, '"timestamp": …')
    .replace(/"duration_ms": \d+/, '"duration_ms": …')
    .replace(/"sha256:\w+"/, '"sha256:…"');

const readme = readFile(join(import.meta.dirname, '../../README.md'), 'utf8');

test('npm start prints what the README shows of it', async () => {
  const [, shown = ''] = /\$ npm ci && npm start\n([^`]*)```/.exec(await readme) ?? [];
  const lines = shown.trimEnd().split('\n');
  const digits = (text: string) => text.replace(/\d+/g, '0');
  expect(lines).toHaveLength(9);
  for (const line of lines) expect(`\n${digits(started)}`).toContain(`\n${digits(line)}\n`);
});

test('what the README shows comes out of the very lines that it shows', async () => {
  const text = await readme;
  const section = text.slice(text.indexOf('## What it looks like'));
  const [, lines = ''] = /```sh\n(npm run play[^`]*)```/.exec(section) ?? [];
  const [, shown = ''] = /```json\n([^`]*)```/.exec(section) ?? [];
  expect(lines).toContain('/sync/dry-run');
  const output = await shell(lines);
  expect(masked(output)).toContain(`\n${masked(shown)}`);
  expect(await sync()).toMatchObject({
    members_added: 1,
    members_updated: 2,
    members_removed: 1,
  });
});

test('each thing that can be played is what a sync then finds', async () => {
  // An approved removal is asked about three times, and this register takes its time.
  running.interrupt();
  await running.ended;
  await start({ MEMBERS: '60' });
  expect(await play('leave 3')).toContain('Member 3');
  expect(await sync()).toMatchObject({ status: 'success', members_removed: 1 });
  expect(await play('return 3')).toContain('Member 3 came back');
  expect(await sync()).toMatchObject({ status: 'success', members_reactivated: 1 });
  expect(await play('kennitala 2')).toContain('Member 2 has another kennitala');
  expect(await sync()).toMatchObject({ status: 'success', members_updated: 1, members_added: 0 });
  expect(await play('hide 9 11')).toContain('Members 9 and 11 left the list only');
  expect(await sync()).toMatchObject({
    status: 'held',
    members_removed: 0,
    removals_unconfirmed: 2,
    held: { removals: { reason: 'snapshot_incomplete' } },
  });
  expect(await play('restore')).toContain('as it was at the start');
  await sync();
  const vanished = await play('vanish');
  expect(vanished).toContain('30 members are gone');
  const held = await sync();
  expect(held).toMatchObject({
    status: 'held',
    members_removed: 0,
    held: { removals: { count: 30, reason: 'limit_exceeded' } },
  });
  // The line that it prints for an approval, with the plan that a dry run names.
  const [approval = ''] = /^ {2}curl .*"sha256:….*$/m.exec(vanished) ?? [];
  const { plan } = JSON.parse(await curl('/sync/dry-run', '-X POST'));
  expect(JSON.parse(await shell(`${approval.replace('sha256:…', plan)} -sS`))).toMatchObject({
    status: 'success',
    members_removed: 30,
  });
});

test('npm run play explains itself, and says what it does not know', async () => {
  expect(await play('')).toContain('npm run play -- leave ID…');
  expect(await play('help')).toContain('npm run play -- vanish');
  expect(await play('--help')).toContain('npm run play -- vanish');
  await expect(play('dance')).rejects.toThrow('There is no such thing to play, but:');
  await expect(play('leave')).rejects.toThrow('Say which member, by the id');
  await expect(play('leave 99999')).rejects.toThrow('There is no such member: 99999');
  await expect(play('change 1 shoes')).rejects.toThrow('name, email or phone');
  for (const words of ['vanish 10%', 'join 5', 'kennitala 2 0101011234', 'change 2 phone Jón']) {
    await expect(play(words)).rejects.toThrow('That is more than it takes');
  }
  await expect(play('leave 0x10')).rejects.toThrow('an id is a number such as 3');
  pasted['PORT'] = '1';
  await expect(play('join')).rejects.toThrow('Nothing runs at port 1. In another terminal');
});
