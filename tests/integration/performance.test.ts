import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SERVER_URL } from '../support/server.ts';

const root = join(import.meta.dirname, '../..');

// Ratios within one run, with margins that only a real regression exceeds: a statement a member, rows
// that leave the database, a pass over the plan too many. The figures are in docs/PERFORMANCE.md.
test('10,000 members cost less than a statement each, and unchanged ones no more than new ones', async () => {
  const node = join(root, 'node_modules/.bin/node');
  const guard = [join(root, 'bench/guard.ts'), process.env[SERVER_URL] ?? ''];
  const { stdout } = await promisify(execFile)(node, guard);
  const { first, unchanged, rowwise } = JSON.parse(stdout);
  expect(first).toBeLessThan(rowwise);
  expect(unchanged).toBeLessThan(1.5 * first);
}, 120_000);
