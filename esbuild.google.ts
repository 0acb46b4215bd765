import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Builds in of Google's client what it takes to read a secret over REST, with any kind of credentials. gRPC,
 * the other services and their schemas are left out, and a module runs when it is first used. Loading,
 * connecting and reading three secrets take 125 ms so, and 280 ms whole (docs/PERFORMANCE.md).
 */
export const leanGoogle: Plugin = {
  name: 'lean-google',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^google-gax$/ }, ({ path, resolveDir }) => ({
      path,
      namespace: 'lean-google',
      pluginData: resolveDir,
    }));
    onLoad({ filter: /.*/, namespace: 'lean-google' }, ({ pluginData }) => ({
      contents: restOfGax,
      resolveDir: pluginData,
    }));
    onResolve({ filter: /^node-fetch$/ }, () => ({ path: nodeFetch }));
    onLoad({ filter: /\/secret-manager\/build\/protos\/protos\.json$/ }, async ({ path }) => ({
      contents: JSON.stringify(onlyAccess(JSON.parse(await readFile(path, 'utf8')))),
      loader: 'json',
    }));
    onLoad(
      { filter: /\/google-gax\/build\/protos\/(iam_service|locations|operations)\.js/ },
      () => ({
        contents: '{}',
        loader: 'json',
      }),
    );
    onLoad({ filter: packages }, async ({ path }) => ({
      contents: withHeadersOfFetch(runOnFirstUse(await readFile(path, 'utf8'))),
    }));
  },
};

// All that the client asks of google-gax when it is told `fallback: true`. Whole, it loads gRPC.
const restOfGax = `
  exports.fallback = require('google-gax/fallback');
  exports.loggingUtils = require('google-logging-utils');`;

const service = 'google.cloud.secretmanager.v1';
const messages = ['AccessSecretVersionRequest', 'AccessSecretVersionResponse', 'SecretPayload'];

interface Schema {
  nested: Record<string, Schema>;
  methods?: Record<string, unknown>;
}

// The schema of all methods of all versions, without what accessSecretVersion does not refer to.
function onlyAccess(schema: Schema): object {
  const { nested } = service.split('.').reduce((part, name) => part.nested[name] as Schema, schema);
  const { methods, ...rest } = nested['SecretManagerService'] as Schema;
  const { AccessSecretVersion } = methods ?? {};
  const kept = Object.fromEntries(messages.map((name) => [name, nested[name]]));
  const all = { ...kept, SecretManagerService: { ...rest, methods: { AccessSecretVersion } } };
  return service.split('.').reduceRight<object>((inner, name) => ({ nested: { [name]: inner } }), {
    nested: all,
  });
}

const packages =
  /\/node_modules\/(@google-cloud\/secret-manager|gaxios|gcp-metadata|google-(auth-library|gax|logging-utils)|proto3-json-serializer)\/.*\.js$/;
const imported = /^(?:const|var) (\w+_\d+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm;

// What the TypeScript compiler makes of an import: a constant whose name nothing else in the file has.
function runOnFirstUse(code: string): string {
  const names: string[] = [];
  const lazy = code.replace(imported, (_, name: string, load: string) => {
    names.push(name);
    return `let ${name}_module; const ${name}_get = () => ${name}_module ??= ${load};`;
  });
  if (names.length === 0) return code;
  return lazy.replace(new RegExp(`(?<![\\w.$])(${names.join('|')})\\b`, 'g'), '($1_get())');
}

// The one that the libraries send with: not ours to depend on, and an older one has no FormData.
const library = createRequire(import.meta.url).resolve('google-auth-library');
const gaxios = createRequire(library).resolve('gaxios');
const nodeFetch = createRequire(gaxios).resolve('node-fetch');

// They send with node-fetch, but with Node's own Headers, and those load undici: 30 ms.
const withHeadersOfFetch = (code: string) =>
  /\b(Headers|FormData)\b/.test(code)
    ? code.replace(/^("use strict";)?/, "$1const { FormData, Headers } = require('node-fetch');")
    : code;
