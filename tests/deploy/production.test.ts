import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupsOf } from '../../deploy/checkSettings.ts';
import {
  createDeployProject,
  createStubs,
  type DeployProject,
  servingRules,
} from '../support/deployProject.ts';

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
const functions = ['syncScheduled', 'syncDryRun', 'syncStatus', 'syncLogs', 'health'];
const project = createDeployProject();
const changes = (commands: string[]) =>
  commands.filter((line) => / (create|update|deploy|enable|add) /.test(line));

describe('code that goes to production', () => {
  const attempt = async (
    change: (own: DeployProject) => void,
    { staging = 0, steps = ['functions'], where = ['--staging-project=membership-staging'] } = {},
  ) => {
    const own = createDeployProject();
    own.write(
      'deploy/verify.sh',
      `find_serving() { SERVING=''; }
step_verify() { echo "staging is $PROJECT, same build: $SAME_BUILD, with the page: $WITH_PAGE"; return ${staging}; }
`,
    );
    const { env, commands } = createStubs(own);
    own.commitAll();
    change(own);
    const words = ['--env=production', ...settings, ...where];
    return { ...(await own.deploy([...words, ...steps], { env })), commands: commands() };
  };

  test('is taken from a clean, released tree that staging runs well', async () => {
    const { status, stderr, stdout, commands } = await attempt(() => {});
    expect(stderr).toBe('');
    expect(stdout).toContain(
      'staging is membership-staging, same build: true, with the page: false',
    );
    expect(status).toBe(0);
    expect(commands.filter((line) => line.includes('functions deploy'))).toHaveLength(5);
  });

  test.each([['functions'], ['migrate']])(
    'is refused from a tree that is not clean: %s',
    async (step) => {
      const { status, stderr, commands } = await attempt(
        (own) => own.write('deploy/monitoring/new.json', '{}'),
        { steps: [step] },
      );
      expect(stderr).toContain('Production refuses: the tree is not clean');
      expect(stderr).toContain('deploy/monitoring/new.json');
      expect({ status, changes: changes(commands) }).toEqual({ status: 1, changes: [] });
    },
  );

  test('is refused when its changes are not released', async () => {
    const { status, stderr, commands } = await attempt((own) => {
      own.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- New.\n\n## 1.0.0\n\n- First.\n');
      own.commitAll();
    });
    expect(stderr).toContain('Production refuses: CHANGELOG.md opens with unreleased changes');
    expect({ status, changes: changes(commands) }).toEqual({ status: 1, changes: [] });
  });

  test('is taken with an empty Unreleased heading above a release', async () => {
    const { status } = await attempt((own) => {
      own.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 1.0.0\n\n- First.\n');
      own.commitAll();
    });
    expect(status).toBe(0);
  });

  test('is refused when staging does not run it well', async () => {
    const { status, stderr, commands } = await attempt(() => {}, { staging: 1 });
    expect(stderr).toContain('Production refuses: staging does not pass verify with this build');
    expect({ status, changes: changes(commands) }).toEqual({ status: 1, changes: [] });
  });

  test('is refused when staging cannot be looked at, which says nothing of the build', async () => {
    const { status, stderr, commands } = await attempt(() => {}, { staging: 3 });
    expect(stderr).toContain('Production refuses: staging could not be looked at');
    expect({ status, changes: changes(commands) }).toEqual({ status: 1, changes: [] });
  });

  test('is refused when nobody says where staging is', async () => {
    const { status, stderr, commands } = await attempt(() => {}, { where: [] });
    expect(stderr).toMatch(
      /Production refuses: nobody says where staging is: .*staging\.env, or as STAGING_PROJECT/,
    );
    expect({ status, changes: changes(commands) }).toEqual({ status: 1, changes: [] });
  });

  test('is proven with the page where production gets it', async () => {
    const where = ['--staging-project=membership-staging', '--admin-viewers=a@felag.test'];
    const { stdout } = await attempt(() => {}, { where });
    expect(stdout).toContain('with the page: true');
  });
});

describe('a repair of production', () => {
  // Nothing is committed, so every gate would refuse.
  const own = createDeployProject();
  own.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- New.\n');
  const production = ['--env=production', ...settings];

  test('is never held up: every step but those that bring code', async () => {
    const steps = 'apis service-accounts secrets cloudsql invokers page scheduler monitoring';
    const { env, commands } = createStubs(own, [
      { command: '* functions describe *', answer: 'https://x/syncScheduled' },
      {
        command: '* secrets list *',
        answer:
          'membership-sync-database-url\nmembership-sync-database-reader-url\nmembership-sync-django-api-key',
      },
      { command: '* secrets versions list *', answer: '1' },
      { command: '* channels create *', answer: 'projects/p/notificationChannels/1' },
      {
        command: '* run services list *',
        answer: functions.map((name) => `${name.toLowerCase()}\t${INSTANCE}\tTrue`).join('\n'),
      },
    ]);
    const { status, stderr } = await own.deploy([...production, ...steps.split(' ')], { env });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(commands().some((line) => line.includes('scheduler jobs create'))).toBe(true);
  });

  test.each(['verify', 'rollback'])('%s is not either', async (step) => {
    const { env } = createStubs(own, servingRules([{ name: 'health' }]));
    const { stderr } = await own.deploy([...production, step], { env });
    expect(stderr).not.toContain('Production refuses');
  });

  test('may bring other settings to the very code that production runs', async () => {
    // Once, so that the stand-in for a build has its lock.
    await own.deploy([...settings, 'build'], { env: createStubs(own).env });
    const folders = functions.map((name) => join(own.folder, 'dist', name));
    const bundles = execFileSync('node', ['deploy/json.ts', 'bundles', ...folders], {
      cwd: own.folder,
      encoding: 'utf8',
    });
    const digest = (name: string) => new RegExp(`^${name}\t(\\w+)$`, 'm').exec(bundles)?.[1] ?? '';
    const serving = functions.map((name) => ({ name, bundle: digest(name) }));
    const deploy = async (rules = serving) => {
      const { env, commands } = createStubs(own, servingRules(rules));
      const outcome = await own.deploy([...production, '--sync-enabled=false', 'functions'], {
        env,
      });
      return {
        ...outcome,
        deployed: commands().filter((line) => line.includes('functions deploy')),
      };
    };
    const same = await deploy();
    expect(same.stdout).toContain('production runs this very build: only settings change');
    expect(same.deployed).toHaveLength(5);
    expect(same.deployed[0]).toContain('SYNC_ENABLED=false');

    const [first, ...rest] = serving;
    const other = await deploy([{ ...first, name: 'syncScheduled', bundle: 'another' }, ...rest]);
    expect(other.stderr).toContain('Production refuses');
    expect(other.deployed).toEqual([]);
  });
});

describe('what the shell has set', () => {
  test.each([
    { name: 'SYNC_MAX_REMOVALS', value: '100%' },
    { name: 'DJANGO_FIELD_MAP', value: '{"id":"hush"}' },
    { name: 'REGION', value: 'hush-west2' },
    { name: 'STAGING_PROJECT', value: 'hush-staging' },
  ])('is refused, by name and without its value: $name', async ({ name, value }) => {
    const { env, commands } = createStubs(project);
    const words = ['--env=production', ...settings, 'functions'];
    const { status, stdout, stderr } = await project.deploy(words, {
      env: { ...env, [name]: value },
    });
    expect(stderr).toContain(`the shell sets ${name}, and that would be deployed`);
    expect(stdout + stderr).not.toContain(value);
    expect({ status, commands: commands() }).toEqual({ status: 2, commands: [] });
  });

  test('is refused for a database to migrate, and shown without its password when confirmed', async () => {
    const { env, commands } = createStubs(project);
    const given = { env: { ...env, DATABASE_URL: 'postgresql://u:hush@localhost:5432/members' } };
    const refused = await project.deploy([...settings, 'migrate'], given);
    expect(refused.stderr).toContain('the shell sets DATABASE_URL');
    expect({ status: refused.status, commands: commands() }).toEqual({ status: 2, commands: [] });
    const confirmed = await project.deploy([...settings, '--use-shell', 'migrate'], given);
    expect(confirmed.status).toBe(0);
    expect(confirmed.stdout).toContain('From the shell: DATABASE_URL (localhost/members)');
    expect(confirmed.stdout).not.toContain('hush');
  });

  test.each([
    'postgresql://u:hush/hush@host/db',
    'postgresql://u:hush?hush@host/db',
    'postgresql://u:123#hush@host/db',
    'postgresql://u:x@host/db?password=a@hush',
    'host=h password=hush',
  ])('no part of a password is printed, however the address is written: %s', async (url) => {
    const { env } = createStubs(project, [{ command: 'npm *', status: 1, answer: 'no' }]);
    const { stdout, stderr } = await project.deploy([...settings, '--use-shell', 'migrate'], {
      env: { ...env, DATABASE_URL: url },
    });
    expect(stdout).toContain('address not shown');
    expect(stdout + stderr).not.toContain('hush');
  });

  test('is listed and used with --use-shell, and no matter when it says the same', async () => {
    const env = { SYNC_MAX_REMOVALS: '7', REGION: 'europe-west2', LOG_LEVEL: '' };
    const words = ['--dry-run', ...settings, 'functions'];
    const { stdout } = await project.deploy([...words, '--use-shell'], { env });
    expect(stdout).toContain('From the shell: SYNC_MAX_REMOVALS=7\n');
    expect(stdout).toContain('SYNC_MAX_REMOVALS=7~~');
    const same = await project.deploy(words, { env: { REGION: 'europe-west2' } });
    expect(same.status).toBe(0);
  });

  test('is no flag and no line of a file', async () => {
    const env = {
      FLAG_SYNC_MAX_REMOVALS: '100%',
      FILE_SYNC_MAX_REMOVALS: '100%',
      FLAG_PROJECT: 'x',
    };
    const { status, stdout } = await project.deploy(['--dry-run', ...settings, 'functions'], {
      env,
    });
    expect(status).toBe(0);
    expect(stdout).not.toContain('100%');
  });
});

describe('the files of the environments', () => {
  const own = createDeployProject();
  own.write('deploy/production.env', 'PROJECT=membership-prod\nSYNC_MAX_REMOVALS=2%\n');
  own.write('deploy/staging.env', 'PROJECT=membership-stage\n');

  test.each([
    [['--project=membership-prod', 'rollback'], 'is deployed with --env=production'],
    [
      ['--env=production', '--project=membership-stage', 'rollback'],
      'is deployed with --env=staging',
    ],
    [
      ['--env=production', '--project=membership-other', 'rollback'],
      'names the project membership-prod',
    ],
  ])('a project belongs to its file: %j', async (words, says) => {
    const { status, stderr } = await own.deploy(words);
    expect(stderr).toContain(says);
    expect(status).toBe(2);
  });

  test('that there is no file is said aloud', async () => {
    const { stdout } = await project.deploy([
      '--env=production',
      '--dry-run',
      ...settings,
      'verify',
    ]);
    expect(stdout).toContain('There is no production.env: what no flag says is the default.\n');
  });

  test('a flag that says something else than the file is said aloud', async () => {
    const words = ['--env=production', '--dry-run', '--sync-max-removals=100%', 'scheduler'];
    const { stdout } = await own.deploy(words);
    expect(stdout).toContain('Other than production.env, by flag: --sync-max-removals\n');
  });

  test('the placeholders of the examples are refused, each by its name', async () => {
    const { env, commands } = createStubs(project);
    for (const name of ['staging', 'production']) {
      const example = readFileSync(join(root, `deploy/${name}.env.example`), 'utf8');
      project.write(`examples/${name}.env`, example);
      const { status, stderr } = await project.deploy(
        [`--env=${name}`, '--env-dir=examples', 'apis'],
        { env },
      );
      expect(stderr).toMatch(/still as in the example: .*PROJECT/);
      for (const setting of [
        'CLOUDSQL_INSTANCE',
        'ADMINS_GROUP',
        'ALERT_EMAIL',
        'DJANGO_BASE_URL',
      ]) {
        expect(stderr).toContain(setting);
      }
      expect({ status, commands: commands() }).toEqual({ status: 2, commands: [] });
    }
  });
});

describe('a value', () => {
  test('is held to the parser of the functions before anything is built, all of them at once', async () => {
    const { env, commands } = createStubs(project);
    const { status, stderr } = await project.deploy(
      [
        ...settings,
        '--sync-max-removals=200%',
        '--django-concurrency=hush',
        '--django-field-map={"kennitala":',
        '--notify-urls=hush',
        '--sync-enabled=maybe',
        'functions',
      ],
      { env },
    );
    expect(stderr).toContain('the functions would not start with these settings');
    for (const name of [
      'SYNC_MAX_REMOVALS',
      'DJANGO_CONCURRENCY',
      'DJANGO_FIELD_MAP',
      'NOTIFY_URLS',
      'SYNC_ENABLED',
    ]) {
      expect(stderr).toMatch(new RegExp(`^ {2}${name} (must|has)`, 'm'));
    }
    expect(stderr).not.toContain('hush');
    expect({ status, commands: commands() }).toEqual({ status: 2, commands: [] });
  });

  test.each([
    ['--django-base-url=http://register.felag.test', 'DJANGO_BASE_URL must be https://'],
    ['--django-base-url=http://localhost:8000', 'DJANGO_BASE_URL must be https://'],
    ['--django-base-url=https://localhost', 'DJANGO_BASE_URL must not be this machine'],
    ['--notify-urls=https://a.felag.test,HTTP://b.felag.test', 'NOTIFY_URLS must be https://'],
    ['--django-base-url=https://a.felag.test/x y', 'DJANGO_BASE_URL must be an address without'],
    [`--django-base-url=https://a.felag.test/'`, 'DJANGO_BASE_URL must be an address without'],
  ])('that only local use may have is refused, and said in a dry run: %s', async (word, says) => {
    const { env, commands } = createStubs(project);
    const { status, stderr } = await project.deploy([...settings, word, 'functions'], { env });
    expect(stderr).toContain(`  ${says}`);
    expect({ status, commands: commands() }).toEqual({ status: 2, commands: [] });
    const shown = await project.deploy([...settings, word, '--dry-run', 'functions']);
    expect(shown.stdout).toMatch(/would be refused: the functions would not start/);
    // A repair goes on whatever the file says.
    const repair = await project.deploy([...settings, word, '--dry-run', 'rollback']);
    expect(repair.stdout).not.toContain('refused');
  });

  test('the parser looks at what each function reads', () => {
    for (const name of [...functions, 'syncAdmin'].filter((each) => each !== 'health')) {
      const file = name === 'syncAdmin' ? 'functions/admin/admin.ts' : `functions/${name}.ts`;
      const source = readFileSync(join(root, file), 'utf8');
      const [, needs = ''] = /needs(?::| =) \[([^\]]*)\]/.exec(source) ?? [];
      const own = [...needs.matchAll(/'(\w+)'/g)].map(([, group]) => group);
      expect(groupsOf[name]).toEqual(['runtime', 'auth', ...own]);
    }
  });

  test.each([
    ['--database-url=hush'],
    ['--colour=hush'],
    ['--hush hush'],
    ['--project=hush hush'],
    ['--sync-memory=hush'],
    ['--sync-timeout=hush'],
    ['--read-concurrency=0hush'],
    ['--read-max-instances=hush'],
    ['--sync-interval-minutes=hush'],
    ['--alert-email=hush'],
    ['--admins-group=hush'],
    ['--cloudsql-instance=hush'],
    ['--admin-key=hush'],
    ['--time-zone=hush hush'],
    ['--log-level=hush\ntouch x'],
    ['--env=hush'],
    ['-hush'],
    ['hush'],
  ])('is not printed back when it is refused: %s', async (word) => {
    const { status, stdout, stderr } = await project.deploy([...settings, word]);
    expect(status).toBe(2);
    expect((stdout + stderr).replace(/^Steps: .*|--hush/gm, '')).not.toContain('hush');
  });

  test('runs nothing when what is printed is pasted', async () => {
    const own = createDeployProject();
    const { env } = createStubs(own);
    const evil = [
      "--django-members-path=/x'; touch ran; '",
      '--sync-canary-ids=$(touch ran)`touch ran`,$(gcloud x; touch ran)',
      '--django-exclude-kennitala=^9 && touch ran',
    ];
    const printed = await own.deploy(['--dry-run', ...settings, ...evil, 'functions', 'scheduler']);
    expect(printed.stdout).toContain('touch ran');
    own.write('pasted.sh', printed.stdout);
    execFileSync('bash', ['-c', 'bash pasted.sh || true'], {
      cwd: own.folder,
      env,
      stdio: 'ignore',
    });
    expect(existsSync(join(own.folder, 'ran'))).toBe(false);

    const failed = createStubs(own, [{ command: '* services list *', status: 1, answer: 'no' }]);
    const { stderr } = await own.deploy([...settings, ...evil, 'apis'], { env: failed.env });
    const [hint = ''] = /^ {2}\.\/deploy\.sh .*/m.exec(stderr) ?? [];
    expect(hint).toContain('touch ran');
    execFileSync('bash', ['-c', `${hint} || true`], { cwd: own.folder, env, stdio: 'ignore' });
    expect(existsSync(join(own.folder, 'ran'))).toBe(false);
  });
});

describe('a page that staging runs by itself, or that it is to run', () => {
  const own = createDeployProject();
  const lists = (names: string[], bundle: string, ofPage = 'd1') => [
    {
      command: '* functions list *',
      answer: names.map((name) => `${name}\tACTIVE\thttps://x/${name}`).join('\n'),
    },
    ...servingRules(
      names.map((name) => ({
        name,
        bundle,
        deployment: name === 'syncAdmin' ? ofPage : 'd1',
        number: name === 'syncAdmin' ? 1 : 2,
      })),
      names.map((name) => ({ name, deployment: 'd0' })),
    ),
  ];
  const verify = async (rules: Parameters<typeof createStubs>[1], words: string[]) => {
    const { env } = createStubs(own, rules);
    return own.deploy(['--project=membership-test', ...words, '--same-build', 'verify'], { env });
  };

  test('is built where it is not deployed, so that it can be compared', async () => {
    await own.deploy([...settings, 'build'], { env: createStubs(own).env });
    const all = [...functions, 'syncAdmin'];
    const { stdout, stderr } = await verify(lists(all, 'other'), ['--admin-viewers=a@felag.test']);
    expect(stdout).toContain('WRONG syncAdmin answers from another build');
    expect(stderr).not.toContain('is not built');
  });

  test('is no mixture where nobody is to see it any more, and does not decide how far a rollback goes', async () => {
    const rules = lists([...functions, 'syncAdmin'], 'b1', 'of old');
    const { stdout } = await verify(rules, []);
    expect(stdout).toContain("the admin's page is still there");
    expect(stdout).not.toContain('different deployments');
    const { env, commands } = createStubs(own, rules);
    const { status } = await own.deploy(['--project=membership-test', 'rollback'], { env });
    expect(status).toBe(0);
    const traffic = commands().filter((line) => line.includes('update-traffic'));
    expect(traffic).toHaveLength(5);
    expect(traffic.join()).not.toContain('syncadmin');
  });

  test('is missed where production gets it', async () => {
    const { stdout } = await verify(lists(functions, 'b1'), ['--with-page']);
    expect(stdout).toContain('WRONG syncAdmin is not deployed');
  });
});

test('every command that is hinted at repeats the environment and the settings', async () => {
  const own = createDeployProject();
  own.write('envs/production.env', 'PROJECT=membership-test\n');
  const words = [
    '--env=production',
    '--env-dir=envs',
    '--django-base-url=https://r.felag.test',
    '--use-shell',
  ];
  const { env } = createStubs(own, [
    { command: 'curl *', answer: '200' },
    ...servingRules(functions.map((name) => ({ name, deployment: `of ${name}` }))),
  ]);
  const { stdout, stderr } = await own.deploy(
    [...words, '--cloudsql-instance=a-b-c-d:e:f', 'verify'],
    { env },
  );
  const hints = [...(stdout + stderr).matchAll(/\.\/deploy\.sh .*/g)].map(([hint]) => hint);
  expect(hints.length).toBeGreaterThan(6);
  const anywhere = hints.map((hint) => hint.replace(`${own.folder}/`, ''));
  for (const hint of anywhere) {
    expect(hint).toContain(
      './deploy.sh --env=production --env-dir=envs --django-base-url=https://r.felag.test --use-shell --cloudsql-instance=a-b-c-d:e:f',
    );
  }
});
