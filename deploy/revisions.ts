// Which revisions of the services answer, and which answered before.

/** A revision of a Cloud Run service, as `gcloud run revisions list --format=json` prints it. */
export interface Revision {
  metadata: {
    name: string;
    creationTimestamp: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: { containers: { env?: { name: string; value?: string }[] }[] };
  status?: { conditions?: { type: string; status: string }[] };
}

/** A service, as `gcloud run services list --format=json` prints it. */
export interface Service {
  metadata: { name: string };
  status: {
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
 * already (a deployment that stopped half-way) stays, and so does one that no earlier deployment knows.
 * With an instance, only revisions attached to it qualify: the one that exists between a deployment and
 * its attachment has no database. Empty when there is no such deployment.
 */
export function previousRevisions(
  serving: Serving[],
  revisions: Revision[],
  instance: string,
): Map<string, string> {
  const newestFirst = revisions.toSorted((a, b) =>
    b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
  );
  const served = new Set(serving.map(({ revision }) => revision));
  const newest = newestFirst.find(({ metadata }) => served.has(metadata.name));
  const current = variable(newest, 'DEPLOYMENT');
  const earlier = new Map(
    serving.map(({ service, revision }) => {
      const own = newestFirst.filter((one) => serviceOf(one) === service);
      const at = own.findIndex(({ metadata }) => metadata.name === revision);
      const usable = own
        .slice(at)
        .filter((one) => variable(one, 'DEPLOYMENT') !== current && isUsable(one, instance));
      return [service, usable] as const;
    }),
  );
  const known = [...earlier].filter(([, own]) => own.length > 0);
  const target = newestFirst
    .map((one) => variable(one, 'DEPLOYMENT'))
    .find((deployment) => known.every(([, own]) => own.some((one) => belongs(one, deployment))));
  if (known.length === 0 || !target) return new Map();
  return new Map(
    known
      .map(([service, own]) => [service, nameOf(own.find((one) => belongs(one, target)))] as const)
      .filter(([, name]) => !served.has(name)),
  );
}

const nameOf = (revision: Revision | undefined) => revision?.metadata.name ?? '';
const serviceOf = (revision: Revision) => revision.metadata.labels?.['serving.knative.dev/service'];
const instancesOf = (revision: Revision | undefined) =>
  revision?.metadata.annotations?.['run.googleapis.com/cloudsql-instances'] ?? '';
const variable = (revision: Revision | undefined, wanted: string) =>
  revision?.spec.containers[0]?.env?.find(({ name }) => name === wanted)?.value ?? '';
const belongs = (revision: Revision, deployment: string) =>
  variable(revision, 'DEPLOYMENT') === deployment;

function isUsable(revision: Revision, instance: string): boolean {
  const ready = revision.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'False') return false;
  if (!instance || serviceOf(revision) === 'health') return true;
  return instancesOf(revision).split(',').includes(instance);
}
