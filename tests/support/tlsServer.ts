import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unprivilegedIdentity } from '../../local/postgres/unprivileged.ts';
import { type Postgres, startPostgres } from '../../local/postgres.ts';
import { afterTests } from './cleanUp.ts';
import { commandPath } from './commands.ts';
import { runMigrations } from './database.ts';

export interface TlsServer {
  /** By the address 127.0.0.1, migrated, and without any sslmode. */
  url: string;
  /** The certificate of the authority that signed the server's, as a file and as PEM. */
  caFile: string;
  ca: string;
  /** The certificate of an authority that signed nothing here. */
  otherCaFile: string;
}

/**
 * A PostgreSQL that refuses everything but TLS, with a certificate for these names (`IP:127.0.0.1` for an
 * address) of an authority made for it. Cloud SQL's by private IP names neither: `['project:instance']` as the
 * subject, and no name. Use describeWith('openssl') around tests that need it.
 */
export async function startTlsServer({
  names = ['DNS:localhost'],
  subject = 'localhost',
}: {
  names?: string[];
  subject?: string;
} = {}): Promise<TlsServer> {
  const openssl = commandPath('openssl');
  if (!openssl) throw new Error('openssl is not installed');
  const identity = unprivilegedIdentity();
  const folder = mkdtempSync('/tmp/membership-sync-tls-');
  afterTests(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const file = (name: string) => join(folder, name);
  const run = (...words: string[]) => execFileSync(openssl, words, { stdio: 'pipe' });
  const authority = (name: string) => {
    run(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
    );
    return file(`${name}.pem`);
  };
  const caFile = authority('authority');
  const otherCaFile = authority('another-authority');
  run(
    ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${subject}`],
    ...['-keyout', file('server.key'), '-out', file('server.csr')],
  );
  writeFileSync(
    file('extensions'),
    names.length > 0 ? `subjectAltName=${names.join(',')}\n` : 'basicConstraints=CA:FALSE\n',
  );
  run(
    ...['x509', '-req', '-days', '2', '-in', file('server.csr'), '-out', file('server.pem')],
    ...['-CA', caFile, '-CAkey', file('authority.key'), '-CAcreateserial'],
    ...['-extfile', file('extensions')],
  );
  writeFileSync(file('hba'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  chmodSync(file('server.key'), 0o600);
  if (identity.uid !== undefined) chownSync(file('server.key'), identity.uid, identity.gid);
  const server: Postgres = await startPostgres({
    settings: {
      ssl: 'on',
      ssl_cert_file: file('server.pem'),
      ssl_key_file: file('server.key'),
      hba_file: file('hba'),
    },
  });
  afterTests(server.stop);
  await runMigrations(`${server.url}?sslmode=no-verify`);
  return { url: server.url, caFile, ca: readFileSync(caFile, 'utf8'), otherCaFile };
}
