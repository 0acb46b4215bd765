import { DjangoShapeError } from './errors.ts';

/** What a page of the list says of the rest of it, in its body or its headers. */
export interface WhatFollows {
  /** The register's count of all rows; undefined where it gives none. */
  count: number | undefined;
  /** The link to the next page as the register wrote it; undefined on the last page. */
  next: string | undefined;
  /** Whether it says at all if a page follows. */
  saysNext: boolean;
}

/** Headers that speak of a list. */
export interface ListHeaders {
  /** RFC 8288: links with rel="next". */
  link?: string | undefined;
  /** The count of all rows, as in X-Total-Count. */
  total?: string | undefined;
}

// The names that registers give these: Django REST framework's own first, then what paginators of others write.
const total = /^(count|total|(total|item)_?(count|items|results|records|rows|members))$/i;
const nextLink = /^(next|next_?(page|url|link|href)(_?url)?)$/i;
// What says that more follows, and not where.
const more = /^(has_?(next|more)(_?page)?|next_?(page_?)?(token|cursor|offset|start))$/i;
const pages = /^((total|num|last)_?pages?|page_?count|pages)$/i;
// Where they stand, but for the top.
const envelope = /^(_?links|meta|pagination|paging|paginator|page_?info)$/i;

/**
 * Reads what follows a page: `count` and `next` of Django REST framework, nested (`links.next`, `meta`), under the
 * names of other paginators, or in a Link header. Throws DjangoShapeError where more follows in a way that cannot be
 * asked for: that must not pass for the end of the list.
 */
export function readWhatFollows(
  body: unknown,
  { link, total: counted }: ListHeaders,
  path: string,
): WhatFollows {
  const said = fieldsOf(body);
  const links = said.filter(([name]) => nextLink.test(name));
  const linked = links.map(([, value]) => linkOf(value)).find((value) => value);
  const header = linksOf(link);
  const next = linked || header.get('next');
  const count = countOf(said, counted, path);
  if (next === undefined) refuseMore(said, path);
  return {
    count,
    next,
    saysNext: next !== undefined || links.length > 0 || header.size > 0 || isSaid(said),
  };
}

// The fields at the top, and those of the envelopes.
function fieldsOf(body: unknown): [string, unknown][] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return [];
  return Object.entries(body).flatMap(([name, value]) => {
    if (!envelope.test(name) || typeof value !== 'object' || value === null) {
      return [[name, value]];
    }
    // JSON lists of links have a rel, as the header has.
    if (!Array.isArray(value)) return Object.entries(value);
    return value.flatMap((each: unknown) =>
      typeof each === 'object' && each !== null && 'rel' in each
        ? [[String(each.rel), each] as [string, unknown]]
        : [],
    );
  });
}

// HAL and JSON:API write a link as an object.
function linkOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const { href, url } = value as { href?: unknown; url?: unknown };
  return [href, url].find((each) => typeof each === 'string') as string | undefined;
}

function linksOf(header: string | undefined): Map<string, string> {
  const links = new Map<string, string>();
  for (const [, target = '', rel = ''] of (header ?? '').matchAll(
    /<([^>]*)>[^,<]*?;\s*rel\s*=\s*"?([\w -]+)"?/gi,
  )) {
    for (const name of rel.toLowerCase().split(/\s+/)) {
      if (/^(next|prev|previous|first|last)$/.test(name)) links.set(name, target);
    }
  }
  return links;
}

function countOf(
  said: [string, unknown][],
  header: string | undefined,
  path: string,
): number | undefined {
  const inBody = said.find(
    ([name, value]) => total.test(name) && (value ?? undefined) !== undefined,
  );
  const count = inBody ? inBody[1] : header === undefined ? undefined : Number(header);
  if (count === undefined || (Number.isSafeInteger(count) && Number(count) >= 0)) {
    return count as number | undefined;
  }
  throw new DjangoShapeError(
    path,
    `with a ${inBody ? `"${inBody[0]}"` : 'count in its headers'} that is no whole number.`,
  );
}

// A field that could lead on, and is neither empty nor understood.
function refuseMore(said: [string, unknown][], path: string): void {
  const isEmpty = (value: unknown) => [null, undefined, false, '', 0].includes(value as null);
  const found = said.find(
    ([name, value]) =>
      ((nextLink.test(name) || more.test(name)) && !isEmpty(value)) ||
      (pages.test(name) && Number(value) > 1 && !isSaid(said)),
  );
  if (!found) return;
  throw new DjangoShapeError(
    path,
    /^next$/i.test(found[0])
      ? 'with a "next" that is no link.'
      : `with a list of which more follows ("${found[0]}"), and no link to it. Let it have a "next" link, as the paginators of Django REST framework write it.`,
  );
}

const isSaid = (said: [string, unknown][]) =>
  said.some(([name]) => nextLink.test(name) || more.test(name));
