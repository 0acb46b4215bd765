import { createHash, type Hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { changedByHand, otherThanWanted, parseWanted } from './differences.ts';
import {
  latestRevision,
  previousRevisions,
  type Revision,
  type Service,
  servingRevisions,
  variable,
} from './revisions.ts';

// What deploy.sh needs to know about JSON, one command each: node deploy/json.ts COMMAND [argument...]

type Json = Record<string, unknown>;

// Whether everything that is wanted is there; what the service added by itself does not count.
function contains(actual: unknown, wanted: unknown): boolean {
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

// `absent`, or `same` or `different` with the name of the object in the list that has the same `key`.
function compare(list: Json[], wanted: Json, key: string): string {
  const found = list.find((one) => one[key] === wanted[key]);
  if (!found) return 'absent';
  return `${contains(found, wanted) ? 'same' : 'different'} ${String(found['name'])}`;
}

const stdin = () => readFileSync(0, 'utf8');
const list = () => JSON.parse(stdin().trim() || '[]') as Json[];

/** `gcloud run services list` and `gcloud run revisions list`, one after the other. */
const services = () => JSON.parse(stdin()) as { services: Service[]; revisions: Revision[] };

const base64url = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

const digestOf = (hash: Hash) => hash.digest('hex').slice(0, 40);

function bundle(folder: string): string {
  const read = (file: string) => readFileSync(join(folder, file));
  const withMap = String(read('.gcloudignore')).split('\n').includes('!index.js.map');
  const files = [
    'index.js',
    'package.json',
    'package-lock.json',
    ...(withMap ? ['index.js.map'] : []),
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(read(file)).update('\0');
  return digestOf(hash);
}

const commands: Record<string, (...words: string[]) => string> = {
  /** The digest of stdin. */
  digest: () => digestOf(createHash('sha256').update(stdin())),
  /** Name and digest of each folder: of the files in it that are uploaded. */
  bundles: (...folders) =>
    folders.map((folder) => `${basename(folder)}\t${bundle(folder)}`).join('\n'),
  compare: (key = '', ...wanted) => {
    const existing = list();
    return wanted.map((one) => compare(existing, JSON.parse(one), key)).join('\n');
  },
  /** The names of those that have the value of an earlier one under `key`. */
  repeated: (key = '') => {
    const seen = new Set<unknown>();
    const again = list().filter((one) => seen.has(one[key]) || !seen.add(one[key]));
    return again.map((one) => String(one['name'])).join('\n');
  },
  'with-etag': (wanted = '', key = '') => {
    const object = JSON.parse(wanted) as Json;
    const { etag } = list().find((one) => one[key] === object[key]) ?? {};
    return JSON.stringify({ ...object, etag });
  },
  /** Members of an object, by their dotted paths, separated by U+001F; empty when it has none or stdin is no JSON. */
  members: (...names) => {
    let object: Json;
    try {
      object = JSON.parse(stdin()) as Json;
    } catch {
      object = {};
    }
    const text = (value: unknown) =>
      typeof value === 'object' && value ? JSON.stringify(value) : String(value ?? '');
    const at = (path: string) =>
      path
        .split('.')
        .reduce<unknown>((value, key) => (value as Json | null | undefined)?.[key], object);
    return names.map((name) => text(at(name))).join('\x1f');
  },
  /**
   * What serves, a line each, separated by tabs: name, revision, traffic, deployment, build, instances, IAP,
   * what it has other than the file of wishes says, other than it was deployed, `right` when the latest revision
   * has neither, and what SYNC_ENABLED says.
   */
  serving: (wishes = '', ...names) => {
    const { services: all, revisions } = services();
    const wanted = parseWanted(readFileSync(wishes, 'utf8'));
    const problems = (service: string, revision: Revision | undefined) =>
      revision
        ? [otherThanWanted(revision, wanted.get(service)), changedByHand(revision, revisions)]
        : [['everything'], []];
    return servingRevisions(all, revisions, names)
      .map((one) => {
        const service = all.find(({ metadata }) => metadata.name === one.service) as Service;
        const revision = revisions.find(({ metadata }) => metadata.name === one.revision);
        const latest = problems(one.service, latestRevision(service, revisions));
        return [
          ...Object.values(one),
          service.metadata.annotations?.['run.googleapis.com/iap-enabled'] ?? '',
          ...problems(one.service, revision).map((found) => found.join(', ')),
          latest.flat().length === 0 ? 'right' : 'wrong',
          variable(revision, 'SYNC_ENABLED'),
        ].join('\t');
      })
      .join('\n');
  },
  /** Where the traffic goes in a rollback: name and revision. */
  previous: (instance = '', ...names) => {
    const { services: all, revisions } = services();
    const targets = previousRevisions(servingRevisions(all, revisions, names), revisions, instance);
    return [...targets].map((pair) => pair.join('\t')).join('\n');
  },
  /** An identity token that nobody has signed. */
  'forged-token': (email = '', audience = '') =>
    [
      { alg: 'RS256', kid: 'forged', typ: 'JWT' },
      {
        iss: 'https://accounts.google.com',
        aud: audience,
        email,
        email_verified: true,
        exp: Math.floor(Date.now() / 1000) + 3600,
      },
    ]
      .map(base64url)
      .concat('Zm9yZ2Vk')
      .join('.'),
};

if (import.meta.main) {
  const [command = '', ...words] = process.argv.slice(2);
  const answer = commands[command];
  if (!answer) throw new Error(`unknown command ${command}`);
  console.log(answer(...words));
}
