import type { CloudFake, Json } from './gcloudFakeTypes.ts';

/**
 * The direct children of a parent that a list shows: what was made a moment ago is missing from the next
 * lists when the fake lags, and a filter is honoured.
 */
export function listed(fake: CloudFake, parent: string, filter: string | null): Json[] {
  return [...fake.resources]
    .filter(
      ([name]) => name.startsWith(`${parent}/`) && !name.slice(parent.length + 1).includes('/'),
    )
    .filter(([name]) => isShown(fake, name))
    .map(([, stored]) => stored)
    .filter((stored) => matches(stored, filter ?? ''));
}

/** Whether a list shows it; each list that does not brings the moment nearer when one does. */
export function isShown({ lag, seen }: CloudFake, name: string): boolean {
  const looks = seen.get(name) ?? 0;
  seen.set(name, looks + 1);
  return looks >= lag;
}

// `a.b="c" AND d=e`, which is as much of Google's filter language as deploy.sh uses.
function matches(stored: Json, filter: string): boolean {
  return filter
    .split(/\s+AND\s+/)
    .map((term) => /^\(?\s*([\w.]+)\s*(?:=|:)\s*"?([^"]*?)"?\s*\)?$/.exec(term))
    .every((term) => !term || String(valueAt(stored, term[1] ?? '')) === term[2]);
}

const valueAt = (stored: Json, path: string) =>
  path.split('.').reduce<unknown>((value, key) => (value as Json | undefined)?.[key], stored);
