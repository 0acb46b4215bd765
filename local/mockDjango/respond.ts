import { authenticate } from './authenticate.ts';
import { paginate } from './paginate.ts';
import type { MemberRecord } from './people.ts';
import type { Register } from './register.ts';
import { type Behaviour, html, json, type Reply, type SeenRequest } from './types.ts';

/** What Django replies to a request when nothing goes wrong. `path` is the list's, with its slash. */
export function respond(
  request: SeenRequest,
  url: URL,
  path: string,
  register: Register,
  behaviour: Behaviour,
): Reply {
  const endsInSlash = url.pathname.endsWith('/');
  if (!behaviour.trailingSlash && endsInSlash) return html(404, 'Not Found');
  const pathname = endsInSlash ? url.pathname : `${url.pathname}/`;
  if (behaviour.trailingSlash && pathname.startsWith(path) && !endsInSlash) {
    return { status: 301, headers: { Location: `${pathname}${url.search}` }, body: '' };
  }
  const id = detailId(pathname, path, behaviour);
  if (pathname !== path && id === undefined) return html(404, 'Not Found');

  const caller = authenticate(request.headers.authorization, behaviour);
  if (typeof caller === 'object') return caller;
  if (request.method !== 'GET') {
    return json(
      405,
      { detail: `Method "${request.method}" not allowed.` },
      { Allow: 'GET, HEAD, OPTIONS' },
    );
  }
  const write = behaviour.shape === 'organisation' ? asOrganisation : (row: MemberRecord) => row;
  const right =
    id === undefined
      ? list(url, caller === 'known', register, behaviour, write)
      : detail(register.get(id), caller === 'known', write);
  return negotiate(request.headers.accept, right);
}

function list(
  url: URL,
  known: boolean,
  register: Register,
  behaviour: Behaviour,
  write: (row: MemberRecord) => unknown,
): Reply {
  let rows = register.list();
  if (!known) {
    rows = rows.filter((_, index) => behaviour.anonymous === 'public' && index % 10 === 0);
  }
  const since = url.searchParams.get(behaviour.modifiedParam || '\0');
  if (since !== null) {
    const from = Date.parse(since);
    if (Number.isNaN(from)) {
      return json(400, { [behaviour.modifiedParam]: ['Enter a valid date/time.'] });
    }
    rows = rows.filter(({ updated_at }) => Date.parse(updated_at) >= from);
  }
  if (behaviour.unlisted.size > 0) rows = rows.filter(({ id }) => !behaviour.unlisted.has(id));
  const base = behaviour.nextOrigin
    ? new URL(url.pathname + url.search, behaviour.nextOrigin)
    : url;
  return paginate(rows, base, behaviour, write);
}

function detail(
  row: MemberRecord | undefined,
  known: boolean,
  write: (row: MemberRecord) => unknown,
): Reply {
  return row && known ? json(200, write(row)) : json(404, { detail: 'Not found.' });
}

function detailId(pathname: string, path: string, { detail }: Behaviour): number | undefined {
  const rest = pathname.startsWith(path) ? pathname.slice(path.length) : '';
  return detail && /^\d+\/$/.test(rest) ? Number(rest.slice(0, -1)) : undefined;
}

// The first renderer that the client names wins, q-values are not looked at: a browser gets HTML.
function negotiate(accept: string | undefined, right: Reply): Reply {
  const types = (accept ?? '*/*').split(',').map((type) => type.split(';')[0]?.trim());
  for (const type of types) {
    if (type === 'text/html') return html(right.status, 'Django REST framework');
    if (type === '*/*' || type === 'application/*' || type === 'application/json') return right;
  }
  return json(406, { detail: 'Could not satisfy the request Accept header.' });
}

// The field names of the organisation's own register.
function asOrganisation(row: MemberRecord): unknown {
  const { kennitala, email, phone, ...rest } = row;
  const contact = Object.fromEntries(
    Object.entries({ email, phone }).filter(([, value]) => value !== undefined),
  );
  return { ...rest, ...(kennitala === undefined ? {} : { ssn: kennitala }), contact_info: contact };
}
