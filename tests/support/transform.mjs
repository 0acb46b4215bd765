import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { transformSync, version } from 'esbuild';

const loaders = { '.ts': 'ts', '.sql': 'text', '.js': 'js', '.mjs': 'js' };

/** Gives jest the same view of the sources as the bundles: TypeScript stripped, SQL as text, CommonJS. */
export default {
  process(source, path) {
    return transformSync(source, {
      loader: loaders[extname(path)],
      format: 'cjs',
      target: 'node24',
      sourcefile: path,
      sourcemap: 'inline',
      define: { 'import.meta.dirname': '__dirname', 'import.meta.main': 'false' },
    });
  },
  getCacheKey(source, path, { configString, instrument }) {
    return createHash('sha1')
      .update([source, path, configString, instrument, version].join('\0'))
      .digest('hex');
  },
};
