import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logEvents } from '../../lib/log.ts';
import { changeClasses } from '../../lib/sync/types.ts';
import type { Row } from '../support/database.ts';
import { createWorld } from '../support/world.ts';

const folder = join(import.meta.dirname, '../../deploy/monitoring');
const read = (kind: string) =>
  readdirSync(join(folder, kind)).map((file) => ({
    file,
    ...JSON.parse(readFileSync(join(folder, kind, file), 'utf8')),
  }));
const metrics = read('metrics');
const policies = read('policies');
const dashboard = readFileSync(join(folder, 'dashboard.json'), 'utf8');

describe.each(policies)('the alert $file', (policy) => {
  const [condition] = policy.conditions;
  const { content, links, subject } = policy.documentation;

  test('is one mail an event: one condition, and none when it is over', () => {
    expect(policy.conditions).toHaveLength(1);
    const { notificationPrompts, notificationRateLimit } = policy.alertStrategy;
    // Monitoring takes the first for metrics only, and the second for log lines only.
    expect(notificationPrompts).toEqual(condition.conditionThreshold ? ['OPENED'] : undefined);
    expect(Boolean(notificationRateLimit)).toBe(Boolean(condition.conditionMatchedLog));
  });

  test('can be acted on: subject, command, link and the guide', () => {
    expect(subject).toContain('PROJECT_ID');
    expect(content).toContain('gcloud functions call syncStatus --gen2 --region=REGION_NAME');
    expect(content).toMatch(/What to do: docs\/OPERATIONS\.md, "[^"]+"\.$/);
    expect(links[0].url).toContain('?project=PROJECT_ID');
  });

  test('names only numbers that its metric or log line has', () => {
    const used = [...content.matchAll(/\$\{(metric\.label|log\.extracted_label)\.(\w+)\}/g)];
    for (const [, kind, name] of used) {
      if (kind === 'log.extracted_label') {
        expect(condition.conditionMatchedLog.labelExtractors).toHaveProperty(String(name));
        continue;
      }
      const { filter, aggregations } = condition.conditionThreshold;
      const metric = metrics.find((one) => filter.includes(`/user/${one.name}"`));
      expect(metric.labelExtractors).toHaveProperty(String(name));
      expect(aggregations[0].groupByFields).toContain(`metric.label.${name}`);
    }
  });
});

const thresholdOf = (file: string) =>
  policies.find((one) => one.file === file)?.conditions[0].conditionThreshold;

test('a failed try that the scheduler repeats sends no mail, and the last one does', () => {
  const script = readFileSync(join(folder, '../scheduler.sh'), 'utf8');
  const [, retries = '', longest = ''] =
    /--max-retry-attempts=(\d+) .*--max-backoff=(\d+)s/.exec(script) ?? [];
  const { comparison, thresholdValue, duration, aggregations } = thresholdOf('failed.json');
  expect({ comparison, thresholdValue, duration }).toEqual({
    comparison: 'COMPARISON_GT',
    thresholdValue: Number(retries),
    duration: '0s',
  });
  // All tries of one run are within what is added up.
  const window = Number.parseInt(aggregations[0].alignmentPeriod, 10);
  expect(window).toBeGreaterThan((Number(retries) + 1) * 540 + Number(retries) * Number(longest));
});

test('the link of a failed run shows it also where only the request was logged', () => {
  const { documentation } = policies.find((one) => one.file === 'failed.json');
  const query = decodeURIComponent(documentation.links[0].url);
  expect(query).toContain('resource.labels.service_name="syncscheduled" severity>=ERROR');
});

test('the mail of held changes has number and reason of each kind, and how to see them', () => {
  const { content } = policies.find((one) => one.file === 'held.json').documentation;
  for (const kind of changeClasses) {
    expect(content).toContain(`\${metric.label.${kind}} \${metric.label.${kind}_reason}`);
  }
  expect(content).toMatch(/an undo of run: .\{metric\.label\.undo\}/);
  expect(content).toContain('gcloud functions call syncDryRun');
});

test('metrics and alerts look for events that are logged', () => {
  const filters = [...metrics, ...policies].map((one) => JSON.stringify(one)).join('\n');
  const events = [...filters.matchAll(/jsonPayload\.event=\\"(\w+)\\"/g)].map(([, event]) => event);
  expect(events.length).toBeGreaterThan(8);
  expect(events.filter((event) => !logEvents.some((known) => known === event))).toEqual([]);
});

test('every metric that an alert or the dashboard watches is made', () => {
  const watched = [...policies.map((policy) => JSON.stringify(policy)), dashboard].flatMap((text) =>
    [...text.matchAll(/\/user\/(\w+)/g)].map(([, name]) => name),
  );
  const made = metrics.map(({ name }) => name);
  expect(watched.filter((name) => !made.includes(name))).toEqual([]);
});

test('the dashboard shows every metric, and the log of every function', () => {
  expect(metrics.map(({ name }) => name).filter((name) => !dashboard.includes(name))).toEqual([]);
  const [, services = ''] = /service_name=\(([^)]*)\)/.exec(dashboard) ?? [];
  const shown = [...services.matchAll(/\\"(\w+)\\"/g)].map(([, name]) => name);
  const files = readdirSync(join(import.meta.dirname, '../../functions')).filter((file) =>
    file.endsWith('.ts'),
  );
  expect(shown.sort()).toEqual(files.map((file) => file.replace('.ts', '').toLowerCase()).sort());
});

describe('what the built syncScheduled logs', () => {
  let lines: Row[];
  beforeAll(async () => {
    const world = await createWorld({ members: 60 });
    const settings = {
      SYNC_MAX_SET_ASIDE: '0',
      SYNC_LIMIT_FLOOR: '0',
      SYNC_MAX_ADDITIONS: '1',
      SYNC_MAX_UPDATES: '1',
      SYNC_MAX_KENNITALA_CHANGES: '1',
      SYNC_MAX_REMOVALS: '1',
      NOTIFY_URLS: 'http://127.0.0.1:1/hook',
      NOTIFY_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
    };
    const register = world.django.members;
    const { body: first } = await world.sync({}, settings);
    const kennitala = register.get(1)?.kennitala;
    register.update(1, { kennitala: 'x' });
    await world.sync({}, settings);
    register.update(1, { kennitala });
    for (const id of [2, 3]) register.remove(id);
    for (const id of [4, 5]) register.update(id, { name: 'Annað Nafn' });
    for (const id of [6, 7]) register.update(id, { kennitala: `000000000${id}` });
    for (const id of [101, 102]) register.add({ id, name: 'Ný Félagskona' });
    await world.sync({}, settings);
    const undo = Number(first.run_id);
    await world.sync({ undo }, settings);
    const { body: announced } = await world.post('syncDryRun', { undo }, settings);
    await world.sync({ undo, plan: announced.plan }, settings);
    world.django.behaviour.key = 'another';
    await world.sync({}, settings);
    const bundle = await world.bundle('syncScheduled', settings);
    await bundle.says({ event: 'request', severity: 'ERROR' });
    lines = bundle.events();
  });

  const wanted = [...metrics, ...policies].flatMap((one) => {
    const match = one.conditions?.[0].conditionMatchedLog;
    const { filter, labelExtractors = {} } = match ?? one;
    if (!filter) return [];
    const extractors = [...Object.values<string>(labelExtractors), one.valueExtractor ?? ''];
    const read = [...extractors.join().matchAll(/EXTRACT\(jsonPayload\.([\w.]+)\)/g)];
    const compared = [...filter.matchAll(/jsonPayload\.(\w+)=/g)];
    const events = [...filter.matchAll(/event="(\w+)"/g)].map(([, event]) => event);
    const paths = new Set([...read, ...compared].map(([, path]) => String(path)));
    return [...paths].map((path) => ({ name: String(one.name ?? one.displayName), events, path }));
  });
  test.each(wanted)('has for $name the field $path', ({ events, path }) => {
    const at = (line: Row) =>
      path.split('.').reduce<unknown>((value, key) => (value as Row | undefined)?.[key], line);
    const found = lines.filter(({ event }) => events.includes(String(event)));
    expect(found.map(at).filter((value) => value !== undefined)).not.toEqual([]);
  });
});
