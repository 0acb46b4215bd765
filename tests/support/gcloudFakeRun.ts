import { isShown } from './gcloudFakeLists.ts';
import {
  type CloudFake,
  type Json,
  nextName,
  PROJECT,
  type Reply,
  type Route,
} from './gcloudFakeTypes.ts';

interface Template {
  metadata: { annotations: Record<string, string>; labels?: Record<string, string> };
  spec: {
    containers: { image: string; env: { name: string; value: string }[] }[];
    serviceAccountName?: unknown;
    containerConcurrency?: unknown;
    timeoutSeconds?: unknown;
  };
}
interface Traffic {
  revisionName?: string;
  latestRevision?: boolean;
  percent: number;
}
interface Service extends Json {
  metadata: Json & { name: string; generation: number };
  spec: { template: Template; traffic: Traffic[] };
}

const healthy: Record<string, Json> = {
  health: { status: 'healthy', service: 'membership-sync' },
  syncStatus: { status: 'never_synced' },
  syncDryRun: {
    dry_run: true,
    plan: 'sha256:1',
    members_fetched: 3,
    members_added: 2,
    members_updated: 0,
    members_reactivated: 0,
    members_removed: 1,
  },
};

const namespace = `/apis/serving.knative.dev/v1/namespaces/${PROJECT}`;
/** Each build is an image of its own. */
const nextImage = () =>
  `europe-west2-docker.pkg.dev/${PROJECT}/gcf/x@sha256:${nextName('').padStart(64, '0')}`;
const conditions = ['Ready', 'ConfigurationsReady', 'RoutesReady'].map((type) => ({
  type,
  status: 'True',
}));

/**
 * Cloud Run functions and the services behind them. Where Google documents nothing it does the
 * worse of the two: a deployment drops the Cloud SQL instances and leaves pinned traffic pinned.
 */
export function cloudRun(fake: CloudFake): Route[] {
  const { resources, uploads, answers } = fake;
  const services = new Map<string, Service>();
  const revisions: Json[] = [];
  const latest = new Map<string, string>();
  let uploaded: Buffer = Buffer.alloc(0);

  const release = (service: Service) => {
    const { metadata, spec } = service.spec.template;
    const name = nextName(`${service.metadata.name}-`);
    latest.set(service.metadata.name, name);
    revisions.push({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Revision',
      metadata: {
        name,
        namespace: PROJECT,
        creationTimestamp: new Date(Date.UTC(2026, 0, 1) + revisions.length * 1000).toISOString(),
        labels: { 'serving.knative.dev/service': service.metadata.name },
        annotations: { ...metadata.annotations },
      },
      spec: structuredClone(spec),
      status: { conditions },
    });
  };
  const shown = (service: Service) => ({
    ...service,
    status: {
      observedGeneration: service.metadata.generation,
      conditions,
      url: `${fake.url}/run/${service.metadata.name}`,
      latestReadyRevisionName: latest.get(service.metadata.name),
      latestCreatedRevisionName: latest.get(service.metadata.name),
      traffic: service.spec.traffic.map((entry) => ({
        ...entry,
        revisionName: entry.revisionName ?? latest.get(service.metadata.name),
      })),
    },
  });
  const deploy = (name: string, given: Json) => {
    const [, id = ''] = /\/functions\/(.*)$/.exec(name) ?? [];
    const service = id.toLowerCase();
    const stored = resources.get(name) ?? {};
    const config = { ...(stored['serviceConfig'] as Json), ...(given['serviceConfig'] as Json) };
    resources.set(name, {
      ...stored,
      ...given,
      name,
      environment: 'GEN_2',
      state: 'ACTIVE',
      buildConfig: { ...(given['buildConfig'] as Json), source: {} },
      serviceConfig: {
        ...config,
        uri: `${fake.url}/run/${id}`,
        service: `projects/${PROJECT}/locations/europe-west2/services/${service}`,
      },
    });
    uploads.set(id, uploaded);
    const env = Object.entries(
      (config['environmentVariables'] ?? {}) as Record<string, string>,
    ).map(([key, value]) => ({ name: key, value }));
    const template: Template = {
      metadata: {
        annotations: {
          'autoscaling.knative.dev/maxScale': String(config['maxInstanceCount'] ?? 100),
        },
      },
      spec: {
        containers: [{ image: nextImage(), env }],
        serviceAccountName:
          config['serviceAccountEmail'] ?? '123-compute@developer.gserviceaccount.com',
        containerConcurrency: config['maxInstanceRequestConcurrency'],
        timeoutSeconds: config['timeoutSeconds'],
      },
    };
    const before = services.get(service);
    const next: Service = before ?? {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      // Google gives the number of the project.
      metadata: { name: service, namespace: '123', generation: 0 },
      spec: { template, traffic: [{ latestRevision: true, percent: 100 }] },
    };
    next.spec.template = template;
    if (fake.forgets.has('iap')) delete annotationsOf(next)[IAP];
    next.metadata.generation++;
    services.set(service, next);
    release(next);
    return { name: `projects/${PROJECT}/locations/europe-west2/operations/op1` };
  };

  return [
    [
      'GET',
      /\/locations\/[^/]+\/runtimes$/,
      () => ({ runtimes: [{ name: 'nodejs24', environment: 'GEN_2' }] }),
    ],
    [
      'POST',
      /\/functions:generateUploadUrl$/,
      () => ({ uploadUrl: `${fake.url}/UPLOAD`, storageSource: { bucket: 'b', object: 'o' } }),
    ],
    [
      'PUT',
      /^\/UPLOAD$/,
      ({ raw }) => {
        uploaded = raw;
        return { status: 200, body: {} };
      },
    ],
    [
      'POST',
      /^\/v2\/(projects\/[^/]+\/locations\/[^/]+\/functions)$/,
      ({ body, query }, parent) => deploy(`${parent}/${query.get('functionId')}`, body),
    ],
    [
      'PATCH',
      /^\/v2\/(projects\/[^/]+\/locations\/[^/]+\/functions\/[^/]+)$/,
      ({ body }, name = '') => deploy(name, body),
    ],
    [
      'DELETE',
      /^\/v2\/(projects\/[^/]+\/locations\/[^/]+\/functions\/([^/]+))$/,
      (_call, name = '', id = '') => {
        resources.delete(name);
        services.delete(id.toLowerCase());
        return { name: `projects/${PROJECT}/locations/europe-west2/operations/op1` };
      },
    ],
    [
      'GET',
      /\/operations\/op1$/,
      () => ({
        name: 'op1',
        done: true,
        response: {},
        metadata: {
          '@type': 'type.googleapis.com/google.cloud.functions.v2.OperationMetadata',
          stages: [],
        },
      }),
    ],
    [
      'GET',
      new RegExp(`^${namespace}/services$`),
      () => ({
        items: [...services].filter(([name]) => isShown(fake, name)).map(([, one]) => shown(one)),
        metadata: {},
      }),
    ],
    [
      'GET',
      new RegExp(`^${namespace}/services/([^/]+)$`),
      (_call, name = '') => {
        const service = services.get(name);
        return service && shown(service);
      },
    ],
    [
      'PUT',
      new RegExp(`^${namespace}/services/([^/]+)$`),
      ({ body }, name = '') => {
        const before = services.get(name);
        const next = structuredClone(body) as Service;
        if (!before) return undefined;
        next.metadata.generation = before.metadata.generation + 1;
        next.spec.template.metadata.annotations ??= {};
        const content = ({ metadata: { annotations }, spec }: Template) =>
          JSON.stringify([
            annotations['run.googleapis.com/cloudsql-instances'],
            annotations['autoscaling.knative.dev/maxScale'],
            spec,
          ]);
        services.set(name, next);
        if (content(before.spec.template) === content(next.spec.template)) {
          next.spec.template = before.spec.template;
        } else release(next);
        return shown(next);
      },
    ],
    ['GET', new RegExp(`^${namespace}/revisions$`), () => ({ items: revisions, metadata: {} })],
    [
      'GET',
      new RegExp(`^${namespace}/revisions/(.+)$`),
      (_call, name) =>
        revisions.find((revision) => (revision['metadata'] as Json)['name'] === name),
    ],
    ['GET', /^\/run\/(\w+)$/, (_call, name = '') => invoke(name)],
    ['POST', /^\/run\/(\w+)$/, (_call, name = '') => invoke(name)],
    ['PUT', /^\/run\/(\w+)$/, () => notAllowed],
  ];

  function invoke(name: string) {
    const body = answers.get(name) ?? healthy[name];
    return body && { status: 200, body };
  }
}

const IAP = 'run.googleapis.com/iap-enabled';
const annotationsOf = ({ metadata }: Service) =>
  (metadata['annotations'] ?? {}) as Record<string, string>;

/** What the functions answer to a method that they do not know. */
const notAllowed: Reply = {
  status: 405,
  body: { error: { code: 'method_not_allowed', message: 'PUT is not allowed here' } },
};
