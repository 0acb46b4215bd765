import { join } from 'node:path';
import { type BuildFailure, build, type Plugin } from 'esbuild';
import { CACHED, cacheClient, cacheFile, digestOf } from './esbuild.codeCache.ts';
import { leanGoogle } from './esbuild.google.ts';

/**
 * Keeps what is only imported on demand as text until somebody does: `await import('axios')` and the like.
 * The engine looks through every function of a bundle when it loads, called or not: 40 ms for Google's
 * libraries, which a function without a secret to fetch never uses. `folder`: where to put code caches,
 * none without it.
 */
export const deferred = (folder?: string): Plugin => ({
  name: 'deferred',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' && !path.startsWith('node:')
        ? { path, namespace: 'deferred', pluginData: { resolveDir } }
        : undefined,
    );
    onLoad(
      { filter: /.*/, namespace: 'deferred' },
      async ({ path, pluginData: { resolveDir } }) => {
        const watchFiles = path.startsWith('.') ? [join(resolveDir, path)] : [];
        try {
          const code = await bundled(path, resolveDir);
          if (path === CACHED && folder) await cacheClient(code, folder);
          return { contents: loader(path, code), resolveDir, watchFiles };
        } catch (error) {
          const { errors } = error as Partial<BuildFailure>;
          if (!errors) throw error;
          // Returned, so that a watching build still knows which file to watch.
          return { errors, watchFiles };
        }
      },
    );
  },
});

async function bundled(path: string, resolveDir: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `module.exports = require(${JSON.stringify(path)});`, resolveDir },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    // The build that asked for it tells what is wrong.
    logLevel: 'silent',
    write: false,
    plugins: [leanGoogle],
  });
  return outputFiles[0]?.text ?? '';
}

const loader = (path: string, code: string) => `
  const { wrap } = require('node:module');
  const { Script } = require('node:vm');
  const options = { filename: ${JSON.stringify(path)} };
  ${path === CACHED ? readCache(code) : ''}
  const script = new Script(wrap(${JSON.stringify(code)}), options);
  const deferred = { exports: {} };
  script.runInThisContext()(deferred.exports, require, deferred, __filename, __dirname);
  module.exports = deferred.exports;
`;

const readCache = (code: string) => `
  const { existsSync, readFileSync } = require('node:fs');
  const { join } = require('node:path');
  const file = join(__dirname, (${cacheFile})(${JSON.stringify(digestOf(code))}, process));
  if (existsSync(file)) options.cachedData = readFileSync(file);
`;
