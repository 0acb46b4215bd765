import type { IncomingHttpHeaders } from 'node:http';
import { en } from './words/en.ts';
import { type Format, formatOf, type Language } from './words/format.ts';
import { is, type Words } from './words/is.ts';

export type Role = 'viewer' | 'approver';

/** Somebody who may use the page. */
export interface Person {
  /** An e-mail, or `admin-key`. */
  name: string;
  role: Role;
}

/** One request for the page: what is asked for, by whom, and in which language. */
export interface Visit {
  person: Person;
  query: URLSearchParams;
  language: Language;
  words: Words;
  format: Format;
  /** Whether the page came over https. */
  secure: boolean;
  signOut: boolean;
  /** The address of a member in Django's own admin; undefined where it is not configured. */
  djangoUrl(externalId: string | null): string | undefined;
  /** Where a view is. What is not said is left out. */
  link(view: string, values?: Record<string, string | number | undefined>): string;
}

/** The language that the address asks for. */
export const languageOf = (query: URLSearchParams): Language =>
  query.get('lang') === 'en' ? 'en' : 'is';

export const wordsOf = (language: Language): Words => (language === 'en' ? en : is);

export function createVisit(
  person: Person,
  query: URLSearchParams,
  options: { secure: boolean; signOut: boolean; djangoAdminUrl: string },
): Visit {
  const language = languageOf(query);
  return {
    person,
    query,
    language,
    words: wordsOf(language),
    format: formatOf(language),
    secure: options.secure,
    signOut: options.signOut,
    djangoUrl: (id) =>
      // A path of dots leads somewhere else, also when they are encoded.
      id === null || /^\.{1,2}$/.test(id) || options.djangoAdminUrl === ''
        ? undefined
        : options.djangoAdminUrl.replaceAll('{id}', encodeURIComponent(id)),
    link: (view, values = {}) => linkTo(language, { view, ...values }),
  };
}

/** Every link is a query alone, so that the page works at whatever path it is served. */
export function linkTo(
  language: Language,
  values: Record<string, string | number | undefined>,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) search.set(name, String(value));
  }
  if (language === 'en') search.set('lang', 'en');
  return `?${search}`;
}

/** Whether a request came over https: the platform ends TLS before us and says so. */
export const isSecure = (headers: IncomingHttpHeaders): boolean =>
  /^https\b/.test(String(headers['x-forwarded-proto'] ?? ''));

/**
 * Whether a POST comes from a page of ours; pure. Every browser says so in Sec-Fetch-Site, which no page can
 * change; an old one at least in Origin. Without either it is no browser, and the page is for browsers.
 */
export function isFromOurPage(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isOurs = origin !== undefined && URL.parse(origin)?.host === host?.toLowerCase();
  // A page that sends no referrer, as ours, sends no origin with its forms either.
  if (site === 'same-origin') return origin === undefined || origin === 'null' || isOurs;
  return site === undefined && isOurs;
}
