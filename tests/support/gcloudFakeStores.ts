import { listed } from './gcloudFakeLists.ts';
import {
  type CloudFake,
  type Json,
  nextName,
  operation,
  PROJECT,
  problem,
  type Reply,
  type Route,
  SIGNATURE,
} from './gcloudFakeTypes.ts';

// Projects, services, identities, policies, tokens.
export function project({ resources, policies }: CloudFake): Route[] {
  const policyOf = (name: string) => ({
    version: 1,
    etag: 'BwXhqDk=',
    bindings: policies.get(name) ?? [],
  });
  return [
    [
      'POST',
      /^\/token$/,
      () => ({ access_token: 'x', expires_in: 3600, token_type: 'Bearer', id_token: idToken() }),
    ],
    [
      'GET',
      /^\/v1\/projects\/[^/]+$/,
      () => ({ projectId: PROJECT, projectNumber: '123', lifecycleState: 'ACTIVE' }),
    ],
    [
      'GET',
      /^\/v1\/projects\/[^/]+\/services$/,
      () => ({
        services: [...resources.keys()]
          .filter((name) => name.startsWith('service:'))
          .map((name) => ({ config: { name: name.slice('service:'.length) }, state: 'ENABLED' })),
      }),
    ],
    ['GET', /^\/v1\/projects\/[^/]+\/services\/[^/]+$/, () => ({ state: 'ENABLED' })],
    [
      'POST',
      /^\/v1\/projects\/[^/]+\/services\/([^/]+):enable$/,
      (_call, name = '') => {
        resources.set(`service:${name}`, {});
        return operation;
      },
    ],
    [
      'POST',
      /^\/v1\/projects\/[^/]+\/services:batchEnable$/,
      ({ body }) => {
        for (const name of body['serviceIds'] as string[]) resources.set(`service:${name}`, {});
        return operation;
      },
    ],
    [
      'POST',
      /^\/v1\/projects\/[^/]+\/serviceAccounts$/,
      ({ body }) => {
        const email = `${String(body['accountId'])}@${PROJECT}.iam.gserviceaccount.com`;
        const name = `projects/${PROJECT}/serviceAccounts/${email}`;
        return make(resources, name, { ...(body['serviceAccount'] as Json), email });
      },
    ],
    [
      'GET',
      /^\/v1\/projects\/[^/]+\/locations\/[^/]+\/defaultServiceAccount$/,
      () => ({
        serviceAccountEmail: `projects/${PROJECT}/serviceAccounts/123-compute@developer.gserviceaccount.com`,
      }),
    ],
    ['GET', /^\/v\d\/(.*):getIamPolicy$/, (_call, name = '') => policyOf(name)],
    ['POST', /^\/v\d\/(.*):getIamPolicy$/, (_call, name = '') => policyOf(name)],
    [
      'POST',
      /^\/v\d\/(.*):setIamPolicy$/,
      ({ body }, name = '') => {
        policies.set(
          name,
          (body['policy'] as { bindings: { role: string; members: string[] }[] }).bindings ?? [],
        );
        return policyOf(name);
      },
    ],
  ];
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const idToken = () =>
  `${part({ alg: 'RS256', typ: 'JWT' })}.${part({
    iss: 'https://accounts.google.com',
    aud: '32555940559.apps.googleusercontent.com',
    sub: '1',
    email: 'admin@example.is',
    email_verified: true,
    exp: Math.floor(Date.now() / 1000) + 3600,
  })}.${SIGNATURE}`;

export function secrets({ resources }: CloudFake): Route[] {
  return [
    [
      'POST',
      /^\/v1\/(projects\/[^/]+\/secrets\/[^/]+):addVersion$/,
      ({ body }, secret = '') => {
        const count = [...resources.keys()].filter((name) =>
          name.startsWith(`${secret}/versions/`),
        ).length;
        const name = `${secret}/versions/${count + 1}`;
        resources.set(name, { name, state: 'ENABLED', payload: body['payload'] });
        return { name, state: 'ENABLED', clientSpecifiedPayloadChecksum: true };
      },
    ],
    [
      'GET',
      /^\/v1\/(projects\/[^/]+\/secrets\/[^/]+)\/versions\/latest:access$/,
      (_call, secret = '') =>
        [...resources].filter(([name]) => name.startsWith(`${secret}/versions/`)).at(-1)?.[1],
    ],
    [
      'POST',
      /^\/v1\/(projects\/[^/]+\/secrets)$/,
      ({ body, query }, parent = '') => make(resources, `${parent}/${query.get('secretId')}`, body),
    ],
  ];
}

// What has that name already is not made once more.
function make(resources: Map<string, Json>, name: string, body: Json): Json | Reply {
  if (resources.has(name)) return problem(409, 'ALREADY_EXISTS', `${name} already exists`);
  return put(resources, name, body);
}

function put(resources: Map<string, Json>, name: string, body: Json): Json {
  const stored = { ...body, name };
  resources.set(name, stored);
  return stored;
}

// The APIs that store what they are given, alike but for the path.
export function stores(fake: CloudFake): Route[] {
  const { resources } = fake;
  return [
    [
      'POST',
      /^\/v1\/(projects\/[^/]+\/locations\/[^/]+\/jobs)$/,
      ({ body }) => make(resources, String(body['name']), { ...body, state: 'ENABLED' }),
    ],
    [
      'POST',
      /^\/v1\/(projects\/[^/]+\/locations\/[^/]+\/jobs\/[^/]+):(pause|resume)$/,
      (_call, name = '', verb = '') =>
        put(resources, name, {
          ...resources.get(name),
          state: verb === 'pause' ? 'PAUSED' : 'ENABLED',
        }),
    ],
    [
      'POST',
      /^\/v2\/(projects\/[^/]+\/metrics)$/,
      ({ body }, parent = '') => {
        const name = `${parent}/${String(body['name'])}`;
        if (resources.has(name)) return problem(409, 'ALREADY_EXISTS', `${name} already exists`);
        resources.set(name, { ...body, createTime: '2026-01-01T00:00:00Z' });
        return body;
      },
    ],
    [
      'PUT',
      /^\/v2\/(projects\/[^/]+\/metrics\/[^/]+)$/,
      ({ body }, name = '') => {
        resources.set(name, body);
        return body;
      },
    ],
    [
      'POST',
      /^\/v[13]\/(projects\/[^/]+\/(?:alertPolicies|notificationChannels|dashboards))$/,
      ({ body }, parent = '') =>
        tooLong(body) ?? put(resources, nextName(`${parent}/`), { ...body, etag: 'e1' }),
    ],
    [
      'PUT',
      /^\/v1\/(projects\/[^/]+\/(?:topics|subscriptions)\/[^/]+)$/,
      ({ body }, name = '') => put(resources, name, body),
    ],
    [
      'PATCH',
      /^\/v\d\/(projects\/.*)$/,
      ({ body }, name = '') => {
        const inner = (body['subscription'] as Json | undefined) ?? body;
        return tooLong(inner) ?? put(resources, name, { ...resources.get(name), ...inner });
      },
    ],
    [
      'DELETE',
      /^\/v\d\/(projects\/.*)$/,
      (_call, name = '') =>
        resources.delete(name.replace('/-/', `/${PROJECT}/`))
          ? { status: 200, body: {} }
          : undefined,
    ],
    [
      'GET',
      /^\/v\d\/(projects\/.*\/(\w+))$/,
      ({ query }, name = '', collection = '') => {
        const stored = resources.get(name);
        if (stored) return stored;
        return lists.includes(collection)
          ? { [LIST_KEY[collection] ?? collection]: listed(fake, name, query.get('filter')) }
          : undefined;
      },
    ],
    ['GET', /^\/v\d\/(projects\/.*)$/, (_call, name = '') => resources.get(name)],
  ];
}

// Monitoring evaluates a threshold over 23.5 hours at most, of which the alignment takes its part.
function tooLong({ conditions }: Json): Reply | undefined {
  const seconds = (value: unknown) => Number.parseInt(String(value ?? 0), 10);
  const longest = ((conditions as Json[] | undefined) ?? []).map(({ conditionThreshold }) => {
    const { duration, aggregations = [] } = (conditionThreshold ?? {}) as {
      duration?: string;
      aggregations?: { alignmentPeriod: string }[];
    };
    return (
      seconds(duration) + Math.max(0, ...aggregations.map((one) => seconds(one.alignmentPeriod)))
    );
  });
  return longest.some((total) => !(total <= 84_600))
    ? problem(400, 'INVALID_ARGUMENT', 'The condition looks back too far.')
    : undefined;
}

const lists = [
  'jobs',
  'secrets',
  'versions',
  'metrics',
  'alertPolicies',
  'notificationChannels',
  'dashboards',
  'topics',
  'subscriptions',
  'functions',
  'serviceAccounts',
];
const LIST_KEY: Record<string, string> = { serviceAccounts: 'accounts' };
