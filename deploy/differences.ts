import { newestFirst, type Revision, serviceOf, variable } from './revisions.ts';

// What a revision has that it should not have. The marks that deploy.sh sets are no proof: what is changed by
// hand keeps them.

/** What a service is to be: its variables, and flags of `gcloud functions deploy`. */
export interface Wanted {
  variables: Map<string, string>;
  flags: Map<string, string>;
}

/** Lines `SERVICE NAME=value` and `SERVICE --flag=value`, by service. */
export function parseWanted(text: string): Map<string, Wanted> {
  const all = new Map<string, Wanted>();
  for (const line of text.split('\n')) {
    const [, service = '', name = '', value = ''] = /^(\S+) ([^=]+)=(.*)$/.exec(line) ?? [];
    if (!service) continue;
    const wanted = all.get(service) ?? { variables: new Map(), flags: new Map() };
    (name.startsWith('--') ? wanted.flags : wanted.variables).set(name, value);
    all.set(service, wanted);
  }
  return all;
}

/** The names of what a revision has other than it is wanted. Empty where nobody has said what is. */
export function otherThanWanted(revision: Revision, wanted: Wanted | undefined): string[] {
  if (!wanted) return [];
  const { variables, flags } = wanted;
  const has = variablesOf(revision);
  const names = [...new Set([...variables.keys(), ...has.keys()])]
    .filter((name) => !marks.has(name) && !isOfPlatform(revision, name))
    .filter((name) => variables.get(name) !== has.get(name));
  const shape = shapeOf(revision);
  const others = Object.entries(shape).filter(([flag, value]) => {
    const given = flags.get(flag);
    return given !== undefined && value !== undefined && given !== value;
  });
  const account = revision.spec.serviceAccountName ? [] : ['--service-account'];
  return [...names, ...account, ...others.map(([flag]) => flag)].toSorted();
}

/**
 * What a revision has other than the first one with its marks, which is as deploy.sh made it: those that come
 * after it only attach the database.
 */
export function changedByHand(revision: Revision, revisions: Revision[]): string[] {
  const made = newestFirst(revisions)
    .filter((one) => serviceOf(one) === serviceOf(revision))
    .findLast((one) =>
      [...marks].every((name) => variable(one, name) === variable(revision, name)),
    );
  if (!made || made === revision) return [];
  const before = variablesOf(made);
  const after = variablesOf(revision);
  const names = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  const [first, second] = [partsOf(made), partsOf(revision)];
  const parts = Object.keys(second).filter((part) => first[part] !== second[part]);
  return [...names, ...parts].toSorted();
}

const marks = new Set(['BUNDLE', 'DEPLOYMENT', 'DEPLOYED_AT']);

/** The variables; one whose value comes from elsewhere has that in its place. */
const variablesOf = ({ spec }: Revision) =>
  new Map(
    (spec.containers[0]?.env ?? []).map((one) => [
      one.name,
      one.valueFrom ? JSON.stringify(one.valueFrom) : (one.value ?? ''),
    ]),
  );

// What Cloud Run functions may add by itself, as long as it names this very function.
function isOfPlatform(revision: Revision, name: string): boolean {
  const value = variable(revision, name);
  if (name === 'FUNCTION_TARGET') return value.toLowerCase() === serviceOf(revision);
  return name === 'FUNCTION_SIGNATURE_TYPE' && value === 'http';
}

// What Cloud Run leaves out is not known, and counts as right.
const shapeOf = ({ metadata, spec }: Revision): Record<string, string | undefined> => ({
  '--service-account': spec.serviceAccountName,
  '--max-instances': metadata.annotations?.['autoscaling.knative.dev/maxScale'],
  '--concurrency': text(spec.containerConcurrency),
  '--timeout': spec.timeoutSeconds === undefined ? undefined : `${spec.timeoutSeconds}s`,
});

const text = (value: number | undefined) => (value === undefined ? undefined : String(value));

function partsOf(revision: Revision): Record<string, string | undefined> {
  const { containers, volumes } = revision.spec;
  const [own, ...more] = containers;
  return {
    ...shapeOf(revision),
    image: own?.image,
    'image digest': revision.status?.imageDigest,
    command: JSON.stringify([own?.command ?? [], own?.args ?? []]),
    'containers beside it': JSON.stringify(more),
    volumes: JSON.stringify([volumes ?? [], own?.volumeMounts ?? []]),
    memory: JSON.stringify(own?.resources?.limits),
  };
}
