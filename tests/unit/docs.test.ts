import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { createDeployProject } from '../support/deployProject.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

// As GitHub makes an anchor of a heading.
const anchorsOf = (page: string) =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

const outsideCode = (text: string) => text.replace(/```[\s\S]*?```/g, '');

test.each(pages)('every link of %s leads somewhere', (page) => {
  const links = [...outsideCode(read(page)).matchAll(/\]\((?!https?:)([^)\s]*)\)/g)];
  const broken = links
    .map(([, link = '']) => link)
    // Drawn by a measurement.
    .filter((link) => !link.startsWith('plots/'))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
  expect(broken).toEqual([]);
});

test.each(pages.filter((page) => page !== 'CHANGELOG.md'))(
  'every file and every npm script that %s names is there',
  (page) => {
    const text = read(page);
    const folders = 'functions|lib|local|migrations|tests|bench|scripts|docs|deploy';
    const paths = [...text.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]+)\``, 'g'))]
      .map(([, path = '']) => path)
      // Made on a machine, not kept.
      .filter((path) => !/^deploy\/\w+\.env$/.test(path) && !existsSync(join(root, path)));
    const { scripts } = JSON.parse(read('package.json'));
    const commands = [...text.matchAll(/npm run (\w[\w:]*\w)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !(name in scripts));
    expect([...paths, ...commands]).toEqual([]);
  },
);

test('the steps and statements of a run that ARCHITECTURE names are files of lib/sync', () => {
  const text = read('docs/ARCHITECTURE.md');
  const [, table = ''] = /\n(\| step [\s\S]*?)\n\n/.exec(text) ?? [];
  const steps = [...table.matchAll(/`(\w+\.ts)`/g)];
  const statements = [...text.matchAll(/`(sql\/[\w/]+\.sql)`/g)];
  const files = [...steps, ...statements].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(6);
  expect(files.filter((file) => !existsSync(join(root, 'lib/sync', file)))).toEqual([]);
});

test('the README names each function, and counts them', () => {
  const numbers = ['four', 'five', 'six', 'seven', 'eight'];
  const [, number = '', sentence = ''] =
    /It is (\w+) Google Cloud Functions[^:]*: ([^.]*)/.exec(read('README.md')) ?? [];
  const functions = readdirSync(join(root, 'functions'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replace('.ts', ''));
  expect([...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort()).toEqual(
    functions.sort(),
  );
  expect(number).toBe(numbers[functions.length - 4]);
});

test('what the README says to deploy works as it stands there', async () => {
  const [, lines = ''] =
    /## Deploy\n[^`]*`deploy\.sh`.*?```sh\n(.*?)```/s.exec(read('README.md')) ?? [];
  expect(lines).toContain('--dry-run');
  const { folder } = createDeployProject();
  const { stdout } = await promisify(execFile)('bash', ['-ec', lines], { cwd: folder });
  expect(stdout).toMatch(/\nDry run: nothing was changed\.\n$/);
});

// The example of CONTRIBUTING is worked like the phone number.
describe('the example of a new field', () => {
  const [, example = ''] = /\n## Add a field.*?\n(.*?)\n## /s.exec(read('CONTRIBUTING.md')) ?? [];
  const files = ['lib', 'functions'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
      join(folder, file),
    ),
  );
  const nameOf = (path: string) => path.split('/').at(-1) ?? '';
  const named = [...example.matchAll(/`(?:[\w/]*\/)?([\w*]+\.(?:sql|ts))`/g)].map(
    ([, name = '']) => new RegExp(`^${name.replace('.', '\\.').replace('*', '\\w+')}$`),
  );
  const without = (pattern: RegExp) =>
    files
      .filter((path) => path.endsWith('.sql') && pattern.test(read(path)))
      .filter((path) => !named.some((name) => name.test(nameOf(path))));

  test('names files that are there', () => {
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !files.some((path) => name.test(nameOf(path))))).toEqual([]);
  });

  test('names every statement that has the phone number', () => {
    expect(without(/^[^-]*phone/m)).toEqual([]);
  });

  test('names every statement that makes the digest of an update', () => {
    const [, step = ''] = /\n7\. (.*?)\n/.exec(example) ?? [];
    const callers = files
      .filter((path) => path.endsWith('.sql') && read(path).includes('change_digest('))
      .map(nameOf)
      .filter((name) => !['plan_additions.sql', 'plan_removals.sql'].includes(name));
    expect(callers.filter((name) => !step.includes(`\`${name}\``))).toEqual([]);
  });
});
