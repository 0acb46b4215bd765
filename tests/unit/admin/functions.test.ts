import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFunctions } from '../../../functions/admin/functions.ts';

const person = { name: 'anna@felag.example', role: 'approver' } as const;
const signal = new AbortController().signal;
const result = {
  run_id: 7,
  dry_run: false,
  status: 'success',
  plan: `sha256:${'0'.repeat(64)}`,
  members_fetched: 1,
  members_suspended: 0,
  error_count: 0,
  errors: [],
};
const dryResult = { ...result, run_id: null, dry_run: true, changes: [] };

async function answered(name: 'sync' | 'dryRun', status: number, text: string) {
  const server = createServer((_request, response) => {
    response.writeHead(status).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const functions = createFunctions({
    syncUrl: url,
    dryRunUrl: url,
    authorization: async () => 'Bearer x',
    inTheNameOf: true,
  });
  try {
    return await functions[name]({}, person, signal);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test('an answer of the function is taken as it is', async () => {
  const reply = await answered('sync', 200, JSON.stringify(result));
  expect(reply).toEqual({ status: 200, body: result });
  expect((await answered('dryRun', 200, JSON.stringify(dryResult))).body).toEqual(dryResult);
  const error = { error: { code: 'plan_changed', message: 'x', changed: null } };
  expect((await answered('sync', 409, JSON.stringify(error))).body).toEqual(error);
});

test.each([
  ['sync', 200, '{}', 'internal_error'],
  ['dryRun', 200, '{}', 'internal_error'],
  ['dryRun', 200, '[]', 'internal_error'],
  ['dryRun', 200, '{"status":"ok"}', 'internal_error'],
  // The address of the other function: nothing may look as if it had only been looked at.
  ['dryRun', 200, JSON.stringify(result), 'internal_error'],
  ['sync', 200, JSON.stringify(dryResult), 'internal_error'],
  ['sync', 403, '<html>Forbidden</html>', 'unauthorized'],
  ['sync', 429, 'Rate exceeded.', 'too_busy'],
  // An instance may have died in the middle of the run.
  ['sync', 503, '<html>Service Unavailable</html>', 'unreachable'],
  ['sync', 504, '<html>Gateway Timeout</html>', 'unreachable'],
  ['sync', 500, '{"detail":"no"}', 'unreachable'],
  ['dryRun', 503, '<html>Service Unavailable</html>', 'too_busy'],
  ['dryRun', 500, '{"detail":"no"}', 'internal_error'],
] as const)(
  'what is no answer of it proves nothing: %s, %d, %s',
  async (name, status, text, code) => {
    const reply = await answered(name, status, text);
    // A browser shows nothing for some of the statuses that say all is well.
    expect([reply.status, reply.body.error?.code]).toEqual([status === 200 ? 502 : status, code]);
    expect(reply.body.changes).toBeUndefined();
  },
);

test('an act that our time is over for may go on, and a look is over', async () => {
  const functions = createFunctions({
    syncUrl: 'http://127.0.0.1:9/',
    dryRunUrl: 'http://127.0.0.1:9/',
    authorization: async () => 'Bearer x',
    inTheNameOf: true,
  });
  const over = AbortSignal.abort(new Error('over'));
  expect((await functions.sync({}, person, over)).body.error?.code).toBe('unreachable');
  await expect(functions.dryRun({}, person, over)).rejects.toThrow('over');
});
