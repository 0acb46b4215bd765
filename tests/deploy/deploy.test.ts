import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  createDeployProject,
  createStubs,
  type Outcome,
  type StubRule,
  servingRules,
} from '../support/deployProject.ts';
import { describeWith, lintCommands } from '../support/gcloud.ts';

jest.setTimeout(60_000);

const root = join(import.meta.dirname, '../..');
const INSTANCE = 'membership-test:europe-west2:main';
const settings = [
  '--project=membership-test',
  '--django-base-url=https://register.felag.test',
  '--alert-email=ops@felag.test',
  '--admins-group=admins@felag.test',
  `--cloudsql-instance=${INSTANCE}`,
];
const project = createDeployProject();

/** What a deployed, healthy system answers. */
const functions = ['syncScheduled', 'syncDryRun', 'syncStatus', 'syncLogs', 'health'];
const scheduler = 'membership-sync-scheduler@membership-test.iam.gserviceaccount.com';
const address = 'https://x/syncScheduled';
const job = (state: string, code = '', then = '') =>
  [
    ...['membership-sync', state, '0 * * * *', 'Atlantic/Reykjavik', '570s', address, 'POST'],
    ...[
      'application/json',
      '{"sync_type":"scheduled"}',
      scheduler,
      address,
      '2',
      '60s',
      '300s',
      '',
    ],
    ...[code, then],
  ].join('\t');
const invoker = (...members: string[]) =>
  members.map((member) => `roles/run.invoker\t${member}`).join('\n');
const admins = 'group:admins@felag.test';
const accountOf = (name: string) =>
  `serviceAccount:membership-sync-${name}@membership-test.iam.gserviceaccount.com`;
const healthy: StubRule[] = [
  {
    command: '* functions list *',
    answer: functions.map((name) => `${name}\tACTIVE\thttps://x/${name}`).join('\n'),
  },
  { command: '* functions describe *', answer: 'https://x/syncScheduled' },
  { command: '* functions call syncStatus *', answer: '{"status":"ok"}' },
  { command: '* functions call syncDryRun *', answer: '{"dry_run":true,"members_fetched":1}' },
  { command: '* scheduler jobs list *', answer: job('ENABLED') },
  ...servingRules(functions.map((name) => ({ name, instance: INSTANCE }))),
  {
    command: '* run services list *',
    answer: functions.map((name) => `${name.toLowerCase()}\t${INSTANCE}\tTrue`).join('\n'),
  },
  { command: 'curl *https://x/health', answer: '200 {"status":"healthy"}' },
  { command: 'curl *', answer: '403 <html>' },
  {
    command: '* get-iam-policy syncscheduled *',
    answer: invoker(`serviceAccount:${scheduler}`, admins),
  },
  { command: '* get-iam-policy sync*', answer: invoker(admins) },
  { command: '* get-iam-policy *-reader-url *', answer: accountOf('read') },
  { command: '* secrets get-iam-policy *', answer: accountOf('run') },
];

const dryRun = async (...words: string[]) =>
  (await project.deploy(['--dry-run', ...settings, ...words])).stdout;
const commandsIn = (text: string) => text.split('\n').filter((line) => line.startsWith('gcloud '));

describeWith('shellcheck')('the scripts', () => {
  test.each(['deploy.sh', '.ci/run', 'local/postgres/cleanUp.sh'])(
    'shellcheck finds nothing in %s',
    (file) => {
      const found = execFileSync('shellcheck', ['-xa', file], { cwd: root, encoding: 'utf8' });
      expect(found).toBe('');
    },
  );
});

const guides = ['docs/setup/MEMBERSHIP_SYNC_DEPLOYMENT.md', 'docs/OPERATIONS.md'].map((file) => ({
  file,
  text: readFileSync(join(root, file), 'utf8'),
}));
/** The commands that they show. */
const linesOfGuides = guides.flatMap(({ text }) =>
  [...text.matchAll(/```sh\n([^`]*)```/g)].flatMap(([, block]) => String(block).trim().split('\n')),
);

describe('arguments and settings', () => {
  test('--help says what each step and each option is for', async () => {
    const { status, stdout } = await project.deploy(['--help']);
    expect(status).toBe(0);
    for (const word of [
      'apis',
      'service-accounts',
      'cloudsql',
      'rollback',
      'destroy',
      '--dry-run',
    ]) {
      expect(stdout).toContain(word);
    }
  });

  const refused = [
    { name: 'a missing project', words: [], says: '--project=P is missing' },
    {
      name: 'an unknown step',
      words: [...settings, 'fly'],
      says: 'argument 6 is no step\nSteps: apis',
    },
    {
      name: 'an unknown option',
      words: [...settings, '--fast'],
      says: 'argument 6 is no option (a setting is given as --name=value)',
    },
    { name: 'an unknown setting', words: [...settings, '--colour=red'], says: 'no setting COLOUR' },
    {
      name: 'memory that is no amount',
      words: [...settings, '--sync-memory=half'],
      says: '--sync-memory: an amount such as 512Mi or 1Gi',
    },
    { name: 'a secret in a flag', words: ['--database-url=x'], says: 'DATABASE_URL is a secret' },
    {
      name: 'whatever the chosen steps lack, all at once,',
      words: ['--project=membership-test'],
      says: 'missing:\n  --django-base-url=URL: where is the member register? (functions)\n  --alert-email=ADDRESS: who is told when runs fail? (monitoring)\n  --cloudsql-instance',
    },
    {
      name: 'memory without a unit',
      words: [...settings, '--sync-memory=9999'],
      says: '--sync-memory: an amount such as 512Mi or 1Gi',
    },
    {
      name: 'memory that one CPU cannot have',
      words: [...settings, '--read-memory=5Gi'],
      says: '--read-memory: from 128Mi to 4Gi',
    },
    {
      name: 'a time longer than a function may take',
      words: [...settings, '--sync-timeout=3601'],
      says: '--sync-timeout: seconds, from 10 to 3600',
    },
    {
      name: 'a time zone that there is not',
      words: [...settings, '--time-zone=Nowhere'],
      says: '--time-zone: there is no such time zone',
    },
    {
      name: 'a day between two runs, which no alert could watch,',
      words: [...settings, '--sync-interval-minutes=1440', 'monitoring'],
      says: '--sync-interval-minutes of 720 or less',
    },
    ...[
      ['--rotate=DJANGO_API_KEY', 'secrets'],
      ['--same-build', 'verify'],
      ['--with-page', 'verify'],
      ['--with-secrets', 'destroy'],
      ['--with-database', 'destroy'],
      ['--force', 'functions'],
    ].map(([option = '', step]) => ({
      name: `${option} without its step`,
      words: [...settings, option, 'scheduler'],
      says: `${option.split('=')[0]} does nothing without the step ${step}`,
    })),
    {
      name: 'an address with a password, in a dry run too,',
      words: [
        ...settings,
        '--dry-run',
        '--notify-urls=https://x.felag.test,https://u:hush@y.felag.test',
      ],
      says: '--notify-urls: an address with a user name or password in it',
    },
    {
      name: 'an unknown environment',
      words: ['--env=test'],
      says: '--env is staging or production',
    },
    {
      name: 'an interval that cron cannot say',
      words: [...settings, '--sync-interval-minutes=45'],
      says: 'cron can say',
    },
    {
      name: 'a project with a space',
      words: ['--project=my project'],
      says: 'not the form of a project id',
    },
  ];
  test.each(refused)('$name is a usage error', async ({ words, says }) => {
    const { status, stderr } = await project.deploy(words);
    expect(stderr).toContain(says);
    expect(status).toBe(2);
  });

  test('a flag wins over the file, that over the default, and what differs is said', async () => {
    project.write(
      'envs/staging.env',
      '# ours\n\nREGION=europe-north1\nTIME_ZONE=\'Europe/London\'\nLOG_LEVEL=DEBUG\nADMINS_GROUP="g@felag.test"\n',
    );
    const { stdout } = await project.deploy([
      '--dry-run',
      ...settings.filter((word) => !word.includes('admins')),
      '--env-dir=envs',
      '--time-zone=UTC',
      'functions',
      'scheduler',
      'invokers',
    ]);
    expect(stdout).toContain('--region=europe-north1');
    expect(stdout).toContain('--time-zone=UTC');
    expect(stdout).toContain('LOG_LEVEL=DEBUG');
    expect(stdout).toContain('group:g@felag.test');
    expect(stdout).toContain("--schedule='0 * * * *'");
    expect(stdout).toMatch(/^Other than staging.env, by flag: .*--time-zone/m);
  });

  test('a settings file is data: nothing in it is executed', async () => {
    project.write(
      'evil/staging.env',
      'NOTIFY_URLS=$(touch evil/ran)`touch evil/ran`\nLOG_LEVEL=x;touch evil/ran\n',
    );
    await project.deploy(['--dry-run', ...settings, '--env-dir=evil', 'scheduler', 'functions']);
    expect(existsSync(join(project.folder, 'evil/ran'))).toBe(false);
  });

  test.each([
    { line: 'DJANGO_API_KEY=x', says: 'staging.env:1: DJANGO_API_KEY is a secret' },
    { line: 'COLOUR=x', says: 'staging.env:1: there is no setting COLOUR' },
    { line: 'export REGION=x', says: 'staging.env:1: expected NAME=value' },
  ])('a settings file with $line is refused, with its line', async ({ line, says }) => {
    project.write('wrong/staging.env', `${line}\n`);
    const { status, stderr } = await project.deploy([...settings, '--env-dir=wrong']);
    expect(stderr).toContain(says);
    expect(status).toBe(2);
  });

  test('a setting that stands twice in a file, and a folder without files, are refused', async () => {
    project.write(
      'twice/staging.env',
      'REGION=europe-west2\nLOG_LEVEL=INFO\nREGION=europe-north1\n',
    );
    const twice = await project.deploy([...settings, '--env-dir=twice']);
    expect(twice).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('twice/staging.env:3: REGION is there twice'),
    });
    const nowhere = await project.deploy([...settings, '--env-dir=twise']);
    expect(nowhere).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--env-dir: there is neither staging.env nor production.env'),
    });
  });

  test('the example files hold settings that exist, and no secret', async () => {
    for (const environment of ['staging', 'production']) {
      const example = readFileSync(join(root, `deploy/${environment}.env.example`), 'utf8');
      project.write(`examples/${environment}.env`, example);
      const { stderr, status } = await project.deploy([
        `--env=${environment}`,
        '--env-dir=examples',
        '--dry-run',
      ]);
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    }
  });

  test('every variable that the functions read can be set', () => {
    const source = readFileSync(join(root, 'lib/config.ts'), 'utf8');
    const known = readFileSync(join(root, 'deploy/settings.sh'), 'utf8');
    const ours = [
      'NODE_ENV',
      'PORT',
      'GOOGLE_CLOUD_PROJECT',
      'CLOUD_RUN_TIMEOUT_SECONDS',
      'AUTH_MODE',
      'SYNC_URL',
      'SYNC_DRY_RUN_URL',
      'ADMIN_PAGE_CALLER',
      'SECRET_MANAGER_EMULATOR_HOST',
      'AUTH_CERTS_URL',
    ];
    const names = [...source.matchAll(/^ {4}([A-Z][A-Z_]+):/gm)].map(([, name]) => String(name));
    expect(names.length).toBeGreaterThan(25);
    const missing = names.filter(
      (name) => !ours.includes(name) && !new RegExp(`\\b${name}\\b`).test(known),
    );
    expect(missing).toEqual([]);
  });

  test.each([
    ['15', '*/15 * * * *'],
    ['60', '0 * * * *'],
    ['120', '0 */2 * * *'],
    ['1440', '0 4 * * *'],
  ])('an interval of %s minutes is the schedule %s', async (minutes, schedule) => {
    expect(await dryRun(`--sync-interval-minutes=${minutes}`, 'scheduler')).toContain(
      `--schedule='${schedule}'`,
    );
  });
});

describe('a dry run', () => {
  test('calls no command and changes no file', async () => {
    const own = createDeployProject();
    const { env, commands } = createStubs(own);
    own.commitAll();
    const { status, stdout } = await own.deploy(['--dry-run', ...settings], { env });
    expect(status).toBe(0);
    expect(commands()).toEqual([]);
    expect(
      execFileSync('git', ['status', '--porcelain'], { cwd: own.folder, encoding: 'utf8' }),
    ).toBe('');
    expect(stdout).toContain('[6/12] functions: syncStatus ...');
    expect(stdout).toContain('Dry run: nothing was changed.');
  });

  test('gives each function the secrets that it needs, as references, and health none', async () => {
    const deploys = commandsIn(
      await dryRun(
        '--notify-urls=https://e.felag.test/hook',
        '--admin-key=true',
        '--webhook=true',
        'functions',
      ),
    );
    const secretsOf = (name: string) =>
      [
        ...String(deploys.find((line) => line.includes(`deploy ${name} `))).matchAll(
          /(\w+)=sm:\/\/membership-test\/membership-sync-/g,
        ),
      ].map(([, variable]) => variable);
    const all = ['DATABASE_URL', 'DJANGO_API_KEY', 'ADMIN_API_KEY', 'NOTIFY_SECRET'];
    expect(secretsOf('syncScheduled')).toEqual(all.toSpliced(3, 0, 'WEBHOOK_KEY'));
    expect(secretsOf('syncDryRun')).toEqual(all);
    for (const name of ['syncStatus', 'syncLogs']) {
      expect(secretsOf(name)).toEqual(['DATABASE_READER_URL', 'ADMIN_API_KEY']);
    }
    expect(secretsOf('health')).toEqual([]);
  });

  test.each([
    ['512Mi', 256],
    ['256MB', 128],
    ['2Gi', 1024],
  ])('gives half of %s to the heap of the functions that sync', async (memory, heap) => {
    const commands = commandsIn(await dryRun(`--sync-memory=${memory}`, 'functions'));
    const flags = commands
      .filter((line) => line.includes('functions deploy'))
      .map((line) => /NODE_OPTIONS=--max-old-space-size=(\d+)/.exec(line));
    expect(flags.map((found) => found?.[1])).toEqual([
      `${heap}`,
      `${heap}`,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each([
    ['1', '4 minutes'],
    ['60', '3 hours'],
    ['480', '23 and a half hours'],
    ['720', '23 and a half hours'],
  ])(
    'with runs every %s minutes each alert looks back as far as Google does, and no further',
    async (minutes, words) => {
      const text = await dryRun(`--sync-interval-minutes=${minutes}`, 'monitoring');
      const policies = [...text.matchAll(/policies create --policy='(.*)' --project/gm)].map(
        ([, policy]) => JSON.parse(String(policy).replaceAll("'\\''", "'")),
      );
      const seconds = (value: string) => Number(/^(\d+)s$/.exec(value)?.[1]);
      const looks = policies.flatMap(
        ({ displayName, conditions: [{ conditionThreshold: one }] }) =>
          one
            ? [[displayName, seconds(one.duration), seconds(one.aggregations[0].alignmentPeriod)]]
            : [],
      );
      expect(looks).toHaveLength(5);
      for (const [name, duration, alignment] of looks) {
        expect(duration + alignment).toBeLessThanOrEqual(84_600);
        if (name.includes('waits')) {
          expect(duration + alignment).toBe(84_600);
          // A window without a run would end it.
          expect(alignment).toBeGreaterThan(
            Number(minutes) * 60 + (Number(minutes) > 30 ? 1800 : 0),
          );
        }
      }
      expect(text).toContain(`No run has been complete for ${words}.`);
    },
  );

  test('keeps every function private but health', async () => {
    const deploys = commandsIn(await dryRun('functions')).filter((line) =>
      line.startsWith('gcloud functions deploy'),
    );
    expect(deploys).toHaveLength(5);
    for (const line of deploys) {
      expect(line).toContain(
        line.includes('deploy health ')
          ? ' --allow-unauthenticated'
          : ' --no-allow-unauthenticated',
      );
    }
  });
});

describeWith('gcloud')('the parser of gcloud', () => {
  test('accepts every command that a dry run prints, and every one of the guides', async () => {
    const outputs = await Promise.all([
      dryRun('--notify-urls=https://a.felag.test/x,https://b.felag.test/y', '--admin-key=true'),
      dryRun(
        '--trigger=pubsub',
        '--with-secrets',
        '--with-database',
        'scheduler',
        'rollback',
        'destroy',
      ),
      dryRun('--rotate=DATABASE_URL', 'secrets'),
    ]);
    const ofGuides = linesOfGuides.filter((line) => line.startsWith('gcloud '));
    expect(ofGuides.length).toBeGreaterThan(15);
    const commands = [...outputs.flatMap(commandsIn), ...ofGuides].map((line) =>
      line.replace('  # only reads', '').replaceAll(/ADDRESS_OF_/g, 'https://x/'),
    );
    // One of those that differ in what the parser takes for any text: names, addresses, filters, formats.
    const texts =
      /(--(?:filter|format|member|role|display-name|data|policy|service-account|config-from-file|secret|set-env-vars)=)('[^']*'|\S+)|https?:\S+|sync\w+|health|membership[_-]\S+|my-project\S*|[\w-]+\.googleapis\.com/gi;
    const shape = (line: string) =>
      line.replaceAll(texts, (_all, flag = '') => `${flag}x`).replace(/( x)+/g, ' x');
    const byShape = new Map(commands.map((line) => [shape(line), line]));
    const all = [...byShape.values()];
    expect(all.length).toBeGreaterThan(50);
    const env = {
      PATH: process.env['PATH'] ?? '',
      CLOUDSDK_CONFIG: join(project.folder, 'gcloud'),
      HOME: project.folder,
    };
    const verdicts = lintCommands(all, env);
    expect(
      all
        .map((command, index) => ({ command, verdict: verdicts[index] }))
        .filter(({ verdict }) => verdict !== ''),
    ).toEqual([]);
  }, 180_000);
});

describe('the guides', () => {
  test('every ./deploy.sh command in them is one that the script takes', async () => {
    const all = linesOfGuides.flatMap((line) => /\.\/deploy\.sh .*/.exec(line)?.[0] ?? []);
    const commands = [...new Set(all)];
    expect(commands.length).toBeGreaterThan(10);
    for (const name of ['staging', 'production']) {
      const example = readFileSync(join(root, `deploy/${name}.env.example`), 'utf8');
      project.write(`deploy/${name}.env`, example);
    }
    const outcomes = await Promise.all(
      commands.map(async (command) => ({
        command,
        ...(await project.deploy([...command.split(' ').slice(1), '--dry-run'])),
      })),
    );
    for (const name of ['staging', 'production']) {
      rmSync(join(project.folder, `deploy/${name}.env`));
    }
    expect(outcomes.filter(({ status }) => status !== 0)).toEqual([]);
  });

  test('the deployment guide explains every error code, and the other every alert', () => {
    const [deployment, operations] = guides.map(({ text }) => text);
    const codes = readFileSync(join(root, 'lib/errors.ts'), 'utf8').matchAll(/^ {2}\| '(\w+)'/gm);
    for (const [, code] of codes) expect(deployment).toMatch(new RegExp(`\\| \`${code}\` +\\|`));
    const folder = join(root, 'deploy/monitoring/policies');
    for (const file of readdirSync(folder)) {
      const policy = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      expect(operations).toContain(policy.displayName);
      const [, heading] = /"([^"]+)"\.$/.exec(policy.documentation.content) ?? [];
      expect(operations).toContain(`### ${heading}\n`);
    }
  });
});

describe('steps, with a recording stand-in for gcloud', () => {
  test('run in their order, each change after a look', async () => {
    const { env, commands } = createStubs(
      project,
      healthy.filter(({ command }) => !/list|call|get-iam/.test(command)),
    );
    await project.deploy(
      [...settings, '--use-shell', 'apis', 'service-accounts', 'secrets', 'migrate', 'functions'],
      {
        env: { ...env, DATABASE_URL: 'postgresql://u:p@db/members' },
        input:
          'DATABASE_URL=postgresql://u:p@db/members\nDATABASE_READER_URL=postgresql://r:p@db/members\nDJANGO_API_KEY=k\n',
      },
    );
    const verbs = commands().map((line) =>
      line
        .split(/ --| \[/)[0]
        ?.split(' ')
        .slice(0, 5)
        .join(' '),
    );
    expect(verbs).toEqual([
      'gcloud services list',
      'gcloud services enable cloudfunctions.googleapis.com run.googleapis.com',
      'gcloud iam service-accounts list',
      'gcloud iam service-accounts create membership-sync-run',
      'gcloud iam service-accounts create membership-sync-read',
      'gcloud iam service-accounts create membership-sync-health',
      'gcloud iam service-accounts create membership-sync-scheduler',
      'gcloud projects get-iam-policy membership-test',
      'gcloud projects add-iam-policy-binding membership-test',
      'gcloud projects get-iam-policy membership-test',
      'gcloud projects add-iam-policy-binding membership-test',
      'gcloud secrets list',
      'gcloud secrets describe membership-sync-database-url',
      'gcloud secrets create membership-sync-database-url',
      'gcloud secrets get-iam-policy membership-sync-database-url',
      'gcloud secrets add-iam-policy-binding membership-sync-database-url',
      'gcloud secrets describe membership-sync-database-reader-url',
      'gcloud secrets create membership-sync-database-reader-url',
      'gcloud secrets get-iam-policy membership-sync-database-reader-url',
      'gcloud secrets add-iam-policy-binding membership-sync-database-reader-url',
      'gcloud secrets describe membership-sync-django-api-key',
      'gcloud secrets create membership-sync-django-api-key',
      'gcloud secrets get-iam-policy membership-sync-django-api-key',
      'gcloud secrets add-iam-policy-binding membership-sync-django-api-key',
      'npm run migrate',
      'gcloud run services list',
      'gcloud run revisions list',
      'gcloud functions list',
      ...functions.flatMap((name) =>
        name === 'health'
          ? ['gcloud functions deploy health']
          : [
              `gcloud functions deploy ${name}`,
              'gcloud run services list',
              `gcloud run services update ${name.toLowerCase()}`,
            ],
      ),
      'gcloud run services list',
    ]);
  });

  test('a failing step stops with its name and the command that goes on', async () => {
    const { env, commands } = createStubs(project, [
      { command: 'gcloud scheduler jobs create *', status: 1, answer: 'PERMISSION_DENIED' },
      ...healthy.filter(({ command }) => !command.includes('scheduler')),
    ]);
    const { status, stderr } = await project.deploy(
      [...settings, 'invokers', 'scheduler', 'monitoring', 'verify'],
      { env },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('PERMISSION_DENIED');
    expect(stderr).toContain('failed (1): gcloud scheduler jobs create http membership-sync');
    expect(stderr).toContain('Step scheduler failed. When the cause is gone, go on with:');
    expect(stderr).toContain(`  ./deploy.sh ${settings.join(' ')} scheduler monitoring verify\n`);
    expect(commands().join('\n')).not.toContain('monitoring');
  });

  test('a look that fails stops the step instead of counting as absent', async () => {
    const { env, commands } = createStubs(project, [
      { command: '* secrets versions list *', status: 1 },
      { command: '* secrets list *', answer: 'membership-sync-database-url' },
    ]);
    const { status, stderr } = await project.deploy([...settings, 'secrets'], {
      env,
      input: 'DATABASE_URL=postgresql://x\n',
    });
    expect(status).toBe(3);
    expect(stderr).toContain('Step secrets failed');
    expect(commands().join('\n')).not.toContain('versions add');
  });

  test('cloudsql says so when an instance is not attached in the end', async () => {
    const { env } = createStubs(project, [
      { command: '* run services list *', answer: 'syncscheduled\t\tTrue' },
    ]);
    const { status, stderr } = await project.deploy([...settings, 'cloudsql'], { env });
    expect(status).toBe(1);
    expect(stderr).toContain(`syncscheduled is not attached to ${INSTANCE}`);
  });
});

describe('secrets', () => {
  const missing: StubRule[] = [];
  const present: StubRule[] = [
    {
      command: '* secrets list *',
      answer:
        'membership-sync-database-url\nmembership-sync-database-reader-url\nmembership-sync-django-api-key',
    },
    { command: '* secrets versions list *', answer: '1' },
  ];

  test('go from stdin to stdin, are never an argument, and are never shown', async () => {
    const { env, commands } = createStubs(project, missing);
    const { stdout, stderr } = await project.deploy([...settings, '--verbose', 'secrets'], {
      env,
      input:
        'DJANGO_API_KEY=a=b,c"\'$(x)\nDATABASE_READER_URL=postgresql://r@/db\nDATABASE_URL=postgresql://user:hush@/db\n',
    });
    const creates = commands().filter((line) => line.includes('secrets create'));
    expect(creates.map((line) => line.split(' <<< ')[1])).toEqual([
      'postgresql://user:hush@/db',
      'postgresql://r@/db',
      'a=b,c"\'$(x)',
    ]);
    expect(creates.map((line) => line.split(' <<< ')[0]).join()).not.toMatch(/hush|a=b/);
    expect(stdout + stderr).not.toMatch(/hush|a=b/);
  });

  test.each([
    { name: 'an empty value', input: 'DATABASE_URL=\n', says: 'DATABASE_URL is empty' },
    { name: 'no value', input: '', says: 'DATABASE_URL is empty' },
    {
      name: 'an address that is none',
      input: 'DATABASE_URL=mysql://x\n',
      says: 'must be a postgresql:// URL',
    },
  ])('$name is refused and nothing is created', async ({ input, says }) => {
    const { env, commands } = createStubs(project, missing);
    const { status, stderr } = await project.deploy([...settings, 'secrets'], { env, input });
    expect(status).toBe(1);
    expect(stderr).toContain(says);
    expect(commands().join('\n')).not.toContain('create');
  });

  test.each([
    ['DJANGO_API_KEY', '"hush"', 'stands in quotes'],
    ['DJANGO_API_KEY', ' hush ', 'begins or ends with a space'],
    ['DJANGO_API_KEY', 'hush\r', 'begins or ends with a space or a line end (such as CRLF)'],
    ['DJANGO_API_KEY', 'húsh', 'must be printable ASCII'],
    ['DJANGO_API_KEY', 'hu\tsh', 'must be printable ASCII'],
    ['DJANGO_API_KEY', 'sm://hush/hush', 'is a reference'],
    ['DJANGO_API_KEY', 'Bearer hush', 'begins with its scheme'],
    ['DJANGO_API_KEY', 'WEBHOOK_KEY=hush', 'begins with a name'],
    ['DJANGO_API_KEY', 'DJANGO_API_KEY="hush"', 'stands in quotes'],
    [
      'DATABASE_URL',
      'postgresql://u:hush@hush/x@h/db',
      'must be a postgresql:// URL; in its user name and password write',
    ],
    [
      'DATABASE_URL',
      'postgresql://u:hush#hush@h/db',
      'must be a postgresql:// URL; in its user name and password write',
    ],
    [
      'DATABASE_URL',
      'postgresql://u:%zz@h/db',
      'must be a postgresql:// URL; in its user name and password write',
    ],
    ['NOTIFY_SECRET', 'whsec_hush!', 'must be whsec_ followed by base64'],
    ['WEBHOOK_KEY', 'hush', 'is too short'],
  ])(
    '--rotate takes for %s nothing that the functions would not: %j',
    async (name, value, says) => {
      const { env, commands } = createStubs(project, present);
      const words = ['--webhook=true', '--notify-urls=https://e.felag.test/x', `--rotate=${name}`];
      const { status, stdout, stderr } = await project.deploy([...settings, ...words, 'secrets'], {
        env,
        input: `${value}\n`,
      });
      expect(stderr).toContain(`${name} ${says}`);
      expect(stdout + stderr).not.toMatch(/hush|húsh/);
      expect({ status, commands: commands() }).toEqual({ status: 1, commands: [] });
    },
  );

  test('that are there are not asked for and get no new version', async () => {
    const { env, commands } = createStubs(project, present);
    const { status } = await project.deploy([...settings, 'secrets'], { env });
    expect(status).toBe(0);
    expect(commands().join('\n')).not.toMatch(/secrets create|versions add/);
  });

  test('--rotate adds one version, of that secret alone', async () => {
    const { env, commands } = createStubs(project, present);
    await project.deploy([...settings, '--rotate=DJANGO_API_KEY', 'secrets'], {
      env,
      input: 'new-key\n',
    });
    await project.deploy([...settings, '--rotate=DJANGO_API_KEY', 'secrets'], {
      env,
      input: 'DATABASE_URL=x\nDJANGO_API_KEY=new-key\n',
    });
    const version =
      'gcloud secrets versions add membership-sync-django-api-key --data-file=- --project=membership-test <<< new-key';
    expect(commands()).toEqual([version, version]);
  });
});

describe('migrate', () => {
  test('goes through the proxy with its socket in place of the one in the cloud', async () => {
    const { env, commands } = createStubs(project, [
      {
        command: '* versions access *',
        answer: `postgresql://u:p@/members?host=/cloudsql/${INSTANCE}`,
      },
    ]);
    const { status, stdout } = await project.deploy([...settings, 'migrate'], { env });
    expect(status).toBe(0);
    expect(commands().find((line) => line.startsWith('npm run migrate'))).toMatch(
      /\[DATABASE_URL=postgresql:\/\/u:p@\/members\?host=\/tmp\/[^/]+\/cloudsql\/membership-test:europe-west2:main\]$/,
    );
    expect(stdout).not.toContain('u:p');
  });

  test('names the secret whose address is none, before it is used', async () => {
    const { env, commands } = createStubs(project, [
      { command: '* versions access *', answer: 'postgresql://u:hu#sh@/members?host=/cloudsql/x' },
    ]);
    const { status, stderr } = await project.deploy([...settings, 'migrate'], { env });
    expect(stderr).toContain(
      'the value of the secret membership-sync-database-url must be a postgresql:// URL',
    );
    expect(stderr).not.toContain('hu#');
    expect({ status, ran: commands().filter((line) => line.startsWith('npm')) }).toEqual({
      status: 1,
      ran: [],
    });
  });

  test('says how to get the proxy when it is not there', async () => {
    const { env } = createStubs(project);
    execFileSync('rm', [join(project.folder, 'bin/cloud-sql-proxy')]);
    const { status, stderr } = await project.deploy([...settings, 'migrate'], { env });
    expect(status).toBe(1);
    expect(stderr).toContain('cloud-sql-proxy is not installed:\n  https://cloud.google.com/sql');
  });
});

describe('verify', () => {
  const verify = async (rules: StubRule[]) => {
    const { env } = createStubs(project, [...rules, ...healthy]);
    // What nobody has said is not compared; the real gcloud shows the rest elsewhere.
    return project.deploy([...settings.filter((word) => !word.includes('django')), 'verify'], {
      env,
    });
  };
  const serves = (change: (name: string) => object) =>
    servingRules(functions.map((name) => ({ name, instance: INSTANCE, ...change(name) })));

  test('says that everything works only when it does', async () => {
    const { status, stdout } = await verify([]);
    expect(stdout).toContain('verify: everything works');
    expect(status).toBe(0);
  });

  test('after a rollback it says that what answers works, and is not the newest', async () => {
    const { status, stdout } = await verify(serves(() => ({ pinned: true })));
    expect(stdout).toContain('note  the traffic of health is pinned to one revision');
    expect(stdout).toContain('what answers works, but it is not the newest deployment');
    expect(stdout).not.toContain('everything works');
    expect(status).toBe(0);
  });

  test('waits for lists that do not show yet what was made', async () => {
    const { status, stdout } = await verify([
      { command: '* functions list *', answer: 'health\tACTIVE\thttps://x/health', times: 1 },
      { command: '* scheduler jobs list *', answer: '', times: 2 },
    ]);
    expect(stdout).toContain('everything works');
    expect(status).toBe(0);
  });

  test("who is sent to Google's sign-in is refused, and who is sent elsewhere is not", async () => {
    const sent = (to: string) => [
      { command: 'curl *https://x/syncLogs', answer: `302,https://${to}/o/oauth2/v2/auth?x` },
    ];
    expect((await verify(sent('accounts.google.com'))).stdout).toContain('everything works');
    expect((await verify(sent('accounts.google.com.felag.test'))).stdout).toContain(
      'WRONG syncLogs answers a stranger',
    );
  });

  // Several at once: each is found beside the others.
  describe.each([
    [
      [
        {
          name: 'a stale register',
          rule: { command: '* call syncStatus *', answer: '{"status":"stale"}' },
          says: 'syncStatus: stale',
        },
        {
          name: 'an error instead of a dry run',
          rule: {
            command: '* call syncDryRun *',
            answer: '{"error":{"code":"django_unauthorized"}}',
          },
          says: 'django_unauthorized',
        },
        {
          name: 'a paused job',
          rule: {
            command: '* scheduler jobs list *',
            answer: job('PAUSED'),
          },
          says: 'job membership-sync is PAUSED',
        },
        {
          name: 'a function that is not there',
          rule: { command: '* functions list *', answer: 'health\tACTIVE\thttps://x/health\t' },
          says: 'syncLogs is not deployed',
        },
        {
          name: 'a function without its socket',
          rule: servingRules(functions.map((name) => ({ name }))),
          says: 'syncLogs is not attached',
        },
        {
          name: 'a scheduler that may not call',
          rule: { command: '* get-iam-policy syncscheduled *', answer: invoker(admins) },
          says: 'the scheduler may not call syncScheduled',
        },
      ],
    ],
    [
      [
        {
          name: 'failing runs',
          rule: {
            command: '* call syncStatus *',
            answer: '{"status":"failing","last_run":{"details":{"error":{"code":"django_error"}}}}',
          },
          says: 'syncStatus: failing (django_error); the whole answer: gcloud functions call syncStatus',
        },
        {
          name: 'a failed last call',
          rule: {
            command: '* scheduler jobs list *',
            answer: job('ENABLED', '7', 'then'),
          },
          says: 'its last call failed (code 7.* invokers scheduler',
        },
        {
          name: 'a mixture of deployments',
          rule: serves((name) =>
            name === 'health' ? { deployment: 'd2' } : { proxied: name === 'syncScheduled' },
          ),
          says: 'the functions answer from different deployments.* rollback takes it back',
        },
        {
          name: 'a function whose own code answers a forged identity',
          rule: {
            command: 'curl *https://x/syncStatus',
            answer: '401 {"error":{"code":"unauthorized"}}',
          },
          says: 'syncStatus is open to the world',
        },
        {
          name: 'a function that the world may call',
          rule: {
            command: '* get-iam-policy synclogs *',
            answer: invoker('allAuthenticatedUsers'),
          },
          says: 'IAM lets the whole world call syncLogs',
        },
        {
          name: 'an admins group that may not call',
          rule: [],
          says: 'group:admins@felag.test may not call syncLogs',
        },
        {
          name: 'somebody who may call and is not expected',
          rule: {
            command: '* get-iam-policy syncdryrun *',
            answer: `${invoker('domain:gmail.com', admins)}\nroles/run.admin\tuser:x@felag.test\nroles/run.viewer\tuser:y@felag.test`,
          },
          says: 'IAM lets domain:gmail.com call syncDryRun, which is not expected',
        },
        {
          name: 'somebody who may do more, call among it,',
          rule: [],
          says: 'user:x@felag.test may call syncDryRun by roles/run.admin: gcloud run services remove-iam',
        },
        {
          name: 'somebody who may call in the whole project',
          rule: {
            command: '* projects get-iam-policy *',
            answer: 'roles/run.servicesInvoker\tuser:x@felag.test',
          },
          says: 'user:x@felag.test may call every function, by roles/run.servicesInvoker',
        },
        {
          name: 'a secret that its reader may not read, and another may',
          rule: {
            command: '* get-iam-policy *-api-key *',
            answer: 'user:x@felag.test',
          },
          says: 'membership-sync-run@.* may not read membership-sync-django-api-key',
        },
        {
          name: 'a proxy before what the scheduler calls',
          rule: [],
          says: 'syncScheduled is behind Identity-Aware Proxy, .* --no-iap --region=europe-west2 --project=membership-test',
        },
      ],
    ],
    [
      [
        {
          name: 'traffic split between revisions',
          rule: servingRules(
            functions.map((name) => ({
              name,
              instance: INSTANCE,
              number: name === 'syncLogs' ? 2 : 1,
              split: name === 'health',
              variables: { SYNC_ENABLED: 'Off' },
            })),
            [{ name: 'syncLogs', image: 'built here' }],
          ),
          says: 'the traffic of health is split',
        },
        {
          name: 'a job that calls somewhere else',
          rule: {
            command: '* scheduler jobs list *',
            answer: job('ENABLED').replace('//x/', '//old/'),
          },
          says: 'job membership-sync has another address: ',
        },
        {
          name: 'an image that nobody has built here',
          rule: [],
          says: 'syncLogs was changed by hand after its deployment (SYNC_ENABLED, image)',
        },
        {
          name: 'runs that are switched off',
          rule: [],
          says: 'runs are switched off .* --sync-enabled=true functions',
        },
        {
          name: 'records that cannot be used, more than the limit',
          rule: {
            command: '* call syncDryRun *',
            answer:
              '{"dry_run":true,"members_fetched":300,"error_count":200,"set_aside":{"count":200,"limit":15}}',
          },
          says: '200 of 300 records cannot be used, more than SYNC_MAX_SET_ASIDE allows (15)',
        },
        {
          name: 'a page that nobody is to see',
          rule: {
            command: '* functions list *',
            answer: [...functions, 'syncAdmin']
              .map((name) => `${name}\tACTIVE\thttps://x/${name}`)
              .join('\n'),
          },
          says: "the admin's page is still there",
        },
      ],
    ],
    [
      [
        {
          name: 'a job of the other trigger beside it',
          rule: {
            command: '* scheduler jobs list *',
            answer: `${job('ENABLED')}\nmembership-sync-pubsub\tENABLED`,
          },
          says: 'job membership-sync-pubsub starts every run a second time',
        },
      ],
    ],
  ])('%#', (faults) => {
    let outcome: Outcome;
    beforeAll(async () => {
      outcome = await verify(faults.flatMap(({ rule }) => rule));
    });
    test.each(faults)('$name is wrong', ({ says }) => {
      expect(outcome.stdout).toMatch(new RegExp(`WRONG .*${says.replace(/[()]/g, '\\$&')}`));
    });
    test('and the step fails', () => {
      expect(outcome.stdout).not.toContain('everything works');
      expect(outcome.status).toBe(1);
    });
  });
});

describe('destroy', () => {
  test.each(['', 'yes', 'membership-tes'])(
    'deletes nothing when the answer is "%s"',
    async (answer) => {
      const { env, commands } = createStubs(project, healthy);
      const { status, stderr } = await project.deploy([...settings, 'destroy'], {
        env,
        input: `${answer}\n`,
      });
      expect(stderr).toContain('nothing was deleted');
      expect(status).toBe(1);
      expect(commands()).toEqual([]);
    },
  );

  test('keeps the secrets and the database unless asked, and deletes only what is there', async () => {
    const { env, commands } = createStubs(project, [
      { command: '* functions list *', answer: 'health\nother' },
      { command: '* secrets list *', answer: 'membership-sync-database-url' },
    ]);
    const { status } = await project.deploy([...settings, 'destroy'], {
      env,
      input: 'membership-test\n',
    });
    expect(status).toBe(0);
    expect(commands().filter((line) => line.includes(' delete '))).toEqual([
      'gcloud functions delete health --gen2 --region=europe-west2 --project=membership-test',
    ]);
  });
});
