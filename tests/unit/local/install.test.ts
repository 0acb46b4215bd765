import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explain } from '../../../local/explain.ts';

const root = join(import.meta.dirname, '../../..');
const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));

interface Locked {
  hasInstallScript?: boolean;
  os?: string[];
  cpu?: string[];
}

// npm asks about a script that nobody has decided about, on the machines where it would run.
test('every install script is allowed or refused, on Linux and macOS, on x64 and arm64', () => {
  const decided = Object.keys(read('package.json').allowScripts);
  const packages = Object.entries(read('package-lock.json').packages as Record<string, Locked>);
  const undecided = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .filter(([, { os }]) => !os || os.includes('linux') || os.includes('darwin'))
    .filter(([, { cpu }]) => !cpu || cpu.includes('x64') || cpu.includes('arm64'))
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
    .filter((name) => !decided.includes(name));
  expect(undecided).toEqual([]);
});

// It warns of each package that asks for a newer Node.js than the machine's, though the packages bring their own.
test('npm ci prints errors only', () => {
  expect(readFileSync(join(root, '.npmrc'), 'utf8')).toMatch(/^loglevel=error$/m);
});

// As on a machine where npm ran with --ignore-scripts, so that the Node.js of the machine is all there is.
test('on a Node.js that is too old, a script says what to do and no more', () => {
  const loader = join(root, 'local/preload.mjs');
  const old = `
    Object.defineProperty(process.versions, 'node', { value: '22.11.0' });
    await import(${JSON.stringify(loader)});
    console.error('it went on');`;
  let stderr = '';
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', old], { stdio: 'pipe' });
  } catch (error) {
    stderr = String((error as { stderr: Buffer }).stderr);
  }
  expect(stderr).toMatch(/^This needs Node\.js 24, which npm ci installs .*\n$/);
});

// What begins with another npm script leaves the look to that one.
test('every npm script that runs TypeScript looks at the Node.js first', () => {
  const scripts = Object.values(read('package.json').scripts as Record<string, string>);
  const unguarded = scripts
    .filter((script) => !script.startsWith('npm run'))
    .filter((script) => /node (?!--import \.\/local\/preload\.mjs )\S*\.ts/.test(script));
  expect(unguarded).toEqual([]);
});

test('a folder that may not be written is said in a sentence, by npm run build as by npm start', () => {
  const refused = Object.assign(new Error("EROFS: read-only file system, rmdir '/x/dist'"), {
    code: 'EROFS',
    path: '/x/dist',
  });
  expect(explain(refused)).toMatch(/^You may not write \/x\/dist\. Clone the project/);
  expect(explain(new Error('A sentence.'))).toBe('A sentence.');
  for (const script of ['esbuild.config.ts', 'local/start.ts']) {
    expect(readFileSync(join(root, script), 'utf8')).toContain('console.error(explain(error))');
  }
});
