import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloudFake, PROJECT } from './gcloudFakeTypes.ts';

const onPath = (command: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => join(folder, command))
    .find((file) => existsSync(file));

/** The folder of the Google Cloud SDK; undefined when it is not installed. */
const sdkRoot = (): string | undefined => {
  const gcloud = onPath('gcloud');
  const root = gcloud && dirname(dirname(realpathSync(gcloud)));
  return root && existsSync(join(root, 'lib/gcloud.py')) ? root : undefined;
};

/** `describe`, or a skipped one that says why when the command is not on this machine. */
export function describeWith(command: 'gcloud' | 'shellcheck' | 'psql') {
  const found = command === 'gcloud' ? sdkRoot() : onPath(command);
  if (found) return describe;
  process.stderr.write(`skipped: ${command} is not installed on this machine\n`);
  return describe.skip;
}

const apis =
  'CLOUDFUNCTIONS RUN CLOUDSCHEDULER SECRETMANAGER CLOUDRESOURCEMANAGER SERVICEUSAGE CLOUDBUILD IAM IAP LOGGING MONITORING SQL PUBSUB';

/**
 * The environment in which the real gcloud talks to the fake and to nothing else: its own
 * configuration folder, a throw-away key, every API at the fake. Closing ends what it started.
 */
export async function startGcloud(fake: CloudFake) {
  const root = sdkRoot();
  if (!root) throw new Error('gcloud is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'gcloud-'));
  writeFileSync(join(folder, 'key.json'), JSON.stringify(throwAwayKey(fake.url)));
  const environment: Record<string, string> = {
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
    HOME: folder,
    CLOUDSDK_CONFIG: join(folder, 'config'),
    CLOUDSDK_CORE_PROJECT: PROJECT,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: 'true',
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: join(folder, 'key.json'),
    CLOUDSDK_AUTH_TOKEN_HOST: `${fake.url}/token`,
    // `gcloud run` puts the region before the host; a proxy makes any host reachable.
    http_proxy: fake.url,
  };
  for (const api of apis.split(' ')) {
    environment[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`] = `${fake.url}/`;
  }
  const server = await serveGcloud(root, folder, environment);
  return {
    environment,
    close: async () => {
      server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const throwAwayKey = (url: string) => ({
  type: 'service_account',
  project_id: PROJECT,
  private_key_id: '1',
  private_key: generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey,
  client_email: `deployer@${PROJECT}.iam.gserviceaccount.com`,
  client_id: '1',
  token_uri: `${url}/token`,
});

// A `gcloud` first on PATH that hands its arguments to one long-lived process (gcloudCall.py, gcloudServer.py).
async function serveGcloud(
  root: string,
  folder: string,
  environment: Record<string, string>,
): Promise<ChildProcess> {
  const bundled = join(root, 'platform/bundledpythonunix/bin/python3');
  const python = existsSync(bundled) ? bundled : (onPath('python3') ?? '');
  const socket = join(folder, 'socket');
  mkdirSync(join(folder, 'bin'));
  const shim = join(folder, 'bin/gcloud');
  const call = readFileSync(join(import.meta.dirname, 'gcloudCall.py'), 'utf8');
  writeFileSync(shim, `#!${python} -SEI\n${call}`);
  chmodSync(shim, 0o755);
  // Between two tries deploy.sh waits for seconds; the fake needs none. Fractions wait for a process here.
  writeFileSync(
    join(folder, 'bin/sleep'),
    '#!/bin/sh\ncase $1 in 0.*) exec /bin/sleep "$1" ;; esac\n',
  );
  chmodSync(join(folder, 'bin/sleep'), 0o755);
  const server = spawn(python, ['-S', join(import.meta.dirname, 'gcloudServer.py'), root, socket], {
    env: environment,
    stdio: 'ignore',
  });
  for (let tries = 0; !existsSync(socket); tries++) {
    if (tries > 600 || server.exitCode !== null) throw new Error('gcloud could not be started');
    await sleep(50);
  }
  return server;
}

/** The verdict of gcloud's own parser on each command, without running any; '' when it accepts it. */
export function lintCommands(commands: string[], environment: Record<string, string>): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'gcloud-lint-'));
  const file = join(folder, 'commands.json');
  writeFileSync(file, JSON.stringify(commands.map((command) => ({ command_string: command }))));
  const output = execFileSync(
    'gcloud',
    ['meta', 'lint-gcloud-commands', `--commands-file=${file}`],
    {
      env: environment,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  rmSync(folder, { recursive: true });
  const verdicts = JSON.parse(output) as { success: boolean; error_message?: string }[];
  return verdicts.map(({ success, error_message }) =>
    success ? '' : (error_message ?? 'refused'),
  );
}
