import { realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createDeployProject, createStubs, servingRules } from '../support/deployProject.ts';

jest.setTimeout(60_000);

const settings = [
  '--project=membership-test',
  '--django-base-url=https://register.felag.test',
  '--alert-email=ops@felag.test',
];
const project = createDeployProject();
const values =
  'DATABASE_URL=postgresql://u@/db\nDATABASE_READER_URL=postgresql://r@/db\nDJANGO_API_KEY=key\n';

describe('what Google refuses for a moment', () => {
  const busy = (command: string, times: number, answer: string) => ({
    command,
    times,
    status: 1,
    answer,
  });

  test('is tried again, with the same secret on stdin', async () => {
    const { env, commands } = createStubs(project, [
      busy('* secrets create membership-sync-database-url *', 2, 'ERROR: RESOURCE_EXHAUSTED: 429'),
      busy(
        '* add-iam-policy-binding *',
        1,
        'Service account membership-sync-run@x does not exist.',
      ),
      busy('* secrets list *', 1, 'HTTPError 503: try again'),
    ]);
    const words = [...settings, 'secrets'];
    const { status, stderr } = await project.deploy(words, { env, input: values });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const creates = commands().filter((line) =>
      line.includes('create membership-sync-database-url'),
    );
    expect(creates.map((line) => line.split(' <<< ')[1])).toEqual(
      Array(3).fill('postgresql://u@/db'),
    );
    expect(commands().filter((line) => line.startsWith('sleep'))).toEqual([
      'sleep 1',
      'sleep 1',
      'sleep 4',
      'sleep 1',
    ]);
  });

  test('is given up after six tries, with the words of Google', async () => {
    const { env, commands } = createStubs(project, [
      { command: '* secrets list *', status: 1, answer: 'HTTPError 429: slow down' },
    ]);
    const { status, stderr } = await project.deploy([...settings, 'secrets'], { env });
    expect(stderr).toContain('HTTPError 429: slow down');
    expect(status).toBe(3);
    expect(commands().filter((line) => line.includes('secrets list'))).toHaveLength(6);
  });

  test.each(['PERMISSION_DENIED: 403', 'INVALID_ARGUMENT: the id 429503 is wrong'])(
    'is not what means no: %s',
    async (answer) => {
      const { env, commands } = createStubs(project, [
        { command: '* secrets list *', status: 1, answer },
      ]);
      const { status, stderr } = await project.deploy([...settings, 'secrets'], { env });
      expect(stderr).toContain(answer);
      expect(status).toBe(3);
      expect(commands().filter((line) => line.includes('secrets list'))).toHaveLength(1);
    },
  );

  test('a service that was enabled a moment ago may not know it yet', async () => {
    const { env } = createStubs(project, [
      busy('* service-accounts list *', 2, 'SERVICE_DISABLED: it is disabled'),
    ]);
    const fresh = await project.deploy([...settings, 'apis', 'service-accounts'], { env });
    expect(fresh.status).toBe(0);
  });
});

describe('what cannot be read', () => {
  const refused = (command: string, answer: string) => ({ command, status: 1, answer });
  const signedOut = 'You do not currently have an active account selected. $ gcloud auth login';

  test.each([
    ['verify', '* functions list *', signedOut, 'not signed in, or no longer: gcloud auth login'],
    ['verify', '* run services list *', 'PERMISSION_DENIED: run.services.list', 'Prerequisites'],
    ['verify', '* run revisions list *', 'HTTPError 500: oh', 'try again in some minutes'],
    ['verify', '* jobs list *', 'PERMISSION_DENIED: jobs', 'Prerequisites'],
    ['rollback', '* revisions list *', 'PERMISSION_DENIED: revisions', 'Prerequisites'],
    ['scheduler', '* functions describe *', signedOut, 'gcloud auth login'],
    ['secrets', '* secrets describe *', 'PERMISSION_DENIED: secrets', 'Prerequisites'],
    ['functions', '* revisions list *', 'PERMISSION_DENIED: revisions', 'Prerequisites'],
    ['invokers', '* get-iam-policy *', 'PERMISSION_DENIED: policy', 'Prerequisites'],
  ])(
    'is said once by %s (%s), with what to do, and nothing is built on it',
    async (step, command, answer, says) => {
      const { env, commands } = createStubs(project, [refused(command, answer)]);
      await project.deploy([...settings, 'build'], { env });
      const words = [...settings, '--cloudsql-instance=a-b-c-d:e:f', step];
      const { status, stdout, stderr } = await project.deploy(words, { env, input: values });
      expect(stderr.split(answer)).toHaveLength(2);
      expect(stderr).toContain('This could not be read, so nothing is known of it: gcloud ');
      expect(stderr).toContain(says);
      expect(stdout + stderr).not.toMatch(
        /WRONG|absent|not attached|no earlier|no address yet|at Object/,
      );
      expect(status).toBe(3);
      expect(commands().join('\n')).not.toMatch(/ (create|deploy|update|pause|add|add-\S+) /);
    },
  );

  test('of who may call is said as such, without a hint', async () => {
    const { env } = createStubs(project, [
      refused('* get-iam-policy *', 'PERMISSION_DENIED: policy'),
      { command: '* functions list *', answer: 'syncScheduled\tACTIVE\thttps://x' },
    ]);
    const { status, stdout } = await project.deploy([...settings, 'verify'], { env });
    expect(stdout).toContain(
      'WRONG who may call syncLogs could not be read: PERMISSION_DENIED: policy\n',
    );
    expect(stdout).not.toMatch(/may not call|invokers/);
    expect(status).toBe(1);
  });
});

describe('a list that lags behind', () => {
  const there = { command: '* create *', status: 1, answer: 'ALREADY_EXISTS: it already exists' };

  test('a secret that is there after all keeps its value', async () => {
    const { env, commands } = createStubs(project, [
      there,
      { command: '* versions list *', answer: '1' },
    ]);
    const words = [...settings, 'secrets'];
    const { status, stderr } = await project.deploy(words, { env, input: values });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(commands().join('\n')).not.toContain('versions add');
  });

  test('a secret that is there without a value gets the one that was given', async () => {
    const { env, commands } = createStubs(project, [there]);
    await project.deploy([...settings, 'secrets'], { env, input: values });
    expect(commands().filter((line) => line.includes('versions add'))[0]).toContain(
      'versions add membership-sync-database-url --data-file=- --project=membership-test <<< postgresql://u@/db',
    );
  });

  test('accounts and the job that are there after all are no failure, and the job is brought up to date', async () => {
    const { env, commands } = createStubs(project, [
      there,
      { command: '* functions describe *', answer: 'https://x/syncScheduled' },
    ]);
    const { status } = await project.deploy([...settings, 'service-accounts', 'scheduler'], {
      env,
    });
    expect(status).toBe(0);
    expect(commands().some((line) => line.includes('scheduler jobs update http'))).toBe(true);
  });

  test('alerts are looked for twice before they are made, and a second one of a name goes', async () => {
    const { env, commands } = createStubs(project, [
      { command: '* channels list *', answer: 'projects/p/notificationChannels/1' },
      { command: '* policies list *', answer: '[]', times: 1 },
      {
        command: '* policies list *',
        answer: JSON.stringify(
          ['1', '2'].map((name) => ({ name, displayName: 'membership-sync: no complete run' })),
        ),
      },
    ]);
    const { status } = await project.deploy([...settings, 'monitoring'], { env });
    expect(status).toBe(0);
    const policies = commands().filter((line) => /policies (create|update|delete)/.test(line));
    const stale = policies.filter((line) =>
      line.includes('"displayName": "membership-sync: no complete run"'),
    );
    expect(stale.map((line) => line.split(' --policy')[0])).toEqual([
      'gcloud alpha monitoring policies update 1',
    ]);
    expect(policies.at(-1)).toContain('policies delete 2');
  });

  test('a new channel is used by the name that its creation gave', async () => {
    const { env, commands } = createStubs(project, [
      { command: '* channels create *', answer: 'projects/p/notificationChannels/7' },
    ]);
    const { status } = await project.deploy([...settings, 'monitoring'], { env });
    expect(status).toBe(0);
    const [first] = commands().filter((line) => line.includes('policies create'));
    expect(first).toContain('"notificationChannels":["projects/p/notificationChannels/7"]');
  });
});

describe('rollback', () => {
  const jobs = { command: '* scheduler jobs list *', answer: 'membership-sync\tENABLED' };

  test('pauses nothing when there is nothing to go back to', async () => {
    const { env, commands } = createStubs(project, [jobs, ...servingRules([{ name: 'health' }])]);
    const { status, stderr } = await project.deploy([...settings, 'rollback'], { env });
    expect(stderr).toContain('no earlier deployment that all functions have: nothing was paused');
    expect(status).toBe(1);
    expect(commands().join('\n')).not.toMatch(/pause|update-traffic/);
  });

  const before = servingRules(
    [{ name: 'health', deployment: 'd2', number: 2 }],
    [{ name: 'health', deployment: 'd1', number: 1 }],
  );

  test('says what it left paused, and how it starts again', async () => {
    const { env, commands } = createStubs(project, [jobs, ...before]);
    const { status, stdout } = await project.deploy([...settings, 'rollback'], { env });
    expect(status).toBe(0);
    expect(stdout).toContain('done. Paused: membership-sync');
    expect(stdout).toContain(
      `when all is well again: ./deploy.sh ${settings.join(' ')} scheduler verify`,
    );
    const changes = commands().filter((line) => /pause|update-traffic/.test(line));
    expect(changes[0]).toContain('scheduler jobs pause membership-sync');
    expect(changes[1]).toContain(
      'update-traffic health --region=europe-west2 --to-revisions=health-1=100',
    );
  });

  test.each(['INT', 'TERM'])(
    'says what it leaves when it is stopped in the middle: %s',
    async (signal) => {
      const stopped = { command: '* update-traffic *', status: 1, signal };
      const { env } = createStubs(project, [stopped, jobs, ...before]);
      const { status, stderr } = await project.deploy([...settings, 'rollback'], { env });
      expect(stderr).toMatch(
        /^Stopped by (Ctrl-C|a signal) in the step rollback\..*\n {2}\.\/deploy\.sh .* rollback\n/m,
      );
      expect(stderr).toContain(
        'Until it has gone on, the functions may answer from two deployments.',
      );
      expect(stderr).toContain(
        'Left paused: membership-sync. It starts again with:\n  ./deploy.sh',
      );
      expect(status).toBe(signal === 'INT' ? 130 : 143);
    },
  );

  test('and when nobody reads its output any more', async () => {
    const { env, commands } = createStubs(project, [jobs, ...before]);
    const words = [...settings, 'rollback'];
    const { status, stderr } = await project.deploy(words, { env, lines: 4 });
    expect(stderr).toContain('Stopped, since nobody reads what it says, in the step rollback');
    expect(status).toBe(141);
    expect(commands().join('\n')).not.toContain('update-traffic');
  });

  test('needs neither what npm installs nor the folder of the project', async () => {
    const bare = createDeployProject();
    const node = join(bare.folder, 'node_modules/.bin/node');
    const { env, commands } = createStubs(bare, [
      jobs,
      ...before,
      { command: '* functions describe *', answer: 'https://x' },
      { command: '* jobs update *', status: 1, answer: 'no' },
    ]);
    symlinkSync(realpathSync(node), join(bare.folder, 'bin/node'));
    rmSync(join(bare.folder, 'node_modules'));
    const words = [...settings, 'rollback', 'scheduler'];
    const { stderr } = await bare.deploy(words, { env, cwd: '/' });
    expect(commands().join('\n')).toContain('update-traffic health');
    expect(stderr).toContain(
      `go on with:\n  ${bare.folder}/deploy.sh ${settings.join(' ')} scheduler\n`,
    );
    const code = await bare.deploy([...settings, 'functions'], { env, cwd: '/' });
    expect(code.stderr).toContain('functions: node_modules is missing: run `npm ci` first');
  });

  test('says so even when it stops half-way', async () => {
    const refused = { command: '* update-traffic *', status: 1, answer: 'PERMISSION_DENIED' };
    const { env } = createStubs(project, [refused, jobs, ...before]);
    const { status, stderr } = await project.deploy([...settings, 'rollback'], { env });
    expect(stderr).toContain('Step rollback failed');
    expect(stderr).toContain(
      `Left paused: membership-sync. It starts again with:\n  ./deploy.sh ${settings.join(' ')} scheduler`,
    );
    expect(status).toBe(1);
  });
});
