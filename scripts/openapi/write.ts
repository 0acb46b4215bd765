import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApiDocument } from './document.ts';

// `npm run docs` writes docs/openapi.json; a test fails when that was forgotten.
const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const file = join(root, 'docs/openapi.json');
await writeFile(file, `${JSON.stringify(openApiDocument(version), null, 2)}\n`);
console.log('wrote docs/openapi.json');
