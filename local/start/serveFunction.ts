import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { getTestServer } from '@google-cloud/functions-framework/testing';

// Serves one built function on 127.0.0.1, in the server that the functions framework makes for it on the
// platform, and sends its port to the parent. functions.ts starts it with the path of the bundle.
const [, , bundle = '', name = ''] = process.argv;

const STOP_TIMEOUT_MS = 10_000;

// The parent is gone, perhaps killed: end as the platform would end us.
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_TIMEOUT_MS).unref();
});

// Nobody reads on then. Without a listener each line that is logged is an exception, which is logged.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

createRequire(import.meta.url)(bundle);
const server = getTestServer(name);
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
