import type { KeyCounts } from './membershipKeys.ts';

/** One person of the register as this project understands it, validated and normalised. */
export interface Member {
  externalId: string;
  /** Ten digits. */
  kennitala: string;
  /** undefined: the record has no such key, so the stored value stays. Otherwise 1–255 characters, NFC. */
  name: string | undefined;
  /** undefined: leave the stored value alone; null: clear it. */
  email: string | null | undefined;
  phone: string | null | undefined;
  /** The membership rule: being in the list is not yet being a member. */
  isMember: boolean;
  /** Why not, in words: `Django says inactive`, or when the member left. */
  notMember?: string | undefined;
}

export type RejectionCode =
  | 'invalid_record'
  | 'invalid_id'
  | 'invalid_kennitala'
  | 'invalid_name'
  | 'invalid_is_active'
  | 'invalid_deleted_at'
  /** Bytes that are no UTF-8. */
  | 'invalid_encoding';

/**
 * A record that could not be read. It still shields the member that it names, by Django id or by
 * kennitala, from being removed; one that names nobody (neither is known) stops all removals of the run.
 */
export interface Rejection {
  code: RejectionCode;
  externalId: string | undefined;
  kennitala: string | undefined;
  /** Says what is wrong without any value of the record. */
  message: string;
}

/** An optional field that was dropped, or a name that was repaired; the member itself is kept. */
export interface RecordWarning {
  externalId: string;
  field: 'name' | 'email' | 'phone';
  message: string;
}

/** What one record of the register became. */
export type ParsedRecord =
  | { kind: 'member'; member: Member; warnings: RecordWarning[] }
  | { kind: 'rejected'; rejection: Rejection }
  /** A record that says of an id that it is no member, and no longer whose it was, as of an anonymised leaver. */
  | { kind: 'former'; externalId: string }
  | { kind: 'excluded'; externalId: string | undefined };

export type Pagination = 'page-number' | 'limit-offset' | 'cursor' | 'single-page';

/** One page of the register, parsed. */
export interface MembersPage {
  /** Position of this page in the walk, from 0. Pages may arrive out of order. */
  index: number;
  pagination: Pagination;
  /** Pages in the walk as far as the register says; undefined for cursor lists. */
  pagesTotal: number | undefined;
  /** The register's own count of rows when it sent this page; undefined where it gives none. */
  count: number | undefined;
  /** Rows in the page, before parsing. */
  rows: number;
  /** How many of its rows have the keys that decide membership. */
  keys: KeyCounts;
  /** It says nothing of an end, and there is another page behind it. */
  isOpen: boolean;
  /** How often this page had to be asked again. */
  retries: number;
  /** The register's clock when it sent this page (its Date header); undefined without one. */
  serverDate: Date | undefined;
  /** A cache had kept this page for more than a minute: it shows who was a member, and proves nothing of today. */
  stale: boolean;
  members: Member[];
  rejections: Rejection[];
  warnings: RecordWarning[];
  /** Django ids of records left out by DJANGO_EXCLUDE_KENNITALA ('' where the record has none). */
  excluded: string[];
  /** Django ids of former members whose records have no kennitala any more. */
  former: string[];
}

/** What the page of one member says. `stale` as for a page of the list. */
export type MemberLookup =
  /**
   * 404 or 410, or a redirect to another address. `byApi`: in the API's own words. From a gateway, from elsewhere, or
   * where no path leads to a member, it proves nothing.
   */
  | { found: false; byApi: boolean; stale: boolean }
  | { found: true; record: ParsedRecord; stale: boolean };
