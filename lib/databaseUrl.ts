import pg from 'pg';
import { SyncError } from './errors.ts';

type Tls = Exclude<pg.ClientConfig['ssl'], boolean | undefined>;

/**
 * What DATABASE_URL says, as pg takes it. Nothing but user, database and application_name is said while a
 * connection starts: a pooler refuses what it does not know. `sslmode` is that of libpq with one difference:
 * `require` and `prefer` check the certificate as `verify-full` does, since encryption alone keeps out nobody
 * who can put himself in between. `sslrootcert` is a file, or `base64:` and the certificate itself, so that one
 * secret holds all that is needed. Throws SyncError `database_unavailable` where that cannot be used.
 */
export function parseDatabaseUrl(url: string): pg.ClientConfig {
  const config = inlineAuthority(url) ?? {
    connectionString: url
      .replace(/([?&]sslmode=)(?:require|prefer)(?=&|$)/, '$1verify-full')
      .replace(/([?&]sslmode=verify-ca)(?=&|$)/, '$1&uselibpqcompat=true'),
  };
  try {
    // Reads the files that the URL names.
    new pg.Client(config);
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
