import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { logEvents } from '../../lib/log.ts';

const folder = join(import.meta.dirname, '../../deploy/monitoring');
const read = (kind: string) =>
  readdirSync(join(folder, kind)).map((file) => ({
    file,
    ...JSON.parse(readFileSync(join(folder, kind, file), 'utf8')),
  }));
const metrics = read('metrics');
const policies = read('policies');

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

test('metrics and alerts look for events that are logged', () => {
  const filters = [...metrics, ...policies].map((one) => JSON.stringify(one)).join('\n');
  const events = [...filters.matchAll(/jsonPayload\.event=\\"(\w+)\\"/g)].map(([, event]) => event);
  expect(events.length).toBeGreaterThan(8);
  expect(events.filter((event) => !logEvents.some((known) => known === event))).toEqual([]);
});

test('every metric that an alert watches is made', () => {
  const watched = policies.flatMap((policy) =>
    [...JSON.stringify(policy).matchAll(/\/user\/(\w+)/g)].map(([, name]) => name),
  );
  const made = metrics.map(({ name }) => name);
  expect(watched.filter((name) => !made.includes(name))).toEqual([]);
});
