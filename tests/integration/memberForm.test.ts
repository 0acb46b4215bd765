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
  { name: 'plain_name', call: 'public.plain_name(name)', body: 'NORMALIZE' },
])('the planner inlines $name', async ({ name, call, body }) => {
  const lines = await database.query<{ 'QUERY PLAN': string }>(
    `explain (verbose, costs off) select ${call} from public.members`,
  );
  const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
  expect(plan).toContain(body);
  expect(plan).not.toContain(name);
});

const invisible = [
  ...['\u0001', '\u007f', '\u00ad', '\u034f', '\u115f', '\u180e', '\u200b', '\u200e', '\u200f'],
  ...['\u2060', '\u2066', '\u2800', '\u3164', '\ufe0f', '\ufeff', '\u{e0020}', '\u{e0100}'],
];
const spaces = ['\t', '\u00a0', '\u2009', '\u202f', '\u3000', ' \n '];
test.each([
  ...invisible.map((mark) => `Þóra Æsa${mark} Óðins${mark}dóttir`),
  ...spaces.map((space) => `${space}Þóra${space}Æsa Óðinsdóttir`),
  'ÞÓRA ÆSA ÓÐINSDÓTTIR',
  'Þóra Æsa Óðinsdóttir'.normalize('NFD'),
])('a person reads one name in both: %j', async (written) => {
  const rows = await database.query(
    `select from (values ($1::text, 'Þóra Æsa Óðinsdóttir')) as v(a, b) where public.plain_name(a) = public.plain_name(b)`,
    [written],
  );
  expect(rows).toHaveLength(1);
});

test.each(['Thóra Æsa Óðinsdóttir', 'Þóra Æsa Óðinsdottir', 'ÞóraÆsa Óðinsdóttir'])(
  'and another one in %j',
  async (written) => {
    const rows = await database.query(
      `select where public.plain_name($1::text) = public.plain_name('Þóra Æsa Óðinsdóttir')`,
      [written],
    );
    expect(rows).toEqual([]);
  },
);
