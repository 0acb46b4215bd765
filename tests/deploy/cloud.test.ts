import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupsOf } from '../../deploy/checkSettings.ts';
import { loadConfig } from '../../lib/config.ts';
import { startBundle } from '../support/bundle.ts';
import { commandPath } from '../support/commands.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { createDeployProject, type Outcome } from '../support/deployProject.ts';
import { deployForTheFirstTime } from '../support/firstDeployment.ts';
import { describeWith, startGcloud } from '../support/gcloud.ts';
import { startCloudFake } from '../support/gcloudFake.ts';
import { passedBy } from '../support/gcloudFakeProxy.ts';
import { type CloudFake, type Json, PROJECT, REGION } from '../support/gcloudFakeTypes.ts';
import { unzip } from '../support/zip.ts';

jest.setTimeout(600_000);

const INSTANCE = `${PROJECT}:${REGION}:main`;
const settings = [
  `--project=${PROJECT}`,
  '--django-base-url=https://register.felag.test',
  '--django-field-map={"kennitala":"ssn","email":"contact_info.email"}',
  '--allowed-callers=a@felag.test,b@felag.test',
  '--alert-email=ops@felag.test',
  '--admins-group=admins@felag.test',
  `--cloudsql-instance=${INSTANCE}`,
  '--use-shell',
];
const runtime = `serviceAccount:membership-sync-run@${PROJECT}.iam.gserviceaccount.com`;
const reader = `serviceAccount:membership-sync-read@${PROJECT}.iam.gserviceaccount.com`;
const scheduler = `serviceAccount:membership-sync-scheduler@${PROJECT}.iam.gserviceaccount.com`;
const functions = ['syncScheduled', 'syncDryRun', 'syncStatus', 'syncLogs', 'health'];
const location = `projects/${PROJECT}/locations/${REGION}`;

const describeCloud = describeWith(commandPath('psql') ? 'gcloud' : 'psql');

// One story, told in order: each test starts from what the one before has left in the cloud.
describeCloud('the real gcloud against a fake of the Google APIs', () => {
  const project = createDeployProject({ buildable: true });
  let fake: CloudFake;
  let gcloud: Awaited<ReturnType<typeof startGcloud>>;
  let database: TestDatabase;
  let first: Outcome;
  let story: Awaited<ReturnType<typeof deployForTheFirstTime>>;

  const deploy = (words: string[], input = '') =>
    project.deploy([...settings, ...words], {
      env: { ...gcloud.environment, DATABASE_URL: database.url },
      input,
    });
  const config = (name: string) =>
    fake.resources.get(`${location}/functions/${name}`)?.['serviceConfig'] as Json & {
      environmentVariables: Record<string, string>;
    };
  const service = async (name: string) => {
    const response = await fetch(
      `${fake.url}/apis/serving.knative.dev/v1/namespaces/${PROJECT}/services/${name.toLowerCase()}`,
    );
    return (await response.json()) as {
      spec: { template: { metadata: { annotations: Record<string, string> } } };
      status: { traffic: { revisionName: string }[] };
    };
  };
  const serving = async () =>
    Promise.all(
      functions.map(async (name) => (await service(name)).status.traffic[0]?.revisionName),
    );
  const attached = async (name: string) =>
    (await service(name)).spec.template.metadata.annotations[
      'run.googleapis.com/cloudsql-instances'
    ];

  beforeAll(async () => {
    fake = await startCloudFake();
    // As a new project is: nothing is enabled, lists lag, and not all of Google knows the new accounts yet.
    fake.strict = true;
    fake.lag = 1;
    fake.refusals = [
      // In the middle of a secret: it is there, and has no value yet.
      {
        match: /^POST .*\/membership-sync-database-url:addVersion$/,
        status: 429,
        message: 'Quota exceeded',
        times: 1,
      },
      {
        match: /^POST \/v1\/projects\/[^/]+:setIamPolicy/,
        status: 400,
        message: `Service account ${runtime.slice('serviceAccount:'.length)} does not exist.`,
        times: 2,
      },
      { match: /^POST .*\/alertPolicies$/, status: 503, message: 'try again', times: 1 },
    ];
    const early = await fetch(`${fake.url}/v1/projects/${PROJECT}/secrets`);
    expect(early.status).toBe(403);
    [gcloud, database] = await Promise.all([startGcloud(fake), createEmptyDatabase()]);
    // deploy/staging.env, as a newcomer fills it in.
    const lines = settings
      .filter((flag) => flag.includes('='))
      .map((flag) => /^--([a-z-]+)=(.*)$/.exec(flag))
      .map((found) => `${found?.[1]?.toUpperCase().replaceAll('-', '_')}=${found?.[2]}`);
    project.write(
      'deploy/staging.env',
      `${lines.join('\n')}\nMIGRATION_SECRET=membership-sync-owner-url\n`,
    );
    story = await deployForTheFirstTime(project, {
      project: PROJECT,
      instance: INSTANCE,
      databaseUrl: database.url,
      environment: gcloud.environment,
      secrets:
        'DATABASE_URL=postgresql://membership_sync:hush@/members?host=/cloudsql/x\nDATABASE_READER_URL=postgresql://membership_sync_reader:hush@/members?host=/cloudsql/x\nDJANGO_API_KEY=hush-too\n',
    });
    first = story.at(-1)?.outcome as Outcome;
    fake.lag = 0;
    // Every test below would fail with less to say.
    if (first.status !== 0) throw new Error(first.stdout + first.stderr);
  });
  afterAll(async () => {
    await gcloud?.close();
    await fake?.close();
  });

  test('the numbered list of the guide leads from an empty project to a system that verifies itself', () => {
    expect(story).toHaveLength(6);
    expect(story.map(({ outcome }) => outcome.status)).toEqual(Array(6).fill(0));
    expect(first.stderr).toBe('');
    expect(first.stdout).toContain('[12/12] verify: everything works');
  });

  test('it tries again what was refused for a moment, and makes nothing twice', () => {
    expect(fake.refusals).toEqual([]);
    const versions = [...fake.resources.keys()].filter((name) => name.includes('/versions/'));
    expect(versions.map((name) => name.split('/').slice(3).join('/')).sort()).toEqual([
      'membership-sync-database-reader-url/versions/1',
      'membership-sync-database-url/versions/1',
      'membership-sync-django-api-key/versions/1',
      'membership-sync-owner-url/versions/1',
    ]);
  });

  test('it migrates the database, and gives each login its role', async () => {
    const roles = await database.query<{ name: string }>(
      "select rolname::text as name from pg_roles where rolname like 'membership\\_sync%'",
    );
    expect(roles.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['membership_sync', 'membership_sync_reader']),
    );
    const tables = await database.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['members', 'sync_log']));
  });

  test.each(functions)(
    'it uploads of %s the bundle, its package.json and its lock, and nothing else',
    (name) => {
      const files = unzip(fake.uploads.get(name) ?? Buffer.alloc(0));
      expect([...files.keys()].filter((file) => file !== '.gcloudignore').sort()).toEqual([
        'index.js',
        'package-lock.json',
        'package.json',
      ]);
      const lock = JSON.parse(String(files.get('package-lock.json')));
      const manifest = JSON.parse(String(files.get('package.json')));
      expect(lock.packages[''].dependencies).toEqual(manifest.dependencies);
      expect(lock.packages['node_modules/@google-cloud/functions-framework'].version).toBe(
        manifest.dependencies['@google-cloud/functions-framework'],
      );
      expect(Object.values<Json>(lock.packages).some((entry) => entry['dev'])).toBe(false);
      expect(String(files.get('index.js'))).toContain(name);
    },
  );

  test('it gives every function an environment that the function accepts, and no secret value', () => {
    for (const name of functions) {
      const environment = config(name).environmentVariables;
      const groups = groupsOf[name] ?? [];
      expect(() => loadConfig(environment, groups)).not.toThrow();
      expect(environment).toMatchObject({ NODE_ENV: 'production', LOG_EXECUTION_ID: 'true' });
    }
    expect(config('syncScheduled').environmentVariables).toMatchObject({
      AUTH_MODE: 'iam',
      ALLOWED_CALLERS: `a@felag.test,b@felag.test,${scheduler.replace('serviceAccount:', '')}`,
      SCHEDULER_CALLERS: scheduler.replace('serviceAccount:', ''),
      DJANGO_FIELD_MAP: '{"kennitala":"ssn","email":"contact_info.email"}',
      DATABASE_URL: `sm://${PROJECT}/membership-sync-database-url`,
      CLOUD_RUN_TIMEOUT_SECONDS: '540',
    });
    expect(JSON.stringify(fake.resources.get(`${location}/functions/syncScheduled`))).not.toContain(
      'hush',
    );
    expect(first.stdout).not.toContain('hush');
  });

  test('it lets one run at a time, in one instance', () => {
    expect(config('syncScheduled')).toMatchObject({
      maxInstanceCount: 1,
      maxInstanceRequestConcurrency: 1,
      timeoutSeconds: 540,
      availableMemory: '512Mi',
    });
  });

  test('it stores the secrets without a newline and lets only the functions read them', () => {
    const secret = `projects/${PROJECT}/secrets/membership-sync-django-api-key`;
    const payload = fake.resources.get(`${secret}/versions/1`)?.['payload'] as { data: string };
    expect(Buffer.from(payload.data, 'base64').toString()).toBe('hush-too');
    expect(fake.policies.get(secret)).toEqual([
      { role: 'roles/secretmanager.secretAccessor', members: [runtime] },
    ]);
    const readerSecret = `projects/${PROJECT}/secrets/membership-sync-database-reader-url`;
    expect(fake.policies.get(readerSecret)).toEqual([
      { role: 'roles/secretmanager.secretAccessor', members: [reader] },
    ]);
    expect(fake.policies.get(`projects/${PROJECT}`)).toEqual([
      { role: 'roles/cloudsql.client', members: [runtime, reader] },
      { role: 'roles/cloudfunctions.viewer', members: ['group:admins@felag.test'] },
    ]);
  });

  test('it attaches the database to each private function', async () => {
    expect(await Promise.all(functions.map(attached))).toEqual([
      INSTANCE,
      INSTANCE,
      INSTANCE,
      INSTANCE,
      undefined,
    ]);
  });

  test('it lets the scheduler call one function, the admins four, and everybody health', () => {
    const callers = (name: string) =>
      [...fake.policies]
        .filter(([resource]) => resource.endsWith(`/services/${name}`))
        .flatMap(([, bindings]) => bindings.filter(({ role }) => role === 'roles/run.invoker'))
        .flatMap(({ members }) => members);
    expect(callers('syncscheduled').sort()).toEqual(['group:admins@felag.test', scheduler]);
    for (const name of ['syncdryrun', 'syncstatus', 'synclogs']) {
      expect(callers(name)).toEqual(['group:admins@felag.test']);
    }
    expect(callers('health')).toEqual(['allUsers']);
  });

  test('it schedules a run every hour, with an identity, a JSON body, a deadline and retries', () => {
    const uri = config('syncScheduled')['uri'];
    expect(fake.resources.get(`${location}/jobs/membership-sync`)).toMatchObject({
      schedule: '0 * * * *',
      timeZone: 'Atlantic/Reykjavik',
      attemptDeadline: '570s',
      retryConfig: { retryCount: 2 },
      httpTarget: {
        uri,
        httpMethod: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: Buffer.from('{"sync_type":"scheduled"}').toString('base64'),
        oidcToken: {
          audience: uri,
          serviceAccountEmail: scheduler.slice('serviceAccount:'.length),
        },
      },
    });
  });

  test('it makes channels for operations and the admins, alerts for each, metrics and a dashboard', () => {
    const all = (kind: string) =>
      [...fake.resources]
        .filter(([name]) => name.startsWith(`projects/${PROJECT}/${kind}/`))
        .map(([, stored]) => stored);
    const channels = all('notificationChannels').map(({ name, labels }) => [
      name,
      (labels as Json)['email_address'],
    ]);
    expect(channels.map(([, address]) => address)).toEqual(['ops@felag.test', 'admins@felag.test']);
    const told = (name: unknown) => channels.find(([channel]) => channel === name)?.[1];
    expect(
      Object.fromEntries(
        all('alertPolicies').map(({ displayName, notificationChannels }) => [
          String(displayName).replace('membership-sync: ', ''),
          (notificationChannels as string[]).map(told).join(),
        ]),
      ),
    ).toEqual({
      'a run failed': 'ops@felag.test',
      'changes are held': 'admins@felag.test',
      'something waits for a person': 'admins@felag.test',
      'too many records cannot be read': 'ops@felag.test',
      'an undo above the limits': 'ops@felag.test',
      'notifications were given up': 'ops@felag.test',
      'no complete run': 'ops@felag.test',
    });
    expect(JSON.stringify(all('alertPolicies'))).not.toMatch(
      /STALE_SECONDS|WINDOW_SECONDS|PROJECT_ID|REGION_NAME/,
    );
    expect(all('metrics')).toHaveLength(7);
    expect(all('dashboards')).toHaveLength(1);
  });

  test('a second run changes nothing', async () => {
    const calls = fake.calls.length;
    const before = structuredClone([...fake.resources]);
    const { status, stdout } = await deploy([]);
    expect(status).toBe(0);
    expect(stdout).toContain('syncScheduled is unchanged');
    const changes = fake.changes().filter((call) => fake.calls.indexOf(call) >= calls);
    expect(changes.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect([...fake.resources]).toEqual(before);
  });

  let released: (string | undefined)[];
  let channels: string[];
  const changed = [
    '--sync-interval-minutes=15',
    '--admin-viewers=a@felag.test',
    '--admin-approvers=b@felag.test',
  ];
  test("another interval and the admin's page are deployed by the steps that they concern", async () => {
    released = await serving();
    channels = [...fake.resources.keys()].filter((name) => name.includes('/notificationChannels/'));
    const steps =
      'apis service-accounts secrets build functions invokers page scheduler monitoring';
    const { status, stderr } = await deploy([...changed, ...steps.split(' ')]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('a changed setting deploys anew, attaches the database anew, and changes the job in place', async () => {
    expect(config('syncStatus').environmentVariables['SYNC_INTERVAL_MINUTES']).toBe('15');
    expect(await attached('syncStatus')).toBe(INSTANCE);
    expect(fake.resources.get(`${location}/jobs/membership-sync`)).toMatchObject({
      schedule: '*/15 * * * *',
      attemptDeadline: '570s',
    });
    const policies = [...fake.resources].filter(([name]) => name.includes('/alertPolicies/'));
    expect(policies).toHaveLength(7);
    expect(JSON.stringify(policies)).toContain('"alignmentPeriod":"2700s"');
    expect(
      [...fake.resources.keys()].filter((name) => name.includes('/notificationChannels/')),
    ).toEqual(channels);
  });

  const page = `projects/123/iap_web/cloud_run-${REGION}/services/syncadmin`;
  const visitors = () => fake.policies.get(page)?.flatMap(({ members }) => members);
  const annotations = async (name: string) => {
    const { metadata } = (await service(name)) as unknown as { metadata: { annotations?: Json } };
    return metadata.annotations ?? {};
  };

  test("the admin's page gets an identity and Identity-Aware Proxy, and those who may see it", async () => {
    expect(await annotations('syncAdmin')).toMatchObject({
      'run.googleapis.com/iap-enabled': 'true',
    });
    for (const name of functions) {
      expect(await annotations(name)).not.toHaveProperty(['run.googleapis.com/iap-enabled']);
    }
    expect(visitors()).toEqual(['user:a@felag.test', 'user:b@felag.test']);
    const account = `membership-sync-page@${PROJECT}.iam.gserviceaccount.com`;
    expect(config('syncAdmin')).toMatchObject({
      serviceAccountEmail: account,
      maxInstanceCount: 1,
      timeoutSeconds: 540,
      environmentVariables: {
        AUTH_MODE: 'iap',
        AUTH_AUDIENCE: `/projects/123/locations/${REGION}/services/syncadmin`,
        ADMIN_VIEWERS: 'a@felag.test',
        ADMIN_APPROVERS: 'b@felag.test',
        DATABASE_READER_URL: `sm://${PROJECT}/membership-sync-database-reader-url`,
        SYNC_URL: `https://${REGION}-${PROJECT}.cloudfunctions.net/syncScheduled`,
      },
    });
    expect(config('syncAdmin').environmentVariables).not.toHaveProperty('DATABASE_URL');
    expect(config('syncScheduled').environmentVariables).toMatchObject({
      ADMIN_PAGE_CALLER: account,
      ALLOWED_CALLERS: expect.stringContaining(account),
    });
    expect(await attached('syncAdmin')).toBe(INSTANCE);
    const invokers = fake.policies.get(`${location}/services/syncdryrun`)?.[0]?.members;
    expect(invokers).toContain(`serviceAccount:${account}`);
  });

  test('the page that was uploaded runs as it was deployed, and opens for those who may see it', async () => {
    const folder = join(project.folder, 'uploaded');
    for (const [name, content] of unzip(fake.uploads.get('syncAdmin') ?? Buffer.alloc(0))) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    symlinkSync(join(project.folder, 'node_modules'), join(folder, 'node_modules'));
    const variables = config('syncAdmin').environmentVariables;
    const uploaded = await startBundle(
      'syncAdmin',
      {
        ...variables,
        DATABASE_READER_URL: database.url,
        // The key of the proxy that stands here, which production would not take.
        NODE_ENV: 'test',
        AUTH_CERTS_URL: `${fake.url}/iap/keys`,
      },
      folder,
    );
    const as = (email: string) =>
      fetch(uploaded.url, {
        headers: { 'x-goog-iap-jwt-assertion': passedBy(variables['AUTH_AUDIENCE'], email) },
      });
    const seen = await as('a@felag.test');
    expect({ status: seen.status, type: seen.headers.get('content-type') }).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
    });
    expect((await as('c@felag.test')).status).toBe(403);
    expect((await fetch(uploaded.url)).status).toBe(401);
    fake.running.set('syncAdmin', uploaded.url);
  });

  test('a rollback sends the traffic to what served before, database attached, and pauses the scheduler', async () => {
    const { status, stdout } = await deploy([...changed, 'rollback']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /syncadmin stays as it is, .* --admin-viewers='' --admin-approvers='' page$/m,
    );
    expect(await serving()).toEqual(released);
    expect(fake.resources.get(`${location}/jobs/membership-sync`)).toMatchObject({
      state: 'PAUSED',
    });
  });

  test('verify then finds the paused scheduler and fails', async () => {
    const { status, stdout } = await deploy([...changed, 'verify']);
    expect(stdout).toContain('WRONG scheduler job membership-sync is PAUSED');
    expect(stdout).toContain("WRONG the admin's page is of another deployment than the functions");
    expect(stdout).toMatch(
      /note .*syncStatus answers with other settings than these.*: .*SYNC_INTERVAL_MINUTES$/m,
    );
    expect(stdout).not.toContain('by hand');
    expect(status).toBe(1);
  });

  test('what Google does not show is no mixture and no absence', async () => {
    const services = /^GET \/apis\/serving.*\/services$/;
    fake.refusals = [{ match: services, status: 403, message: 'not allowed to list' }];
    const { status, stdout, stderr } = await deploy([...changed, 'verify']);
    fake.refusals = [];
    expect(stderr).toMatch(/not allowed to list[\s\S]*could not be read[\s\S]*Prerequisites/);
    expect(stdout).not.toContain('WRONG');
    expect(status).toBe(3);
  });

  test('an API that fails stops the step with its name and how to go on', async () => {
    fake.refusals = [{ match: /POST .*:resume/, status: 403, message: 'not allowed to resume' }];
    const { status, stderr } = await deploy(['scheduler', 'verify']);
    fake.refusals = [];
    expect(stderr).toContain('not allowed to resume');
    expect(stderr).toMatch(/Step scheduler failed\. .*\n {2}\.\/deploy\.sh .* scheduler verify\n$/);
    expect(status).toBe(1);
  });

  test('deploying again takes the traffic back and resumes the scheduler', async () => {
    const { status, stdout } = await deploy([...changed, 'functions', 'scheduler']);
    expect(status).toBe(0);
    expect(stdout).toContain('health is unchanged');
    expect(await serving()).not.toEqual(released);
    expect(fake.resources.get(`${location}/jobs/membership-sync`)).toMatchObject({
      state: 'ENABLED',
    });
  });

  test('verify finds a mixture, a missing database, an open function and a page without its proxy', async () => {
    fake.forgets.add('iap');
    const patch = async (name: string, given: object) => {
      const url = `${fake.url}/v2/${location}/functions/${name}`;
      await fetch(url, { method: 'PATCH', body: JSON.stringify({ serviceConfig: given }) });
    };
    await patch('syncAdmin', {});
    await patch('syncLogs', { environmentVariables: { DEPLOYMENT: 'by hand' } });
    const open = { role: 'roles/run.invoker', members: ['allUsers', 'user:x@felag.test'] };
    fake.policies.get(`${location}/services/syncdryrun`)?.push(open);
    const world = [{ role: 'roles/run.admin', members: ['allUsers', 'user:y@felag.test'] }];
    fake.policies.get(`${location}/services/syncstatus`)?.push(...world);
    await changeByHand('syncScheduled');
    const job = `${location}/jobs/membership-sync`;
    const { httpTarget, ...rest } = fake.resources.get(job) as Json & { httpTarget: Json };
    fake.resources.set(job, { ...rest, httpTarget: { ...httpTarget, httpMethod: 'GET' } });
    const { status, stdout } = await deploy([...changed, 'verify']);
    expect(status).toBe(1);
    expect(stdout).not.toContain('everything works');
    for (const found of [
      'the functions answer from different deployments',
      `syncLogs is not attached to ${INSTANCE}`,
      'IAM lets the whole world call syncDryRun',
      'syncDryRun is open to the world: its own code answers nobody',
      'IAM lets user:x@felag.test call syncDryRun, which is not expected',
      'IAM lets the whole world call syncStatus (roles/run.admin)',
      'user:y@felag.test may call syncStatus by roles/run.admin: gcloud run services remove-iam',
      'syncScheduled was changed by hand after its deployment (--max-instances, --service-account, SYNC_MAX_REMOVALS, image)',
      'scheduler job membership-sync has another method',
      'syncAdmin is not behind Identity-Aware Proxy',
    ]) {
      expect(stdout).toContain(`WRONG ${found}`);
    }
  });

  // As with `gcloud run services update`, which leaves the marks of the deployment as they are.
  const changeByHand = async (name: string) => {
    const found = (await service(name)) as unknown as {
      spec: {
        template: {
          metadata: { annotations: Record<string, string> };
          spec: { serviceAccountName: string; containers: { image: string; env: object[] }[] };
        };
      };
    };
    const { metadata, spec } = found.spec.template;
    metadata.annotations['autoscaling.knative.dev/maxScale'] = '50';
    spec.serviceAccountName = 'x@felag.test';
    const [container] = spec.containers;
    if (!container) throw new Error('no container');
    container.image = 'other.test/x/y';
    container.env.push({ name: 'SYNC_MAX_REMOVALS', value: '100%' });
    const url = `${fake.url}/apis/serving.knative.dev/v1/namespaces/${PROJECT}/services/${name.toLowerCase()}`;
    await fetch(url, { method: 'PUT', body: JSON.stringify(found) });
  };

  test('each step repairs its own: the code, who may call, the job, the proxy and who passes it', async () => {
    const repaired = await deploy([...changed, 'functions', 'invokers', 'scheduler']);
    expect({ status: repaired.status, stderr: repaired.stderr }).toEqual({ status: 0, stderr: '' });
    expect(repaired.stdout).toContain('syncStatus is unchanged');
    expect(repaired.stdout).toContain('user:y@felag.test keeps roles/run.admin');
    expect(JSON.stringify(fake.policies.get(`${location}/services/syncadmin`))).toContain(
      'service-123@gcp-sa-iap.iam.gserviceaccount.com',
    );
    expect(JSON.stringify(await service('syncScheduled'))).not.toMatch(/other\.test|100%|x@felag/);
    expect(fake.resources.get(`${location}/jobs/membership-sync`)).toMatchObject({
      httpTarget: { httpMethod: 'POST' },
    });
    const viewers = ['--sync-interval-minutes=15', '--admin-viewers=c@felag.test'];
    const { status, stderr } = await deploy([...viewers, 'page']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(await annotations('syncAdmin')).toMatchObject({
      'run.googleapis.com/iap-enabled': 'true',
    });
    expect(visitors()).toEqual(['user:c@felag.test']);
    expect(await attached('syncLogs')).toBe(INSTANCE);
    const callers = JSON.stringify(fake.policies.get(`${location}/services/syncdryrun`));
    expect(callers).toContain('admins@felag.test');
    expect(callers).not.toMatch(/allUsers|x@felag/);
    expect(JSON.stringify(fake.policies.get(`${location}/services/syncstatus`))).not.toContain(
      'allUsers',
    );
  });

  test('a page that nobody is to see any more goes, with all that it could do', async () => {
    const { status, stderr } = await deploy(['page']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(fake.resources.has(`${location}/functions/syncAdmin`)).toBe(false);
    expect(visitors()).toEqual([]);
    const left = ['services/syncdryrun', 'services/syncscheduled'].map((name) =>
      JSON.stringify(fake.policies.get(`${location}/${name}`)),
    );
    const secret = `projects/${PROJECT}/secrets/membership-sync-database-reader-url`;
    expect([...left, JSON.stringify(fake.policies.get(secret))].join()).not.toContain('sync-page');
  });

  test('the other trigger replaces the job by a topic, a push subscription and a job of its own', async () => {
    const jobs = () => [...fake.resources.keys()].filter((name) => name.includes('/jobs/'));
    const { status, stderr } = await deploy(['--trigger=pubsub', 'apis', 'scheduler']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(jobs()).toEqual([`${location}/jobs/membership-sync-pubsub`]);
    const uri = config('syncScheduled')['uri'];
    expect(fake.resources.get(`projects/${PROJECT}/subscriptions/membership-sync`)).toMatchObject({
      topic: `projects/${PROJECT}/topics/membership-sync`,
      ackDeadlineSeconds: 600,
      pushConfig: { pushEndpoint: uri, oidcToken: { audience: uri } },
    });
    const before = fake.changes().length;
    await deploy(['--trigger=pubsub', 'scheduler']);
    expect(fake.changes()).toHaveLength(before);
  });

  test('destroy leaves the secrets and the channel, and nothing else of ours', async () => {
    const { status, stderr } = await deploy(['--trigger=pubsub', 'destroy'], `${PROJECT}\n`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const left = [...fake.resources.keys()].filter((name) => name.startsWith('projects/'));
    const kinds = new Set(left.map((name) => name.split('/')[2]));
    expect([...kinds]).toEqual(['secrets', 'notificationChannels']);
  });
});
