import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../migrations');
const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));

// Citus, once it manages a table, sends the message that a statement about it stands in on to its nodes (commands/table.c
// and index.c take the text of the message), and these take one statement: "cannot insert multiple commands into a
// prepared statement". A file is one message; what a block runs is a message of its own. members may be such a table since 007.
test.each(files.filter((file) => file > '007'))(
  '%s changes members alone, or in a block',
  (file) => {
    const text = readFileSync(join(folder, file), 'utf8').replace(/--.*$/gm, '');
    const statements = text
      .replace(/do \$\$[\s\S]*?\$\$/g, 'do')
      .split(';')
      .filter((statement) => statement.trim() !== '');
    const about = statements.filter((statement) =>
      /\b(alter table|drop index|create (unique )?index[\s\S]* on)\s+(if (not )?exists\s+)?public\.(members|idx_members)/i.test(
        statement,
      ),
    );
    expect(about.length === 0 || statements.length === 1).toBe(true);
  },
);
