import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bareEnvironment } from './commands.ts';

const root = join(import.meta.dirname, '../..');
const deployed = ['deploy.sh', 'deploy', 'package.json', 'package-lock.json'];
// Nothing writes to these.
const linked = ['functions', 'lib'];
const notForBuilding = ['node_modules', 'dist', 'coverage', '.git', 'tests', 'docs'];
const functions = ['syncScheduled', 'syncDryRun', 'syncStatus', 'syncLogs', 'syncAdmin', 'health'];

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

interface DeployOptions {
  env?: Record<string, string>;
  input?: string;
  /** Where it is started; the copy itself by default. */
  cwd?: string;
  /** Closes its stdout after so many lines, as `head` does. */
  lines?: number;
}

export interface DeployProject {
  folder: string;
  /** Runs ./deploy.sh in the copy; stdin is the input, or empty. */
  deploy(words: string[], options?: DeployOptions): Promise<Outcome>;
  write(file: string, content: string): void;
  /** Makes the folder a repository with everything committed. */
  commitAll(): void;
}

/**
 * A copy of what deploy.sh works on, in a temporary folder, because it builds into dist/ and looks
 * at the state of the repository. With `buildable` the sources are there too; without, a stand-in
 * for a finished build. The folder is removed after the last test of the file.
 */
export function createDeployProject({ buildable = false } = {}): DeployProject {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  folders.push(folder);
  const names = buildable
    ? readdirSync(root).filter((name) => !notForBuilding.includes(name))
    : deployed;
  for (const name of names) cpSync(join(root, name), join(folder, name), { recursive: true });
  const write = (file: string, content: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  };
  write('CHANGELOG.md', '# Changelog\n\n## 1.0.0\n\n- First.\n');
  write('.gitignore', 'node_modules\ndist/\nbin/\n');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  if (!buildable) {
    for (const name of linked) symlinkSync(join(root, name), join(folder, name));
    standInForBuild(write);
  }
  return {
    folder,
    write,
    deploy: (words, options) => deploy(folder, words, options),
    commitAll: () => {
      const git = (...words: string[]) =>
        execFileSync('git', words, { cwd: folder, stdio: 'pipe' });
      git('init', '--quiet');
      git('add', '--all');
      git('-c', 'user.name=t', '-c', 'user.email=t@example.is', 'commit', '--quiet', '--message=x');
    },
  };
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function standInForBuild(write: (file: string, content: string) => void): void {
  for (const name of functions) {
    write(`dist/${name}/index.js`, `// ${name}`);
    write(`dist/${name}/package.json`, '{}');
    write(`dist/${name}/package-lock.json`, '{}');
    write(`dist/${name}/.gcloudignore`, '*\n!index.js\n');
  }
}

function deploy(
  folder: string,
  words: string[],
  { env = {}, input = '', cwd = folder, lines = 1e9 }: DeployOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(folder, 'deploy.sh'), words, {
      cwd,
      env: { ...bareEnvironment(), HOME: folder, ...env },
    });
    const outcome = { status: -1, stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        outcome[stream] += text;
        if (outcome.stdout.split('\n').length > lines) child.stdout.destroy();
      });
    }
    child.once('error', reject);
    child.once('close', (status) => resolve({ ...outcome, status: status ?? -1 }));
    // It may end without reading its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

export interface StubRule {
  /** A shell pattern for the whole command, e.g. `gcloud secrets list*`. */
  command: string;
  answer?: string;
  status?: number;
  /** How many commands it answers; all of them by default. */
  times?: number;
  /** A signal to deploy.sh and to the command itself, as from a terminal: INT, TERM. */
  signal?: string;
}

/**
 * Stand-ins for gcloud, npm, curl, cloud-sql-proxy and sleep that record how they are called. The first
 * rule that matches answers, as often as it says; without one a command succeeds and says nothing.
 */
export function createStubs(project: DeployProject, rules: StubRule[] = []) {
  const log = join(project.folder, 'bin/log');
  const lines = rules.map(
    ({ command, answer = '', status = 0, times = 1e9, signal = '' }) =>
      `${command}\x1f${status}\x1f${answer.replaceAll('\n', '\x1e')}\x1f${times}\x1f${signal}\n`,
  );
  project.write('bin/rules', lines.join(''));
  project.write('bin/log', '');
  for (const file of readdirSync(join(project.folder, 'bin'))) {
    if (file.startsWith('used.')) rmSync(join(project.folder, 'bin', file));
  }
  for (const name of ['gcloud', 'npm', 'curl', 'cloud-sql-proxy', 'sleep']) {
    project.write(`bin/${name}`, stub);
    chmodSync(join(project.folder, 'bin', name), 0o755);
  }
  return {
    env: { PATH: `${join(project.folder, 'bin')}:${process.env['PATH']}` },
    /** The commands so far, each on one line, with what came on stdin after ` <<< `. */
    commands: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    forget: () => writeFileSync(log, ''),
  };
}

/** A revision that serves, or that has served. */
export interface RevisionStub {
  name: string;
  number?: number;
  deployment?: string;
  bundle?: string;
  instance?: string;
  pinned?: boolean;
  split?: boolean;
  image?: string;
  variables?: Record<string, string>;
  proxied?: boolean;
}

/** Rules for the two lists from which `verify` and `rollback` see what answers, and what answered before. */
export function servingRules(serving: RevisionStub[], earlier: RevisionStub[] = []): StubRule[] {
  const revision = ({ name, number = 1 }: RevisionStub) => `${name.toLowerCase()}-${number}`;
  const services = serving.map((one) => ({
    metadata: {
      name: one.name.toLowerCase(),
      annotations: one.proxied ? { 'run.googleapis.com/iap-enabled': 'true' } : {},
    },
    status: {
      traffic: [
        { revisionName: revision(one), percent: 100, latestRevision: !one.pinned },
        ...(one.split ? [{ revisionName: 'another', percent: 10 }] : []),
      ],
    },
  }));
  const revisions = [...serving, ...earlier].map((one) => ({
    metadata: {
      name: revision(one),
      creationTimestamp: `2026-01-01T00:00:0${one.number ?? 1}Z`,
      labels: { 'serving.knative.dev/service': one.name.toLowerCase() },
      annotations: { 'run.googleapis.com/cloudsql-instances': one.instance ?? '' },
    },
    spec: {
      containers: [
        {
          image: one.image ?? 'x',
          env: [
            { name: 'DEPLOYMENT', value: one.deployment ?? 'd1' },
            { name: 'BUNDLE', value: one.bundle ?? 'b1' },
            ...Object.entries(one.variables ?? {}).map(([name, value]) => ({ name, value })),
          ],
        },
      ],
    },
  }));
  return [
    { command: '* run revisions list *--format=json*', answer: JSON.stringify(revisions) },
    { command: '* run services list *--format=json*', answer: JSON.stringify(services) },
  ];
}

const stub = `#!/usr/bin/env bash
here=$(dirname "$0")
command="$(basename "$0") $*"
line=$command
case $command in *--data-file=-*) line="$line <<< $(cat)" ;; esac
[ -z "\${DATABASE_URL:-}" ] || line="$line [DATABASE_URL=$DATABASE_URL]"
printf '%s\\n' "\${line//$'\\n'/ }" >>"$here/log"
for word in "$@"; do
  case $word in --unix-socket=*) socket="\${word#*=}/\${*: -1}/.s.PGSQL.5432"; mkdir -p "$(dirname "$socket")"; : >"$socket"; exec /bin/sleep 30 ;; esac
done
number=0
while IFS=$'\\x1f' read -r pattern status answer times signal; do
  number=$((number + 1))
  # shellcheck disable=SC2053
  if [[ $command == $pattern ]]; then
    used=$(cat "$here/used.$number" 2>/dev/null || echo 0)
    [ "$used" -lt "$times" ] || continue
    echo $((used + 1)) >"$here/used.$number"
    # As gcloud does: it catches Ctrl-C and ends by itself.
    if [ -n "$signal" ]; then trap : "$signal" && kill "-$signal" $PPID $$; fi
    if [ "$status" -ne 0 ]; then exec >&2; fi
    case $command in
      # The status, and the body into the file.
      curl*' -o '*) body=\${command#* -o } && printf '%s' "\${answer#* }" >"\${body%% *}" && answer=\${answer%% *} ;;
    esac
    [ -z "$answer" ] || printf '%s\\n' "\${answer//$'\\x1e'/$'\\n'}"
    exit "$status"
  fi
done <"$here/rules"
`;
