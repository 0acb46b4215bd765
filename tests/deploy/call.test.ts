import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startBundle } from '../support/bundle.ts';
import { createTestDatabase } from '../support/database.ts';
import { createDeployProject } from '../support/deployProject.ts';
import { startDjango } from '../support/django.ts';
import { describeWith, startGcloud } from '../support/gcloud.ts';
import { startCloudFake } from '../support/gcloudFake.ts';
import { type CloudFake, PROJECT, REGION } from '../support/gcloudFakeTypes.ts';

jest.setTimeout(120_000);

const sender = `membership-sync-scheduler@${PROJECT}.iam.gserviceaccount.com`;
const names = ['syncScheduled', 'syncDryRun', 'syncStatus', 'syncLogs', 'health'];

// The functions run here as they were built; the fake stands where Cloud Run's front end would.
describeWith('gcloud')('gcloud functions call, with the built functions behind it', () => {
  const project = createDeployProject();
  let fake: CloudFake;
  let gcloud: Awaited<ReturnType<typeof startGcloud>>;

  beforeAll(async () => {
    const [database, django] = await Promise.all([
      createTestDatabase(),
      startDjango({ members: 40 }),
    ]);
    const environment = {
      NODE_ENV: 'production',
      AUTH_MODE: 'iam',
      LOG_EXECUTION_ID: 'true',
      GOOGLE_CLOUD_PROJECT: PROJECT,
      ALLOWED_CALLERS: 'admin@example.is',
      DATABASE_URL: database.url,
      DJANGO_BASE_URL: django.url,
      DJANGO_API_KEY: django.behaviour.key,
      DJANGO_AUTH_SCHEME: django.behaviour.scheme,
    };
    fake = await startCloudFake();
    const location = `projects/${PROJECT}/locations/${REGION}`;
    for (const name of names) {
      const bundle = await startBundle(name, environment);
      fake.running.set(name, bundle.url);
      const body = JSON.stringify({ serviceConfig: { environmentVariables: { DEPLOYMENT: '1' } } });
      await fetch(`${fake.url}/v2/${location}/functions?functionId=${name}`, {
        method: 'POST',
        body,
      });
    }
    for (const [secret, reader] of [
      ['database-url', 'run'],
      ['database-reader-url', 'read'],
      ['django-api-key', 'run'],
    ]) {
      fake.policies.set(`projects/${PROJECT}/secrets/membership-sync-${secret}`, [
        {
          role: 'roles/secretmanager.secretAccessor',
          members: [`serviceAccount:membership-sync-${reader}@${PROJECT}.iam.gserviceaccount.com`],
        },
      ]);
    }
    const invokers = (members: string[]) => [{ role: 'roles/run.invoker', members }];
    fake.policies.set(`${location}/services/health`, invokers(['allUsers']));
    fake.policies.set(`${location}/services/syncscheduled`, invokers([`serviceAccount:${sender}`]));
    fake.resources.set(`${location}/jobs/membership-sync`, {
      name: `${location}/jobs/membership-sync`,
      state: 'ENABLED',
      schedule: '0 * * * *',
      timeZone: 'Atlantic/Reykjavik',
      attemptDeadline: '570s',
      retryConfig: { retryCount: 2, minBackoffDuration: '60s', maxBackoffDuration: '300s' },
      httpTarget: {
        uri: `${fake.url}/run/syncScheduled`,
        httpMethod: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: Buffer.from('{"sync_type":"scheduled"}').toString('base64'),
        oidcToken: { serviceAccountEmail: sender, audience: `${fake.url}/run/syncScheduled` },
      },
    });
    gcloud = await startGcloud(fake);
  });
  afterAll(async () => {
    await gcloud?.close();
    await fake?.close();
  });

  const call = async (name: string, data?: object) => {
    const words = ['functions', 'call', name, '--gen2', `--region=${REGION}`, '--format=value(.)'];
    if (data) words.push(`--data=${JSON.stringify(data)}`);
    const { stdout } = await promisify(execFile)('gcloud', words, { env: gcloud.environment });
    return JSON.parse(stdout);
  };

  test('verify is content with a system that has never run', async () => {
    const words = [`--project=${PROJECT}`, 'verify'];
    const { stdout, stderr, status } = await project.deploy(words, { env: gcloud.environment });
    expect(stdout).toContain('ok    syncStatus: never_synced');
    expect(stdout).toContain('ok    syncDryRun: of 40 members would add ');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });

  test('a dry run, the run that it announced, and the status after it', async () => {
    const announced = await call('syncDryRun', { limit: 1 });
    expect(announced).toMatchObject({ dry_run: true, plan: expect.stringMatching(/^sha256:/) });
    expect(announced.changes).toHaveLength(1);
    const done = await call('syncScheduled', { plan: announced.plan });
    expect(done).toMatchObject({ dry_run: false, members_added: announced.members_added });
    expect(await call('syncStatus')).toMatchObject({ status: 'ok' });
    expect((await call('syncLogs', { limit: 5 })).logs).toHaveLength(1);
  });

  test('a run by hand, and the way back: look at the undo, then undo', async () => {
    const manual = await call('syncScheduled', { sync_type: 'manual', mode: 'full' });
    expect(manual).toMatchObject({ status: 'success', sync_type: 'manual', members_added: 0 });
    const [, first] = (await call('syncLogs', { limit: 5 })).logs;
    const announced = await call('syncDryRun', { undo: first.id });
    expect(announced).toMatchObject({ dry_run: true, held: { removals: { count: 40 } } });
    const approved = { undo: first.id, plan: announced.plan };
    expect(await call('syncScheduled', approved)).toMatchObject({
      sync_type: 'undo',
      members_removed: first.members_added,
    });
  });

  test('an error reaches the caller, although gcloud shows no body of a failed call', async () => {
    expect(await call('syncDryRun', { colour: 'red' })).toMatchObject({
      error: { code: 'invalid_request' },
    });
  });
});
