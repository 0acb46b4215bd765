import { changedByHand, otherThanWanted, parseWanted } from '../../deploy/differences.ts';
import { previousRevisions, type Revision, servingRevisions } from '../../deploy/revisions.ts';

const INSTANCE = 'membership-test:europe-west2:main';

const revision = (
  service: string,
  number: number,
  deployment: string,
  { instance = INSTANCE, ready = 'True' } = {},
): Revision => ({
  metadata: {
    name: `${service}-${number}`,
    creationTimestamp: `2026-01-01T00:00:0${number}Z`,
    labels: { 'serving.knative.dev/service': service },
    annotations: { 'run.googleapis.com/cloudsql-instances': instance },
  },
  spec: {
    containers: [
      {
        env: [
          { name: 'DEPLOYMENT', value: deployment },
          { name: 'BUNDLE', value: `${service}-${deployment}` },
        ],
      },
    ],
  },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});

const service = (name: string, revisionName: string, more: object = {}) => ({
  metadata: { name },
  status: { traffic: [{ revisionName, percent: 100, ...more }] },
});

/** Where a rollback sends the traffic of the services that answer with these revisions. */
function back(serving: Record<string, string>, revisions: Revision[]) {
  const services = Object.entries(serving).map(([name, revisionName]) =>
    service(name, revisionName),
  );
  const found = servingRevisions(services, revisions, Object.keys(serving));
  return Object.fromEntries(previousRevisions(found, revisions, INSTANCE));
}

describe('the way back', () => {
  const none = { instance: '' };
  test('skips revisions of the same deployment, without the database, or that never started', () => {
    const revisions = [
      revision('a', 1, 'old', none),
      revision('a', 2, 'old'),
      revision('a', 3, 'old', none),
      revision('a', 4, 'old', { ready: 'False' }),
      revision('a', 5, 'new', none),
      revision('a', 6, 'new'),
    ];
    expect(back({ a: 'a-6' }, revisions)).toEqual({ a: 'a-2' });
  });

  test('asks no database of health', () => {
    const revisions = [revision('health', 1, 'old', none), revision('health', 2, 'new', none)];
    expect(back({ health: 'health-2' }, revisions)).toEqual({ health: 'health-1' });
  });

  test('leaves a service alone that a half-finished deployment has not reached', () => {
    const revisions = [
      revision('a', 1, 'older'),
      revision('b', 1, 'older'),
      revision('a', 2, 'old'),
      revision('b', 2, 'old'),
      revision('a', 3, 'new'),
    ];
    expect(back({ a: 'a-3', b: 'b-2' }, revisions)).toEqual({ a: 'a-2' });
  });

  test('goes past a half-finished deployment to one that all services have', () => {
    const revisions = [
      revision('a', 1, 'old'),
      revision('b', 1, 'old'),
      revision('a', 2, 'half'),
      revision('a', 3, 'new'),
      revision('b', 3, 'new'),
    ];
    expect(back({ a: 'a-3', b: 'b-3' }, revisions)).toEqual({ a: 'a-1', b: 'b-1' });
  });

  test('goes one deployment further each time, and never forward again', () => {
    const revisions = [
      revision('a', 1, 'first'),
      revision('a', 2, 'second'),
      revision('a', 3, 'third'),
    ];
    expect(back({ a: 'a-3' }, revisions)).toEqual({ a: 'a-2' });
    expect(back({ a: 'a-2' }, revisions)).toEqual({ a: 'a-1' });
    expect(back({ a: 'a-1' }, revisions)).toEqual({});
  });

  test('leaves a function that no earlier deployment knows, and goes on without it', () => {
    const revisions = [
      revision('a', 1, 'old'),
      revision('a', 2, 'new'),
      revision('page', 2, 'new'),
    ];
    expect(back({ a: 'a-2', page: 'page-2' }, revisions)).toEqual({ a: 'a-1', page: '' });
    const older = [revision('a', 0, 'older'), ...revisions];
    expect(back({ a: 'a-1', page: 'page-2' }, older)).toEqual({ a: 'a-0', page: '' });
    expect(back({ a: 'a-1', page: 'page-2' }, revisions)).toEqual({});
  });

  test('finds nothing before the first deployment', () => {
    expect(back({ a: 'a-1' }, [revision('a', 1, 'new')])).toEqual({});
  });
});

describe('what answers', () => {
  const revisions = [revision('a', 1, 'old'), revision('a', 2, 'new')];
  const trafficOf = (traffic: object[]) =>
    servingRevisions([{ metadata: { name: 'a' }, status: { traffic } }], revisions, ['a'])[0];

  test('is what the traffic goes to, not what was deployed last', () => {
    expect(trafficOf([{ revisionName: 'a-1', percent: 100 }])).toEqual({
      service: 'a',
      revision: 'a-1',
      traffic: 'pinned',
      deployment: 'old',
      bundle: 'a-old',
      instances: INSTANCE,
    });
  });

  test('may be the latest, or split, whatever tags there are', () => {
    const tag = { revisionName: 'a-1', tag: 'look' };
    const latest = { revisionName: 'a-2', percent: 100, latestRevision: true };
    expect(trafficOf([tag, latest])).toMatchObject({ traffic: 'latest', deployment: 'new' });
    const split = [
      { ...latest, percent: 90 },
      { revisionName: 'a-1', percent: 10 },
    ];
    expect(trafficOf(split)).toMatchObject({ traffic: 'split' });
  });
});

describe('what a revision has that it should not have', () => {
  const made = revision('a', 1, 'new');
  const [container = {}] = made.spec.containers;
  const changed = (spec: object, own: object = {}, number = 2): Revision => ({
    ...revision('a', number, 'new'),
    spec: { ...made.spec, ...spec, containers: [{ ...container, ...own }] },
  });
  const more = (...env: object[]) => ({ env: [...(container.env ?? []), ...env] }) as object;

  test.each([
    ['an image', changed({}, { image: 'x' }), ['image']],
    ['a command', changed({}, { command: ['sh'] }), ['command']],
    ['a volume', changed({ volumes: [{}] }), ['volumes']],
    ['an account', changed({ serviceAccountName: 'x' }), ['--service-account']],
    ['a variable', changed({}, more({ name: 'NODE_OPTIONS', value: '-r x' })), ['NODE_OPTIONS']],
    [
      'a container',
      { ...made, ...changed({}), spec: { containers: [container, {}] } },
      ['containers beside it'],
    ],
    ['nothing', changed({}), []],
  ])('is found beside the marks of the deployment: %s', (_name, now, found) => {
    expect(changedByHand(now, [made, now])).toEqual(found);
    expect(changedByHand(made, [made, now])).toEqual([]);
  });

  test('is what the settings do not say, whatever the marks say', () => {
    const wanted = parseWanted(
      'a LOG_LEVEL=INFO\na DJANGO_FIELD_MAP={"a":"b=c"}\na --service-account=x\na --max-instances=1\nb LOG_LEVEL=DEBUG',
    ).get('a');
    const right = [
      { name: 'LOG_LEVEL', value: 'INFO' },
      { name: 'DJANGO_FIELD_MAP', value: '{"a":"b=c"}' },
      { name: 'FUNCTION_TARGET', value: 'A' },
    ];
    const account = { serviceAccountName: 'x' };
    expect(otherThanWanted(changed(account, more(...right)), wanted)).toEqual([]);
    const [level = {}] = right;
    const secret = { name: 'LOG_LEVEL', valueFrom: { secretKeyRef: {} } };
    const wrong = more(
      secret,
      { name: 'FUNCTION_TARGET', value: 'b' },
      { name: 'PGHOST', value: '' },
    );
    expect(otherThanWanted(changed({}, wrong), wanted)).toEqual([
      '--service-account',
      'DJANGO_FIELD_MAP',
      'FUNCTION_TARGET',
      'LOG_LEVEL',
      'PGHOST',
    ]);
    expect(otherThanWanted(changed({}, more(level)), undefined)).toEqual([]);
  });
});
