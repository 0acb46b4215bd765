import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWith } from '../support/commands.ts';
import { dump, type Row } from '../support/database.ts';
import { createWorld, smallPages, type World } from '../support/world.ts';

const root = join(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8');
const [, section = ''] = /\n## Restoring\n(.*?)\n## /s.exec(guide) ?? [];
const [takeOut = '', look = '', putBack = ''] = section
  .split('\n')
  .filter((line) => line.startsWith('psql '));

// The psql lines of the guide, as they stand there.
describeWith('psql')('the restore of the guide', () => {
  let world: World;
  let before: Map<number, Row>;
  let takenAt: string;
  const folder = mkdtempSync(join(tmpdir(), 'restore-'));
  symlinkSync(join(root, 'docs'), join(folder, 'docs'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = async (line: string) => {
    const url = world.database.url;
    const { stdout } = await promisify(execFile)(
      'bash',
      ['-c', line.replace('2026-11-22T02:55:00Z', takenAt)],
      {
        cwd: folder,
        env: { PATH: process.env['PATH'], HOME: folder, OWNER_URL: url, RESTORED_URL: url },
      },
    );
    return stdout;
  };
  const values = ({ id: _, unseen_since: __, ...row }: Row = {}) => row;
  const rows = async () =>
    new Map((await world.members()).map((row) => [Number(row['id']), row] as const));

  beforeAll(async () => {
    world = await createWorld(smallPages);
    await world.reset(35);
    await world.sync();
    const { query } = world.database;
    await query("update public.members set metadata = jsonb_build_object('seat', id)");
    await query('update public.members set is_active = false where id = 2');
    await query(
      "insert into public.members (id, kennitala, name, sync_source) values (900, '0101302989', 'Gestur', 'events')",
    );
    const [{ now } = { now: '' }] = await query<{ now: string }>('select now()::text as now');
    takenAt = now;
    await run(takeOut);
    // A run that all is well with.
    world.django.members.remove(7);
    world.django.members.update(8, { name: 'Annað Nafn' });
    await world.sync();
    before = await rows();
  });

  test('first says what it would do, by ids and columns alone, and does nothing', async () => {
    const { query } = world.database;
    await query('delete from public.members where id = 4');
    // Which the next run makes anew.
    await world.sync();
    await query('delete from public.members where id in (3, 900)');
    await query('update public.members set metadata = null, is_active = true where id <= 6');
    await query(`update public.members m set kennitala = left(o.kennitala, 9) || 'x'
      from public.members o where m.id in (5, 6) and o.id = 11 - m.id`);
    await query(
      "update public.members set kennitala = replace(kennitala, 'x', '9') where id in (5, 6)",
    );
    await query(
      "insert into public.members (id, kennitala, name) values (901, '0101302479', 'Ókunnur')",
    );
    // What others have written since, and nothing is wrong with.
    await query(`update public.members set metadata = metadata || '{"ballot":2}' where id = 12`);
    await query(`update public.members set metadata = '{"seat":99}' where id = 13`);
    await query('update public.members set is_active = false where id = 14');
    const damaged = await dump(world.database.url);
    const output = await run(look);
    expect(await dump(world.database.url)).toEqual(damaged);
    const part = (words: string) => output.split(words)[1]?.split(/\n[A-Z]/)[0];
    expect(part('changed back, by what differs:')).toMatch(/\{kennitala\} +\| +2 \| \{5,6\}/);
    expect(part('changed back, by what differs:')).toMatch(/\{added_at,metadata\} \| +1 \| /);
    const staying = part('Differences that stay');
    expect(staying).toMatch(/\n is_active \| \{is_active\} +\| +2 \| \{2,14\}/);
    expect(staying).toMatch(/\n metadata +\| \{metadata\} +\| +4 \| \{1,2,5,6\}/);
    expect(staying).toMatch(/\n none +\| \{metadata\} +\| +2 \| \{12,13\}/);
    expect(part('members that are gone and are put back:')).toMatch(/\n +1 \| +1\n/);
    expect(part('with the switch others:')).toMatch(/\n +1 \| +1\n/);
    expect(output).toMatch(/look at each:[^:]*\n 901 \| django +\| t\n/);
    expect(output).toContain('Nothing was changed.');
    expect(output).not.toMatch(/\d{10}|Gestur|Ókunnur|@/);
  });

  test('then puts back what runs alone write, and nothing that somebody else may have written since', async () => {
    const damaged = await rows();
    const [anew = 0] =
      [...damaged].find(([id, row]) => !before.has(id) && row['external_id']) ?? [];
    expect(await run(putBack)).toContain('Done.');
    const after = await rows();
    expect(values(after.get(anew))).toEqual(values(before.get(4)));
    expect(values(after.get(3))).toEqual(values(before.get(3)));
    expect(after.has(900)).toBe(false);
    for (const id of [5, 6]) {
      expect(after.get(id)?.['kennitala']).toBe(before.get(id)?.['kennitala']);
    }
    for (const id of [1, 2, 12, 13, 14, 901]) expect(after.get(id)).toEqual(damaged.get(id));
    expect(await run(look)).toMatch(/by what differs:[^:]*\(0 rows\)/);
  });

  test('and with its switches the rest, but for what is there since, and for rows that are named', async () => {
    const switches = ['is_active=yes', 'metadata=yes', 'others=yes', 'except=14,99999'];
    await run(putBack + switches.map((one) => ` --set=${one}`).join(''));
    const after = await rows();
    const expected = new Map(before);
    expected.delete(4);
    expected.set(12, { ...before.get(12), metadata: { seat: 12, ballot: 2 } });
    expected.set(13, { ...before.get(13), metadata: { seat: 99 } });
    expected.set(14, { ...before.get(14), is_active: false });
    for (const [id, row] of expected) expect(values(after.get(id))).toEqual(values(row));
    expect(after.get(2)).toMatchObject({ is_active: false, removed_at: null });
    expect(after.get(7)).toMatchObject({ is_active: false });
    expect(after.get(8)).toMatchObject({ name: 'Annað Nafn' });
  });

  test('says what it has to know', async () => {
    await expect(run(look.replace(/ --set=taken_at='[^']*'/, ''))).rejects.toThrow(
      'Say of when the backup is',
    );
  });

  test('and agrees with the register in the end, but for the stranger, and finds nothing the second time', async () => {
    expect(await world.dryRun()).toMatchObject({
      members_added: 0,
      members_updated: 0,
      members_reactivated: 0,
      members_removed: 1,
    });
    expect(await run(look)).toMatch(/by what differs:[^:]*\(0 rows\)/);
  });

  test('of a table that was made anew counts on no id, and names nobody', async () => {
    const { query } = world.database;
    await world.reset(12);
    await query(
      `insert into public.members (kennitala, name, sync_source) values ('0101302989', 'Gestur', 'events')`,
    );
    await world.sync();
    const saved = await rows();
    const [{ now } = { now: '' }] = await query<{ now: string }>('select now()::text as now');
    takenAt = now;
    await run(takeOut);
    await query('truncate public.members restart identity cascade');
    await world.sync();
    const shown = await run(look);
    expect(shown).not.toMatch(/\d{10}|Gestur/);
    await run(`${putBack} --set=others=yes`);
    const after = [...(await rows()).values()];
    const owners = (all: Row[]) =>
      all.map(({ kennitala, name, sync_source }) => `${kennitala} ${name} ${sync_source}`).sort();
    expect(owners(after)).toEqual(owners([...saved.values()]));
  });
});
