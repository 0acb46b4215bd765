import { build, type Plugin } from 'esbuild';

// What the deferred code gets: the same as any CommonJS module.
const names = ['module', 'exports', 'require', '__dirname', '__filename'];

/**
 * Keeps a package that is only imported on demand as text until somebody does: `await import('axios')` and
 * the like. The engine looks through every function of a bundle when it loads, called or not: 40 ms for
 * Google's libraries, which a function without a secret to fetch never uses. A text costs it nothing.
 */
export const deferred: Plugin = {
  name: 'deferred',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' && !path.startsWith('node:')
        ? { path, namespace: 'deferred', pluginData: { resolveDir } }
        : undefined,
    );
    onLoad(
      { filter: /.*/, namespace: 'deferred' },
      async ({ path, pluginData: { resolveDir } }) => {
        const { outputFiles } = await build({
          stdin: { contents: `module.exports = require(${JSON.stringify(path)});`, resolveDir },
          bundle: true,
          format: 'cjs',
          platform: 'node',
          target: 'node24',
          minify: true,
          legalComments: 'none',
          write: false,
        });
        const code = JSON.stringify(outputFiles[0]?.text);
        const options = JSON.stringify({ filename: path });
        return {
          resolveDir,
          contents: `
          const { compileFunction } = require('node:vm');
          const deferred = { exports: {} };
          const run = compileFunction(${code}, ${JSON.stringify(names)}, ${options});
          run(deferred, deferred.exports, require, __dirname, __filename);
          module.exports = deferred.exports;
        `,
        };
      },
    );
  },
};
