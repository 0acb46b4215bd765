import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, context, type Plugin } from 'esbuild';
import { explain } from './local/explain.ts';

const root = import.meta.dirname;
const dist = join(root, 'dist');
const framework = '@google-cloud/functions-framework';

/** The names of the functions: one file under functions/ is one function. */
export async function functionNames(): Promise<string[]> {
  const files = await readdir(join(root, 'functions'));
  return files.filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -'.ts'.length));
}

// The framework stays external because its registry of functions is module state and the platform
// starts its own copy: bundled, the registration lands in a second registry that nobody reads.
const options = (name: string): BuildOptions => ({
  entryPoints: [join(root, 'functions', `${name}.ts`)],
  outfile: join(dist, name, 'index.js'),
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  // Names stay: stacks are read in logs, and keeping them for minified code wraps every closure.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  external: [framework, 'pg-native'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.sql': 'text', '.css': 'text', '.client.js': 'text' },
  logLevel: 'warning',
});

/** Writes dist/<function>/ for each function: the bundle, its source map, and a package.json to deploy. */
export async function buildAll(): Promise<string[]> {
  const names = await functionNames();
  await rm(dist, { recursive: true, force: true });
  const { dependencies, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await Promise.all(
    names.map(async (name) => {
      await mkdir(join(dist, name), { recursive: true });
      await build(options(name));
      const manifest = {
        version,
        private: true,
        main: 'index.js',
        engines: { node: '>=24' },
        dependencies: { [framework]: dependencies[framework] },
      };
      await writeFile(join(dist, name, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    }),
  );
  return names;
}

/**
 * Rebuilds a bundle whenever a file that it includes changes, until the process ends, and calls back. A build
 * that fails prints why, and leaves the last bundle as it is. Resolves when everything is watched.
 */
export async function watchAll(onRebuilt: () => void): Promise<void> {
  const names = await functionNames();
  await Promise.all(names.map((name) => watch(name, onRebuilt)));
}

async function watch(name: string, onRebuilt: () => void): Promise<void> {
  const built = Promise.withResolvers<void>();
  let first = true;
  const rebuilt: Plugin = {
    name: 'rebuilt',
    setup: ({ onEnd }) =>
      onEnd(({ errors }) => {
        // The first build under watch is what there is already.
        if (!first && errors.length === 0) onRebuilt();
        first = false;
        built.resolve();
      }),
  };
  await (await context({ ...options(name), plugins: [rebuilt] })).watch();
  await built.promise;
}

if (import.meta.main) {
  try {
    const names = await buildAll();
    console.log(`built ${names.map((name) => `dist/${name}`).join(', ')}`);
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}
