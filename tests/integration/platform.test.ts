import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, startBundle } from '../support/bundle.ts';
import { post, request } from '../support/http.ts';
import { buildProbe } from '../support/probe/build.ts';
import { until } from '../support/until.ts';

// Bundles under the functions framework, each in a process of its own, as the platform runs them.

const environment = {
  NODE_ENV: 'staging',
  ADMIN_API_KEY: 'k'.repeat(32),
  DATABASE_URL: 'postgresql://u:p@h/db',
  GOOGLE_CLOUD_PROJECT: 'p',
  LOG_EXECUTION_ID: 'true',
};
const key = environment.ADMIN_API_KEY;

let folder: string;
beforeAll(() => {
  folder = buildProbe();
});

const start = (changes: Record<string, string> = {}) =>
  startBundle('probe', { ...environment, ...changes }, folder);
const ask = (probe: Bundle, behaviour: string, headers: Record<string, string> = {}) =>
  post(probe.url, { do: behaviour }, { key, headers });

describe('when the platform stops the instance', () => {
  test('a run in progress is told, and its answer still arrives', async () => {
    const probe = await start();
    const answer = ask(probe, 'run');
    await probe.says({ behaviour: 'run' });
    const gone = probe.kill('SIGTERM');
    await probe.says({ event: 'shutdown' });
    const late = await ask(probe, 'echo');
    expect(late).toMatchObject({ status: 503, body: { error: { code: 'interrupted' } } });
    expect(await answer).toMatchObject({ status: 503, body: { error: { code: 'interrupted' } } });
    await gone;
    expect(probe.process.exitCode).toBe(0);
    expect(probe.events().map(({ event }) => event)).not.toContain('shutdown_incomplete');
  });

  test.each([true, false])('an idle one is gone at once (after a request: %s)', async (used) => {
    const probe = await start();
    if (used) await ask(probe, 'echo');
    await probe.kill('SIGTERM');
    expect(probe.process.exitCode).toBe(0);
    // It says so only when it has to wait for a request.
    expect(probe.events().map(({ event }) => event)).not.toContain('shutdown');
  });
});

test('a run that takes too long is stopped before the platform would', async () => {
  const probe = await start({ CLOUD_RUN_TIMEOUT_SECONDS: '10' });
  const reply = await ask(probe, 'run');
  expect(reply).toMatchObject({ status: 504, body: { error: { code: 'deadline_exceeded' } } });
});

test('work that does not stop when it is told to is answered all the same', async () => {
  const probe = await start({ CLOUD_RUN_TIMEOUT_SECONDS: '10' });
  const reply = await ask(probe, 'hang');
  expect(reply).toMatchObject({ status: 504, body: { error: { code: 'deadline_exceeded' } } });
  // Another call does not suffer for it, and neither does the end of the instance.
  expect((await ask(probe, 'echo')).status).toBe(200);
  const hanging = ask(probe, 'hang');
  await until(() => probe.events().filter((event) => event['behaviour'] === 'hang').length === 2);
  const gone = probe.kill('SIGTERM');
  expect(await hanging).toMatchObject({ status: 503, body: { error: { code: 'interrupted' } } });
  await gone;
  expect(probe.process.exitCode).toBe(0);
});

describe('what goes wrong in the code', () => {
  let probe: Bundle;
  beforeAll(async () => {
    probe = await start();
  });
  afterEach(async () => {
    expect((await ask(probe, 'echo')).status).toBe(200);
  });

  test('an error is answered by us, not by the framework, which would show it', async () => {
    const reply = await ask(probe, 'throw');
    expect(reply).toMatchObject({ status: 500, body: { error: { code: 'internal_error' } } });
    expect(reply.text).not.toContain('secret detail');
    expect(reply.headers.get('x-google-status')).toBeNull();
  });

  test.each([
    { behaviour: 'rejectLater', where: 'inside' },
    { behaviour: 'rejectOutside', where: 'outside' },
  ])('a rejection $where a request is logged and does not end the process', async (one) => {
    expect((await ask(probe, one.behaviour)).status).toBe(200);
    const of = () => probe.events().find(({ message }) => String(message).includes(one.where));
    expect(await until(of)).toMatchObject({ severity: 'ERROR', event: 'unhandled_rejection' });
  });
});

test('an exception that nobody caught ends the process, and the caller reads nothing of it', async () => {
  const probe = await start();
  const { status, text } = await ask(probe, 'throwLater');
  expect([status, text]).toEqual([500, 'Process exited with code 1']);
  await probe.kill();
  expect(probe.process.exitCode).toBe(1);
  expect(probe.output().join('\n')).not.toContain('jon@example.is');
  expect(probe.events().map(({ event }) => event)).toContain('uncaught_exception');
});

test('with execution ids every line stays one object, tied to its request and trace', async () => {
  const probe = await start();
  await ask(probe, 'echo', {
    'Function-Execution-Id': 'execution7',
    'X-Cloud-Trace-Context': '4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1',
  });
  await probe.says({ status: 200 });
  const entries = probe.events().filter((entry) => entry['event'] === 'request');
  expect(entries).toHaveLength(2);
  for (const entry of entries) {
    expect(entry).toMatchObject({
      severity: 'INFO',
      route: 'probe',
      'logging.googleapis.com/labels': { execution_id: 'execution7' },
      'logging.googleapis.com/trace': 'projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736',
      // The hexadecimal form, which Cloud Logging wants; the framework would add the decimal one.
      'logging.googleapis.com/spanId': '00f067aa0ba902b7',
    });
  }
});

test('without credentials for Secret Manager the instance lives and says what is wrong', async () => {
  const probe = await start({
    DATABASE_URL: 'sm://p/db',
    METADATA_SERVER_DETECTION: 'none',
    HOME: '/nonexistent',
  });
  for (const _ of [1, 2]) {
    expect(await ask(probe, 'echo')).toMatchObject({
      status: 503,
      body: {
        error: {
          code: 'secrets_unavailable',
          message: expect.stringContaining('DATABASE_URL cannot be used: there are no credentials'),
        },
      },
    });
  }
  expect(probe.process.exitCode).toBeNull();
});

test('a broken environment does not start, and all that is wrong can be read', async () => {
  const starting = startBundle('probe', { NODE_ENV: 'prod', ADMIN_API_KEY: 'short' }, folder);
  await expect(starting).rejects.toThrow(/NODE_ENV must be one of[\s\S]*DATABASE_URL is missing/);
  await expect(starting).rejects.toThrow(/\{"severity":"CRITICAL",.*"event":"config_invalid"/);
});

describe('health', () => {
  test.each([
    { level: 'WARNING', lines: 0 },
    { level: 'INFO', lines: 1 },
    { level: 'loud', lines: 1 },
  ])('logs $lines line(s) for a request with LOG_LEVEL=$level', async ({ level, lines }) => {
    const health = await startBundle('health', { LOG_LEVEL: level });
    expect((await request(health.url)).status).toBe(200);
    await health.kill('SIGTERM');
    expect(health.events().filter(({ event }) => event === 'request')).toHaveLength(lines);
  });

  test('answers in any environment, to anybody', async () => {
    const health = await startBundle('health', { NODE_ENV: 'nonsense', AUTH_MODE: 'nonsense' });
    const reply = await request(`${health.url}/health`);
    expect(reply).toMatchObject({ status: 200, body: { status: 'healthy' } });
  });

  test('loads nothing that it does not need', () => {
    expect(statSync(join(__dirname, '../../dist/health/index.js')).size).toBeLessThan(30_000);
  });
});
