import { setTimeout as delay } from 'node:timers/promises';
import { clientFor, collect, json, pageOf, people, queryOf, serve } from './support.ts';

test('a throttled register is asked one page at a time from then on', async () => {
  let running = 0;
  let most = 0;
  let throttled = false;
  const origin = await serve(async (request, response) => {
    const page = Number(queryOf(request).get('page') ?? 1);
    if (page === 2 && !throttled) {
      throttled = true;
      return response.writeHead(429, { 'Retry-After': '0' }).end();
    }
    running += 1;
    // The pages that were on their way when it happened may still overlap.
    if (page > 15) most = Math.max(most, running);
    await delay(5);
    running -= 1;
    json(response, pageOf('page-number', people(300), queryOf(request)));
  });
  const { client } = clientFor(origin);
  expect(await collect(client.getMembers())).toHaveLength(30);
  expect(most).toBe(1);
});

test('a register that allows so many calls a second is read completely', async () => {
  let allowed = 3;
  const refill = setInterval(() => {
    allowed = 3;
  }, 1000);
  const origin = await serve((request, response) => {
    allowed -= 1;
    if (allowed < 0) return response.writeHead(429, { 'Retry-After': '0' }).end();
    json(response, pageOf('page-number', people(60), queryOf(request)));
  });
  try {
    const { client } = clientFor(origin, { backoffBaseMs: 300 });
    expect(await collect(client.getMembers())).toHaveLength(6);
  } finally {
    clearInterval(refill);
  }
});
