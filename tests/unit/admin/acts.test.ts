import { type Acting, decisions, glances } from '../../../lib/admin/acts.ts';
import { createFunctions, type Functions, type Reply } from '../../../lib/admin/functions.ts';
import { createLooks } from '../../../lib/admin/look.ts';
import { createVisit } from '../../../lib/admin/visit.ts';
import { createLog } from '../../../lib/log.ts';

const visit = createVisit({ name: 'anna@felag.example', role: 'approver' }, new URLSearchParams(), {
  secure: true,
  signOut: false,
  djangoAdminUrl: '',
});
const plan = `sha256:${'0'.repeat(64)}`;

function actingWith(functions: Functions, form: Record<string, string> = {}): Acting {
  const looks = createLooks();
  const held = { removals: { count: 3, limit: 1, reason: 'limit_exceeded' } } as const;
  looks.keep({ plan, at: new Date(), asked: {}, result: { held }, changes: [], total: 3 });
  looks.keep({
    plan: 'undo',
    at: new Date(),
    asked: { undo: 7 },
    result: {},
    changes: [],
    total: 3,
  });
  const signal = new AbortController().signal;
  return { functions, looks, log: createLog('CRITICAL'), signal, form: new URLSearchParams(form) };
}
const always = (reply: Reply): Functions => ({
  sync: async () => reply,
  dryRun: async () => reply,
});

const forms: [act: string, form: Record<string, string>][] = [
  ['run', {}],
  ['full', {}],
  ['approve', { plan, class: 'removals', typed: '3' }],
  ['undo', { plan: 'undo', typed: '3' }],
  ['apply', { id: '4' }],
  ['release', { id: '4' }],
  ['look', {}],
  ['lookUndo', { run: '7' }],
];

describe.each(forms)('%s', (act, form) => {
  const perform = (functions: Functions) =>
    (decisions[act] ?? glances[act])?.(visit, actingWith(functions, form));

  test.each<{ name: string; reply: Reply; status: number; says: string }>([
    {
      name: 'syncs are switched off',
      reply: { status: 200, body: { status: 'skipped', reason: 'SYNC_ENABLED=false' } },
      status: 409,
      says: 'Slökkt er á samstillingu.',
    },
    {
      name: 'another run goes on',
      reply: { status: 409, body: { error: { code: 'sync_in_progress', message: '' } } },
      status: 409,
      says: 'Önnur samstilling stendur yfir.',
    },
    {
      name: 'the function has an error that nobody knows',
      reply: { status: 500, body: { error: { code: 'new_code', message: 'secret' } } },
      status: 500,
      says: 'Eitthvað óvænt fór úrskeiðis.',
    },
    {
      name: 'the answer makes no sense',
      reply: { status: 200, body: {} },
      status: 500,
      says: 'Eitthvað óvænt fór úrskeiðis.',
    },
  ])('says it when $name', async ({ reply, status, says }) => {
    const answer = await perform(always(reply));
    expect([answer?.status, answer?.body]).toEqual([status, expect.stringContaining(says)]);
    expect(answer?.body).not.toContain('secret');
  });

  test('says it when nobody answers', async () => {
    const nobody = 'http://127.0.0.1:1/';
    const functions = createFunctions({
      syncUrl: nobody,
      dryRunUrl: nobody,
      authorization: async () => 'Bearer x',
      inTheNameOf: true,
    });
    const answer = await perform(functions);
    expect([answer?.status, answer?.body]).toEqual([
      502,
      expect.stringContaining('Ekkert svar barst frá samstillingunni.'),
    ]);
  });
});

test.each([
  ['3', 303],
  [' 3 ', 303],
  ['3.', 303],
  ['4', 400],
  ['', 400],
  ['３', 400],
  ['0x3', 400],
  ['3e0', 400],
])('%j is the number three with %d', async (typed, status) => {
  const done = always({ status: 200, body: { run_id: 9, status: 'success' } });
  const form = { plan, class: 'removals', typed };
  const answer = await decisions['approve']?.(visit, actingWith(done, form));
  expect(answer?.status).toBe(status);
});
