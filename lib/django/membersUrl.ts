import { SyncError } from '../errors.ts';

/** Where the members are: the one origin that may see the key, the path of the list, and its fixed query. */
export interface MembersUrl {
  origin: string;
  /** As configured, with or without a trailing slash. */
  listPath: string;
  /** A query that DJANGO_MEMBERS_PATH itself has, sent with every request. */
  query: [string, string][];
  /** The path of one member. Throws SyncError `invalid_request` for an id that fits in no path. */
  memberPath(externalId: string): string;
}

/** Joins DJANGO_BASE_URL, which may have a path, with DJANGO_MEMBERS_PATH, however their slashes are. */
export function membersUrl(baseUrl: string, membersPath: string): MembersUrl {
  const url = new URL(baseUrl);
  const [path = '', query = ''] = membersPath.trim().split('?', 2);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
  const listPath = url.pathname;
  return {
    origin: url.origin,
    listPath,
    query: [...new URLSearchParams(query)],
    memberPath(externalId) {
      if (!isPathSegment(externalId)) {
        throw new SyncError(
          'invalid_request',
          'This member cannot be asked for by its Django id: the id does not fit in a URL path.',
        );
      }
      return `${listPath.replace(/\/+$/, '')}/${encodeURIComponent(externalId)}/`;
    },
  };
}

// URL parsers resolve dots even when they are encoded, and servers refuse an encoded slash with a
// 404 of their own, which must not be taken for "this member does not exist".
function isPathSegment(id: string): boolean {
  return id !== '' && id !== '.' && id !== '..' && id.isWellFormed() && !/[/\\\p{Cc}]/u.test(id);
}
