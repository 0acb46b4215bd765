import { startSecretManager } from '../support/secretManager.ts';
import { onServer } from '../support/server.ts';
import { createWorld, type World } from '../support/world.ts';

// The functions that only read: as a role that may only read, and with no secret but their own.

const ROLE = 'only_reads';
let world: World;
let readerUrl: string;
beforeAll(async () => {
  world = await createWorld({ members: 5, functions: 'built' });
  await world.database.query(`create role ${ROLE} login password 'of-a-test'`);
  await world.database.query(`grant select on all tables in schema public to ${ROLE}`);
  const url = new URL(world.database.url);
  url.username = ROLE;
  url.password = 'of-a-test';
  readerUrl = url.href;
  await world.run();
});
afterAll(async () => {
  await onServer(`drop role ${ROLE}`);
});

const reading = ['syncStatus', 'syncLogs'];

test.each(reading)('%s needs no other address than that of the reader', async (name) => {
  const settings = { DATABASE_URL: '', DATABASE_READER_URL: readerUrl };
  expect((await world.get(name, settings)).status).toBe(200);
});

test.each(reading)(
  '%s fetches no secret but the key and the address of the reader',
  async (name) => {
    const secrets = await startSecretManager();
    secrets.secrets = { reader: readerUrl, key: world.settings['ADMIN_API_KEY'] ?? '' };
    const settings = {
      SECRET_MANAGER_EMULATOR_HOST: secrets.host,
      DATABASE_READER_URL: 'sm://p/reader',
      DATABASE_URL: 'sm://p/database',
      DJANGO_API_KEY: 'sm://p/django',
      NOTIFY_SECRET: 'sm://p/notify',
      ADMIN_API_KEY: 'sm://p/key',
    };
    expect((await world.get(name, settings)).status).toBe(200);
    expect(secrets.requests.map((path) => path.split('/')[5]).sort()).toEqual(['key', 'reader']);
  },
);

test.each(reading)('%s names the variable that it has read', async (name) => {
  const secrets = await startSecretManager();
  secrets.secrets = { key: world.settings['ADMIN_API_KEY'] ?? '' };
  const settings = {
    SECRET_MANAGER_EMULATOR_HOST: secrets.host,
    DATABASE_URL: 'sm://p/database',
  };
  expect((await world.get(name, settings)).body.error).toMatchObject({
    code: 'secrets_unavailable',
    message: expect.stringContaining('The secret behind DATABASE_URL cannot be used'),
  });
});

test.each(['syncScheduled', 'syncDryRun'])('%s has no use for the reader', async (name) => {
  const settings = { DATABASE_READER_URL: 'postgresql://nobody:x@127.0.0.1:1/none' };
  expect((await world.post(name, {}, settings)).status).toBe(200);
});
