// Which revisions of the services answer, and which answered before.

/** A revision of a Cloud Run service, as `gcloud run revisions list --format=json` prints it. */
export interface Revision {
  metadata: {
    name: string;
    creationTimestamp: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: {
    containers: Container[];
    serviceAccountName?: string;
    containerConcurrency?: number;
    timeoutSeconds?: number;
    volumes?: unknown[];
  };
  status?: { conditions?: { type: string; status: string }[]; imageDigest?: string };
}

interface Container {
  image?: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: unknown }[];
  resources?: { limits?: Record<string, string> };
  volumeMounts?: unknown[];
}

/** A service, as `gcloud run services list --format=json` prints it. */
export interface Service {
  metadata: { name: string; annotations?: Record<string, string> };
  status: {
    latestCreatedRevisionName?: string;
    traffic?: { revisionName?: string; percent?: number; latestRevision?: boolean }[];
  };
}

/** What answers for one service; empty texts where nobody knows. */
export interface Serving {
  service: string;
  revision: string;
  /** `latest`, `pinned` to a revision whatever comes after it, or `split` between several. */
  traffic: 'latest' | 'pinned' | 'split';
  /** The deployment and the build that the revision belongs to, as deploy.sh has marked it. */
  deployment: string;
  bundle: string;
  instances: string;
}

/** What answers for each of the named services that is there. */
export function servingRevisions(
  services: Service[],
  revisions: Revision[],
  names: string[],
): Serving[] {
  return services
    .filter(({ metadata }) => names.includes(metadata.name))
    .map(({ metadata, status }) => {
      const entries = (status.traffic ?? []).filter(({ percent }) => (percent ?? 0) > 0);
      const name = entries[0]?.revisionName ?? '';
      const revision = revisions.find((one) => one.metadata.name === name);
      const single = entries[0]?.latestRevision ? 'latest' : 'pinned';
      return {
        service: metadata.name,
        revision: name,
        traffic: entries.length > 1 ? 'split' : single,
        deployment: variable(revision, 'DEPLOYMENT'),
        bundle: variable(revision, 'BUNDLE'),
        instances: instancesOf(revision),
      };
    });
}

/**
 * Where the traffic goes in a rollback: the newest deployment before the one that answers which all
 * services have, so that never a mixture answers that nobody has tested. A service that answers with it
 * already (a deployment that stopped half-way) stays. One that no earlier deployment knows, such as a page that
 * is new, stays too, and has an empty text: it does not keep the others from going further back.
 * With an instance, only revisions attached to it qualify: the one that exists between a deployment and
 * its attachment has no database. Empty when there is no such deployment.
 */
export function previousRevisions(
  serving: Serving[],
  revisions: Revision[],
  instance: string,
): Map<string, string> {
  const { known, targets } = wayBack(serving, revisions, instance);
  const staying = serving.filter(({ service }) => !known.includes(service));
  const others = serving.filter(({ service }) => known.includes(service));
  const found =
    targets.size > 0 || staying.length === 0
      ? targets
      : wayBack(others, revisions, instance).targets;
  if (found.size === 0) return found;
  return new Map([...found, ...staying.map(({ service }) => [service, ''] as const)]);
}

function wayBack(serving: Serving[], revisions: Revision[], instance: string) {
  const sorted = newestFirst(revisions);
  const served = new Set(serving.map(({ revision }) => revision));
  const newest = sorted.find(({ metadata }) => served.has(metadata.name));
  const current = variable(newest, 'DEPLOYMENT');
  const earlier = new Map(
    serving.map(({ service, revision }) => {
      const own = sorted.filter((one) => serviceOf(one) === service);
      const at = own.findIndex(({ metadata }) => metadata.name === revision);
      const usable = own
        .slice(at)
        .filter((one) => variable(one, 'DEPLOYMENT') !== current && isUsable(one, instance));
      return [service, usable] as const;
    }),
  );
  const known = [...earlier].filter(([, own]) => own.length > 0);
  const target = sorted
    .map((one) => variable(one, 'DEPLOYMENT'))
    .find((deployment) => known.every(([, own]) => own.some((one) => belongs(one, deployment))));
  const targets = known.flatMap(([service, own]) => {
    const name = nameOf(own.find((one) => belongs(one, target ?? '')));
    return target && !served.has(name) ? [[service, name] as const] : [];
  });
  return { known: known.map(([service]) => service), targets: new Map(targets) };
}

/** The revisions, the newest first. */
export const newestFirst = (revisions: Revision[]) =>
  revisions.toSorted((a, b) =>
    b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
  );

/** The revision that a service would answer with, were its traffic not pinned. */
export function latestRevision({ metadata, status }: Service, revisions: Revision[]) {
  const own = newestFirst(revisions).filter((one) => serviceOf(one) === metadata.name);
  return own.find((one) => nameOf(one) === status.latestCreatedRevisionName) ?? own[0];
}

const nameOf = (revision: Revision | undefined) => revision?.metadata.name ?? '';
/** The service that a revision is of. */
export const serviceOf = (revision: Revision) =>
  revision.metadata.labels?.['serving.knative.dev/service'];
const instancesOf = (revision: Revision | undefined) =>
  revision?.metadata.annotations?.['run.googleapis.com/cloudsql-instances'] ?? '';
/** The value of a variable of the environment; an empty text where there is none. */
export const variable = (revision: Revision | undefined, wanted: string) =>
  revision?.spec.containers[0]?.env?.find(({ name }) => name === wanted)?.value ?? '';
const belongs = (revision: Revision, deployment: string) =>
  variable(revision, 'DEPLOYMENT') === deployment;

function isUsable(revision: Revision, instance: string): boolean {
  const ready = revision.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'False') return false;
  if (!instance || serviceOf(revision) === 'health') return true;
  return instancesOf(revision).split(',').includes(instance);
}
