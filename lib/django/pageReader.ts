import { type Envelope, readEnvelope } from './envelope.ts';
import { DjangoHttpError, DjangoListChangedError, DjangoShapeError } from './errors.ts';
import type { JsonAnswer } from './request.ts';

export interface Walk {
  /** The path of the list, for messages. */
  path: string;
  /** Sent with every request, whatever a `next` link says. */
  ownQuery: [string, string][];
  concurrency: number;
  signal: AbortSignal;
  get(query: URLSearchParams): Promise<JsonAnswer>;
}

/** One page as it came, its rows not yet parsed. */
export interface RawPage {
  index: number;
  envelope: Envelope;
  /** What its next link adds to our own query; undefined on the last page. */
  next: URLSearchParams | undefined;
  answer: JsonAnswer;
}

export interface PageReader {
  first(): Promise<RawPage>;
  /** A page by its position and the query that leads to it. */
  fetch(index: number, query: URLSearchParams): Promise<RawPage>;
  /** The page that a next link leads to. */
  follow(page: RawPage): Promise<RawPage>;
}

/** Fetches the pages of one walk and remembers where it has been: no page is asked for twice. */
export function createPageReader(walk: Walk): PageReader {
  const visited = new Set<string>();

  async function fetch(index: number, query: URLSearchParams): Promise<RawPage> {
    visit(query);
    const answer = await ask(index, query);
    const envelope = readEnvelope(answer.body, walk.path);
    const next = envelope.next === undefined ? undefined : added(envelope.next);
    if (envelope.rows.length === 0 && next && index === 0) {
      throw new DjangoShapeError(walk.path, 'with an empty first page that has a "next" link.');
    }
    return { index, envelope, next, answer };
  }

  async function ask(index: number, query: URLSearchParams): Promise<JsonAnswer> {
    try {
      return await walk.get(new URLSearchParams([...query, ...walk.ownQuery]));
    } catch (error) {
      // "Invalid page." and "Invalid cursor": rows went, and with them the page. It is not the end
      // of the list, since rows have then moved over the page boundaries that were already passed.
      if (index > 0 && error instanceof DjangoHttpError && error.status === 404) {
        throw new DjangoListChangedError(walk.path, `page ${index + 1} is gone`);
      }
      throw error;
    }
  }

  // Proxies put their own scheme, host and path into the link: only its query is used. Where it
  // repeats a parameter that we send ourselves, ours stands.
  function added(link: string): URLSearchParams {
    const url = URL.parse(link, 'http://register.invalid/');
    if (!url) throw new DjangoShapeError(walk.path, 'with a "next" that is no link.');
    const query = url.searchParams;
    for (const [name] of walk.ownQuery) query.delete(name);
    return query;
  }

  function visit(query: URLSearchParams): void {
    const sorted = new URLSearchParams(query);
    sorted.sort();
    const key = sorted.toString();
    if (visited.has(key)) {
      throw new DjangoShapeError(walk.path, 'with a "next" link to a page that was read before.');
    }
    visited.add(key);
  }

  return {
    first: () => fetch(0, new URLSearchParams()),
    fetch,
    follow: (page) => fetch(page.index + 1, page.next ?? new URLSearchParams()),
  };
}
