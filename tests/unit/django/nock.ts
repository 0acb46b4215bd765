import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import type Nock from 'nock';

// nock is published as an ES module only, which jest cannot require: it is bundled as the functions
// are. jest shares Node's http module with the tests, so its patches reach the client.
const require = createRequire(join(import.meta.dirname, 'nock.ts'));
const library = require.resolve('nock');
const interceptors = createRequire(library).resolve('@mswjs/interceptors');
const { outputFiles } = buildSync({
  entryPoints: [library],
  bundle: true,
  format: 'cjs',
  platform: 'node',
  write: false,
  // Its dependency reads a file beside itself.
  define: {
    'import.meta.url': JSON.stringify(pathToFileURL(interceptors)),
  },
});
const module: { exports: { default?: typeof Nock } } = { exports: {} };
new Function('module', 'exports', 'require', outputFiles[0]?.text ?? '')(
  module,
  module.exports,
  require,
);
if (!module.exports.default) throw new Error('nock could not be bundled');

/** HTTP answers made up for a test; see https://github.com/nock/nock. */
export const nock = module.exports.default;
