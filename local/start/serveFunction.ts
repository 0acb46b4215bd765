import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { getTestServer } from '@google-cloud/functions-framework/testing';

// Serves one built function on 127.0.0.1, in the server that the functions framework makes for it on the
// platform, and sends its port to the parent. functions.ts starts it with the path of the bundle.
const [, , bundle = '', name = ''] = process.argv;

// The parent is gone, perhaps killed: end as the platform would end us.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

createRequire(import.meta.url)(bundle);
const server = getTestServer(name);
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
