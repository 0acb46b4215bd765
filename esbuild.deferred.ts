import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { leanGoogle } from './esbuild.google.ts';

/**
 * Puts what is only imported on demand in a file of its own beside the bundle: `await import('axios')` and
 * the like. The engine looks through every function of a bundle when it loads, called or not: 40 ms for
 * Google's libraries, which a function without a secret to fetch never uses. As text there they cost 20 ms.
 */
export const deferred: Plugin = {
  name: 'deferred',
  setup({ initialOptions, onResolve }) {
    const folder = dirname(initialOptions.outfile ?? '');
    onResolve({ filter: /.*/ }, async ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import' || path.startsWith('node:')) return undefined;
      const file = fileName(path);
      await build({
        stdin: { contents: `module.exports = require(${JSON.stringify(path)});`, resolveDir },
        outfile: join(folder, file),
        bundle: true,
        format: 'cjs',
        platform: 'node',
        target: 'node24',
        minify: true,
        legalComments: 'none',
        plugins: [leanGoogle],
      });
      const watchFiles = path.startsWith('.') ? [join(resolveDir, path)] : [];
      return { path: `./${file}`, external: true, watchFiles };
    });
  },
};

// '@google-cloud/x' and './x.ts' alike: one file name beside the bundle.
const fileName = (path: string) => `${path.replace(/^\W+|\.ts$/g, '').replaceAll('/', '-')}.js`;
