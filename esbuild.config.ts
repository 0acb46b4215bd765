import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
const options = (names: string[]): BuildOptions => ({
  // One build for all: what they share is parsed once.
  entryPoints: names.map((name) => ({
    in: join(root, 'functions', `${name}.ts`),
    out: join(name, 'index'),
  })),
  outdir: dist,
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
  await build(options(names));
  const { dependencies, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = {
    version,
    private: true,
    main: 'index.js',
    engines: { node: '>=24' },
    dependencies: { [framework]: dependencies[framework] },
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await Promise.all(names.map((name) => writeFile(join(dist, name, 'package.json'), text)));
  return names;
}

/**
 * Rebuilds the bundles whenever a file that they include changes, until the process ends, and calls back. A build
 * that fails prints why, and leaves the last bundles as they are. Resolves when everything is watched.
 */
export async function watchAll(onRebuilt: () => void): Promise<void> {
  const built = Promise.withResolvers<void>();
  let first = true;
  const rebuilt: Plugin = {
    name: 'rebuilt',
    setup: ({ onEnd }) =>
      onEnd(async ({ errors, outputFiles = [] }) => {
        if (errors.length === 0) {
          await Promise.all(outputFiles.map(({ path, contents }) => writeFile(path, contents)));
          // The first build under watch is what there is already.
          if (!first) onRebuilt();
        }
        first = false;
        built.resolve();
      }),
  };
  const all = options(await functionNames());
  // esbuild would take away what a build that fails no longer makes.
  await (await context({ ...all, write: false, plugins: [rebuilt] })).watch();
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
