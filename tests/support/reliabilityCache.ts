import type { Kept } from '../../local/mockDjango/misbehave.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { SeenRequest } from '../../local/mockDjango/types.ts';
import { asksForList } from './register.ts';
import { recordsOf } from './reliabilityRegister.ts';

/** Which replies a cache gives, and how old it says that they are, in seconds. */
export interface OldReplies {
  of: 'list' | 'pages' | 'all';
  age: number;
}

/** Replies as they are now, to be given again when they are old. */
export interface Cache {
  serve(old: OldReplies): void;
}

/** Keeps what the register replies while `read` reads its list, and the page of every member. */
export async function fillCache(django: MockDjango, read: () => Promise<unknown>): Promise<Cache> {
  const kept = new Map<string, Kept>();
  const key = ({ path, query }: SeenRequest) => JSON.stringify([path, query]);
  const end = django.misbehave({
    kind: 'rewrite',
    when: asksForList,
    body: (body: { results?: unknown }, request) => {
      // A dry run also asks without a key, to which the register replies with a refusal.
      if (body.results) kept.set(key(request), { status: 200, body });
      return body;
    },
  });
  await read();
  end();
  const records = new Map(recordsOf(django).map((record) => [String(record.id), record]));
  const pageOf = ({ path }: SeenRequest): Kept => {
    const record = records.get(path.split('/').at(-2) ?? '');
    return record
      ? { status: 200, body: record }
      : { status: 404, body: { detail: 'No Member matches the given query.' } };
  };
  const isOf = ({ of }: OldReplies, request: SeenRequest) =>
    of === 'all' || (of === 'list') === asksForList(request);
  return {
    serve: (old) => {
      django.misbehave({
        kind: 'old',
        seconds: old.age,
        when: (request) =>
          isOf(old, request) &&
          (asksForList(request) ? kept.has(key(request)) : django.behaviour.detail),
        kept: (request) => (asksForList(request) ? kept.get(key(request)) : pageOf(request)),
      });
    },
  };
}
