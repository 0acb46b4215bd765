import { createServer, type ServerResponse } from 'node:http';
import { generatePeople, type MemberRecord } from '../../local/mockDjango/people.ts';

// A register in a process of its own that serves pages prepared beforehand, so that what is measured is
// the reader and not the server. Run as: registerServer.ts MEMBERS PAGE_SIZE LATENCY_MS
const [members = 1000, pageSize = 500, latencyMs = 0] = process.argv.slice(2).map(Number);
const people = generatePeople(members);
let all = paginate(people);
let changed: Buffer[] = [];

function paginate(records: readonly MemberRecord[]): Buffer[] {
  const pages = Math.max(1, Math.ceil(records.length / pageSize));
  return Array.from({ length: pages }, (_, index) => {
    const results = records.slice(index * pageSize, (index + 1) * pageSize);
    const next = index + 1 < pages ? `http://register/api/members/?page=${index + 2}` : null;
    return Buffer.from(JSON.stringify({ count: records.length, next, previous: null, results }));
  });
}

/** Gives every hundredth member another name, and prepares the pages again. */
function changeOnePercent(round: number): void {
  const touched = people.filter((person) => person.id % 100 === 7);
  for (const person of touched) person.name = `${person.name.replace(/ \d+$/, '')} ${round}`;
  all = paginate(people);
  changed = paginate(touched);
}

function answer(url: URL, response: ServerResponse): void {
  const change = url.searchParams.get('round');
  if (change !== null) {
    changeOnePercent(Number(change));
    response.end('done');
    return;
  }
  const pages = url.searchParams.has('modified_since') ? changed : all;
  const body = pages[Number(url.searchParams.get('page') ?? 1) - 1];
  const headers = { 'content-type': 'application/json', 'content-length': body?.length ?? 0 };
  response.writeHead(body ? 200 : 404, headers).end(body);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://register');
  if (latencyMs > 0) {
    setTimeout(() => answer(url, response), latencyMs);
  } else answer(url, response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.once('disconnect', () => process.exit(0));
