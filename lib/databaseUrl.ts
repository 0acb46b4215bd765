import type pg from 'pg';
import { SyncError } from './errors.ts';

type Tls = Exclude<pg.ClientConfig['ssl'], boolean | undefined>;

/** What a DATABASE_URL has to be, in words that follow its name and repeat nothing of it. */
export const DATABASE_URL_FORM =
  'must be a postgresql:// URL; in its user name and password write @ as %40, / as %2F, ? as %3F, # as %23, % as %25, and a space as %20';

/**
 * Whether that is an address that pg reads as it is meant. A password with one of these characters as it stands
 * would be cut there: a piece of it would be taken for the host, and looked up and shown as one.
 */
export function isDatabaseUrl(value: string): boolean {
  const parts = /^postgres(?:ql)?:\/\/([^/?#]*)(.*)$/s.exec(value);
  if (!parts) return false;
  const [, authority = '', rest = ''] = parts;
  const isPlain = !/[\s#]|%(?![0-9a-f]{2})/i.test(authority + rest) && !rest.includes('@');
  if (!isPlain || authority.split('@').length > 2) return false;
  // A socket URL has no host (postgresql://u:p@/db?host=/cloudsql/…), which URL.parse refuses.
  return URL.canParse(value.replace(/@(?=\/)/, '@socket')) && isUtf8(authority);
}

function isUtf8(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}

/**
 * What DATABASE_URL says, as pg takes it. Nothing but user, database and application_name is said while a
 * connection starts: a pooler refuses what it does not know. `sslmode` is that of libpq with one difference:
 * `require` and `prefer` check the certificate as `verify-full` does, since encryption alone keeps out nobody
 * who can put himself in between. `sslrootcert` is a file, or `base64:` and the certificate itself, so that one
 * secret holds all that is needed. `Client` is pg's: a function without a database does not load it. Throws
 * SyncError `database_unavailable` where that cannot be used.
 */
export function parseDatabaseUrl(url: string, Client: typeof pg.Client): pg.ClientConfig {
  if (!isDatabaseUrl(url)) {
    throw new SyncError('database_unavailable', `DATABASE_URL ${DATABASE_URL_FORM}.`);
  }
  const config = inlineAuthority(url) ?? {
    connectionString: url
      .replace(/([?&]sslmode=)(?:require|prefer)(?=&|$)/, '$1verify-full')
      .replace(/([?&]sslmode=verify-ca)(?=&|$)/, '$1&uselibpqcompat=true'),
  };
  try {
    // Reads the files that the URL names.
    new Client(config);
  } catch (cause) {
    const message =
      'A file that DATABASE_URL names (sslrootcert, sslcert or sslkey) cannot be read, or sslmode=verify-ca is there without sslrootcert: mount the file, correct its path, or put base64:CERTIFICATE in its place.';
    throw new SyncError('database_unavailable', message, { cause });
  }
  return { ...config, application_name: 'membership-sync' };
}

// pg reads sslrootcert as a file, and what it makes of a URL overrides what it is given beside it.
function inlineAuthority(url: string): pg.ClientConfig | undefined {
  const [, encoded] = /[?&]sslrootcert=base64(?::|%3A)([^&]+)/i.exec(url) ?? [];
  if (encoded === undefined) return undefined;
  const [, mode = 'verify-full'] = /[?&]sslmode=([^&]+)/.exec(url) ?? [];
  if (mode === 'disable') return { connectionString: without(url, 'sslrootcert') };
  const ssl: Tls = { ca: Buffer.from(decodeURIComponent(encoded), 'base64').toString() };
  // libpq's verify-ca: the authority signs for this server alone, whose name or address is none of its.
  if (mode === 'verify-ca') ssl.checkServerIdentity = () => undefined;
  return { connectionString: without(without(url, 'sslrootcert'), 'sslmode'), ssl };
}

const without = (url: string, parameter: string) =>
  url.replace(new RegExp(`([?&])${parameter}=[^&]*&?`), '$1').replace(/[?&]$/, '');

const CA_LINE =
  "put sslmode=verify-ca&sslrootcert=FILE into DATABASE_URL, FILE being the certificate of the server's CA";

/** How a server says that it does not take a login without TLS, as a kind of databaseErrors.ts. */
export const tlsRefusals = [
  {
    codes: ['28000'],
    says: /no encryption|SSL off/,
    words: `The database takes encrypted connections only, or none from here without encryption: ${CA_LINE}`,
  },
  {
    codes: ['28000'],
    says: /valid client certificate/,
    words:
      'The database wants a certificate of ours: put sslcert=FILE&sslkey=FILE into DATABASE_URL, beside sslmode and sslrootcert',
  },
];

/** How a TLS connection fails, and what to put into DATABASE_URL. */
export const tlsFailures = [
  {
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_SIGNATURE_FAILURE',
    ],
    words: `The certificate of the database is of a CA that is not known here, as that of a Cloud SQL instance is: ${CA_LINE}`,
  },
  {
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    words: `The certificate of the database is not for the host in DATABASE_URL: use the name that it is for, or, where there is only an address, ${CA_LINE}`,
  },
  {
    codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    words:
      'The certificate of the database, or of its CA, has expired or is not valid yet: renew it on the server, then the FILE of sslrootcert',
  },
  {
    codes: [],
    message: /^The server does not support SSL/,
    words:
      'The database does not offer encryption: take sslmode out of DATABASE_URL, as for the socket of Cloud SQL, or switch TLS on in the server or the pooler',
  },
  {
    codes: ['ERR_SSL', 'ERR_OSSL', 'ERR_TLS', 'EPROTO'],
    message: /^There was an error establishing an SSL/,
    words:
      'The encrypted connection to the database failed: check its certificate, and sslmode, sslrootcert, sslcert and sslkey in DATABASE_URL',
  },
];
