import { execFile } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeployProject, Outcome } from './deployProject.ts';

const root = join(import.meta.dirname, '../..');

/** What stands in the guide for what a newcomer has. */
interface Newcomer {
  project: string;
  instance: string;
  /** The address of the database, as its owner. */
  databaseUrl: string;
  environment: Record<string, string>;
  /** What is typed at the prompts of the step `secrets`. */
  secrets: string;
}

/**
 * Runs the numbered list of the guide from an empty project, command by command, but for those that make a
 * real instance or wait for a password to be typed. Returns the last command's outcome, and each with its own.
 */
export async function deployForTheFirstTime(
  deployProject: DeployProject,
  newcomer: Newcomer,
): Promise<{ command: string; outcome: Outcome }[]> {
  const { project, instance, databaseUrl, environment, secrets } = newcomer;
  const owner = new URL(databaseUrl);
  const socketUrl = `${databaseUrl.replace(owner.host, '')}?host=/cloudsql/${instance}`;
  proxyTo(deployProject, owner);
  deployProject.write(
    'docs/examples/grants.sql',
    readFileSync(join(root, 'docs/examples/grants.sql'), 'utf8'),
  );
  const env = { ...environment, PATH: `${deployProject.folder}/bin:${environment['PATH']}` };
  const done: { command: string; outcome: Outcome }[] = [];
  for (const line of commandsOfGuide()) {
    const command = line
      .replace(/postgresql:\/\/postgres:OWNER_PASSWORD@\/members\?host=[^']*/, socketUrl)
      .replace(/postgresql:\/\/postgres:OWNER_PASSWORD@127[^']*/, databaseUrl)
      .replaceAll('my-project', project);
    const input = command.endsWith(' secrets') ? secrets : '';
    const outcome = await runInShell(command, deployProject.folder, env, input);
    done.push({ command: line, outcome });
    if (outcome.status !== 0) break;
  }
  return done;
}

function commandsOfGuide(): string[] {
  const guide = readFileSync(join(root, 'docs/setup/MEMBERSHIP_SYNC_DEPLOYMENT.md'), 'utf8');
  const [, section = ''] = /### The first deployment\n(.*?)\nIn a script/s.exec(guide) ?? [];
  return [...section.matchAll(/```sh\n([^`]*)```/g)]
    .flatMap(([, block]) => String(block).trim().split('\n'))
    .filter((line) => !/^gcloud sql |^cloud-sql-proxy |\\password/.test(line));
}

// As the Cloud SQL Auth Proxy: a socket in the folder that is asked for, behind it the database.
function proxyTo(deployProject: DeployProject, { hostname, port }: URL): void {
  const script = `#!/usr/bin/env node
import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
const folder = process.argv.find((word) => word.startsWith('--unix-socket=')).slice(14);
const own = folder + '/' + process.argv.at(-1);
mkdirSync(own, { recursive: true });
createServer((socket) => {
  const database = connect(${port}, '${hostname}');
  socket.pipe(database).pipe(socket);
  for (const end of [socket, database]) end.on('error', () => {});
}).listen(own + '/.s.PGSQL.5432');
`;
  deployProject.write('bin/cloud-sql-proxy', script);
  chmodSync(join(deployProject.folder, 'bin/cloud-sql-proxy'), 0o755);
}

function runInShell(
  command: string,
  cwd: string,
  env: Record<string, string>,
  input: string,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['-c', command],
      { cwd, env, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        resolve({
          status: typeof error?.code === 'number' ? error.code : error ? 1 : 0,
          stdout,
          stderr,
        });
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
