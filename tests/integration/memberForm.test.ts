import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});

// A function that is inlined leaves its body in the plan, and its name nowhere.
test.each([
  {
    name: 'member_state',
    call: 'public.member_state(kennitala, name, email, phone, external_id, is_active, removed_at)',
    body: 'jsonb_build_object',
  },
  {
    name: 'change_digest',
    call: `public.change_digest('join', external_id, kennitala, name, email, phone)`,
    body: 'sha256',
  },
])('the planner inlines $name', async ({ name, call, body }) => {
  const lines = await database.query<{ 'QUERY PLAN': string }>(
    `explain (verbose, costs off) select ${call} from public.members`,
  );
  const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
  expect(plan).toContain(body);
  expect(plan).not.toContain(name);
});
