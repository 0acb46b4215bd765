import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { transformSync, version } from 'esbuild';

// What this file does is part of the cache key.
const self = readFileSync(new URL(import.meta.url), 'utf8');
const loaders = {
  '.ts': 'ts',
  '.tsx': 'tsx',
  '.sql': 'text',
  '.css': 'text',
  '.js': 'js',
  '.mjs': 'js',
};

/** Gives jest the same view of the sources as the bundles: TypeScript stripped, SQL as text, CommonJS. */
export default {
  process(source, path) {
    return transformSync(source, {
      loader: path.endsWith('.client.js') ? 'text' : loaders[extname(path)],
      jsx: 'automatic',
      jsxImportSource: 'preact',
      format: 'cjs',
      target: 'node24',
      // jest runs CommonJS in a context of its own, where a real import() is refused.
      supported: { 'dynamic-import': false },
      sourcefile: path,
      sourcemap: 'inline',
      define: { 'import.meta.dirname': '__dirname', 'import.meta.main': 'false' },
    });
  },
  getCacheKey(source, path, { configString, instrument }) {
    return createHash('sha1')
      .update([source, path, configString, instrument, version, self].join('\0'))
      .digest('hex');
  },
};
