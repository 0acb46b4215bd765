import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

// What deploy.sh needs to know about JSON, one command each: node deploy/json.ts COMMAND [argument...]

type Json = Record<string, unknown>;

/** A revision of a Cloud Run service, as `gcloud run revisions list --format=json` prints it. */
export interface Revision {
  metadata: {
    name: string;
    creationTimestamp: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: { containers: { env?: { name: string; value?: string }[] }[] };
}

/** Whether everything that is wanted is there; what the service added by itself does not count. */
export function contains(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((item, index) => contains(actual[index], item))
    );
  }
  if (typeof wanted === 'object' && wanted !== null) {
    return (
      typeof actual === 'object' &&
      actual !== null &&
      Object.entries(wanted).every(([key, value]) => contains((actual as Json)[key], value))
    );
  }
  return actual === wanted;
}

/** `absent`, or `same` or `different` with the name of the object in the list that has the same `key`. */
export function compare(list: Json[], wanted: Json, key: string): string {
  const found = list.find((one) => one[key] === wanted[key]);
  if (!found) return 'absent';
  return `${contains(found, wanted) ? 'same' : 'different'} ${String(found['name'])}`;
}

/**
 * Where the traffic goes in a rollback: for each service that serves the newest deployment, the last
 * revision of the deployment before it. A service that serves an older one (a deployment that
 * stopped half-way) is already there. With an instance, only revisions attached to it qualify: the
 * one that exists between a deployment and its attachment has no database.
 */
export function previousRevisions(
  serving: Map<string, string>,
  revisions: Revision[],
  instance: string,
): Map<string, string> {
  const newestFirst = [...revisions].sort((a, b) =>
    b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
  );
  const served = new Set(serving.values());
  const newest = newestFirst.find((revision) => served.has(revision.metadata.name));
  const targets = new Map<string, string>();
  for (const [service, current] of serving) {
    const own = newestFirst.filter((revision) => serviceOf(revision) === service);
    const at = own.findIndex((revision) => revision.metadata.name === current);
    const now = own[at];
    if (!now || !newest || deploymentOf(now) !== deploymentOf(newest)) continue;
    const target = own
      .slice(at + 1)
      .find(
        (revision) =>
          deploymentOf(revision) !== deploymentOf(now) &&
          (!instance || service === 'health' || instancesOf(revision).includes(instance)),
      );
    if (target) targets.set(service, target.metadata.name);
  }
  return targets;
}

const serviceOf = (revision: Revision) => revision.metadata.labels?.['serving.knative.dev/service'];
const instancesOf = (revision: Revision) =>
  (revision.metadata.annotations?.['run.googleapis.com/cloudsql-instances'] ?? '').split(',');
const deploymentOf = (revision: Revision) =>
  revision.spec.containers[0]?.env?.find(({ name }) => name === 'DEPLOYMENT')?.value;

const stdin = () => readFileSync(0, 'utf8');
const list = () => JSON.parse(stdin() || '[]') as Json[];

const commands: Record<string, (...words: string[]) => string> = {
  /** The digest of the named files, or of stdin when none is named. */
  digest: (...files) => {
    const hash = createHash('sha256');
    for (const file of files) hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
    if (files.length === 0) hash.update(stdin());
    return hash.digest('hex').slice(0, 40);
  },
  compare: (wanted = '', key = '') => compare(list(), JSON.parse(wanted), key),
  'with-etag': (wanted = '', key = '') => {
    const object = JSON.parse(wanted) as Json;
    const { etag } = list().find((one) => one[key] === object[key]) ?? {};
    return JSON.stringify({ ...object, etag });
  },
  /** One member of an object; empty when it has none or stdin is no JSON. */
  member: (name = '') => {
    try {
      const value = (JSON.parse(stdin()) as Json)[name];
      return typeof value === 'object' && value ? JSON.stringify(value) : String(value ?? '');
    } catch {
      return '';
    }
  },
  previous: (serving = '', instance = '') => {
    const lines = serving.split('\n').filter(Boolean);
    const current = new Map(lines.map((line) => line.split('\t') as [string, string]));
    const targets = previousRevisions(current, list() as unknown as Revision[], instance);
    return [...targets].map((pair) => pair.join('\t')).join('\n');
  },
};

if (import.meta.main) {
  const [command = '', ...words] = process.argv.slice(2);
  const answer = commands[command];
  if (!answer) throw new Error(`unknown command ${command}`);
  console.log(answer(...words));
}
