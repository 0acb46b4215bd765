import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bareEnvironment, describeWith } from '../support/commands.ts';
import { startTlsServer, type TlsServer } from '../support/tlsServer.ts';
import { createWorld, type World } from '../support/world.ts';

// What sslmode means to us, and what is said where a server with TLS and DATABASE_URL do not fit together.
const root = join(import.meta.dirname, '../..');
const migrate = (url: string) =>
  promisify(execFile)(join(root, 'node_modules/.bin/node'), [join(root, 'migrations/migrate.ts')], {
    env: { ...bareEnvironment(), DATABASE_URL: url },
  }).then(
    ({ stdout }) => stdout,
    ({ stderr }) => stderr,
  );
const base64 = (file: string) => `base64:${readFileSync(file).toString('base64')}`;

describeWith('openssl')('a server that takes encrypted connections only', () => {
  let cloudSql: TlsServer;
  let world: World;
  beforeAll(async () => {
    // By private IP: the certificate names the instance, and neither an address nor a host.
    cloudSql = await startTlsServer({ names: [], subject: 'my-project:members' });
    world = await createWorld({ members: 3, settings: { DATABASE_URL: cloudSql.url } });
  });
  const ask = (parameters: string) =>
    world.get('syncStatus', { DATABASE_URL: `${cloudSql.url}${parameters}` });

  test.each([
    { name: 'a file', ca: () => cloudSql.caFile },
    { name: 'the certificate itself', ca: () => base64(cloudSql.caFile) },
    { name: 'the same, encoded', ca: () => encodeURIComponent(base64(cloudSql.caFile)) },
  ])('works by its address with its own CA: $name', async ({ ca }) => {
    const parameters = `?sslmode=verify-ca&sslrootcert=${ca()}`;
    expect(await ask(parameters)).toMatchObject({ status: 200, body: { status: 'never_synced' } });
    const settings = { DATABASE_URL: `${cloudSql.url}${parameters}` };
    const { body } = await world.post('syncDryRun', {}, settings);
    expect(body).toMatchObject({ status: 'success', members_added: 3 });
    expect(await migrate(settings.DATABASE_URL)).toEqual('nothing to apply\n');
  });

  test('npm run migrate says the cure as the functions do, and where it tried', async () => {
    const said = await migrate(`${cloudSql.url}?sslmode=require`);
    expect(said).toMatch(/^Cannot connect to PostgreSQL at 127\.0\.0\.1:\d+, database \w+: /);
    expect(said).toMatch(/of a CA that is not known here.*sslmode=verify-ca&sslrootcert=FILE/);
    expect(said).not.toContain(new URL(cloudSql.url).password);
  });

  test.each([
    {
      name: 'no sslmode',
      parameters: () => '',
      says: /^The database takes encrypted connections only.*sslmode=verify-ca&sslrootcert=FILE.*\(28000\)\.$/,
    },
    {
      name: 'sslmode=require, which checks the certificate',
      parameters: () => '?sslmode=require',
      says: /of a CA that is not known here.*Cloud SQL.*sslmode=verify-ca&sslrootcert=FILE/,
    },
    {
      name: 'another CA',
      parameters: () => `?sslmode=verify-ca&sslrootcert=${cloudSql.otherCaFile}`,
      says: /of a CA that is not known here/,
    },
    {
      name: 'another CA, as it stands',
      parameters: () => `?sslrootcert=${base64(cloudSql.otherCaFile)}&sslmode=verify-ca`,
      says: /of a CA that is not known here/,
    },
    {
      name: 'an address where the certificate has a name',
      parameters: () => `?sslmode=verify-full&sslrootcert=${cloudSql.caFile}`,
      says: /not for the host in DATABASE_URL.*sslmode=verify-ca&sslrootcert=FILE/,
    },
    {
      name: 'a CA without a mode, which checks all of it',
      parameters: () => `?sslrootcert=${base64(cloudSql.caFile)}`,
      says: /not for the host in DATABASE_URL/,
    },
    {
      name: 'verify-ca without a CA',
      parameters: () => '?sslmode=verify-ca',
      says: /sslmode=verify-ca is there without sslrootcert/,
    },
    {
      name: 'a file that is not there',
      parameters: () => '?sslmode=verify-ca&sslrootcert=/no/such/file.pem',
      says: /sslrootcert.*cannot be read.*mount the file/,
    },
    {
      name: 'a certificate that is none',
      parameters: () => '?sslmode=verify-ca&sslrootcert=base64:bm9uZQ==',
      says: /check its certificate, and sslmode, sslrootcert|of a CA that is not known here/,
    },
  ])('$name: says the cure', async ({ parameters, says }) => {
    const { status, body } = await ask(parameters());
    expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
    expect(body.error?.message).toMatch(says);
    expect(body.error?.message).not.toMatch(/127\.0\.0\.1|my-project/);
    const settings = { DATABASE_URL: cloudSql.url + parameters() };
    await expect(world.dryRun({}, { settings })).rejects.toThrow(String(body.error?.message));
  });
});

test('a server without encryption that is asked for it says the cure', async () => {
  const world = await createWorld({ members: 1 });
  const settings = { DATABASE_URL: `${world.settings['DATABASE_URL']}?sslmode=require` };
  const { body } = await world.get('syncStatus', settings);
  expect(body.error?.message).toMatch(/does not offer encryption: take sslmode out/);
});
