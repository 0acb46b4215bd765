import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

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

test('the steps of a run that ARCHITECTURE names are files of lib/sync', () => {
  const [, table = ''] = /\n(\| step [\s\S]*?)\n\n/.exec(read('docs/ARCHITECTURE.md')) ?? [];
  const files = [...table.matchAll(/`(\w+\.ts)`/g)].map(([, file = '']) => file);
  expect(files.length).toBeGreaterThan(6);
  expect(files.filter((file) => !existsSync(join(root, 'lib/sync', file)))).toEqual([]);
});
