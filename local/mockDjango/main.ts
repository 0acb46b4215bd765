import { startMockDjango } from './startMockDjango.ts';

// The mock on its own: `PORT=8000 MEMBERS=10000 node local/mockDjango/main.ts`.
const mock = await startMockDjango({
  port: Number(process.env['PORT'] ?? 8000),
  members: Number(process.env['MEMBERS'] ?? 2200),
});
console.log(`${mock.members.list().length} made-up members at ${mock.url}/api/members/`);
console.log(
  `curl -H 'Authorization: ${mock.behaviour.scheme} ${mock.behaviour.key}' '${mock.url}/api/members/?page_size=2'`,
);
