import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../migrations');
const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));

// Citus, once it manages a table, takes one statement about it in each message, and a file is one message.
test.each(files.filter((file) => file > '006'))('%s says at most one thing of members', (file) => {
  const statements = readFileSync(join(folder, file), 'utf8')
    .replace(/--.*$/gm, '')
    .split(';')
    .filter((statement) =>
      /\b(table|index|on)\s+(if (not )?exists\s+)?public\.members\b/i.test(statement),
    );
  expect(statements.length).toBeLessThanOrEqual(1);
});
