import type { Acting } from '../../../functions/admin/acting.ts';
import { decisions, glances } from '../../../functions/admin/acts.ts';
import { createFunctions, type Functions, type Reply } from '../../../functions/admin/functions.ts';
import { createLooks, type Made, madeKey } from '../../../functions/admin/look.ts';
import { createVisit } from '../../../functions/admin/visit.ts';
import { createLog } from '../../../lib/log.ts';

const visit = createVisit({ name: 'anna@felag.example', role: 'approver' }, new URLSearchParams(), {
  secure: true,
  signOut: false,
  djangoAdminUrl: '',
});
const plan = `sha256:${'0'.repeat(64)}`;
const leavers = ['1', '2', '3'].map((id) => ({
  action: 'remove' as const,
  external_id: id,
  kennitala: '010190-****',
  fields: ['is_active'],
  held: 'limit_exceeded' as const,
  name: `Nafn ${id}`,
  reason: 'not in the list',
}));

function actingWith(
  functions: Functions,
  form: Record<string, string> = {},
  made: Made = new Map(),
): Acting {
  const looks = createLooks();
  const held = { removals: { count: 3, limit: 1, reason: 'limit_exceeded' } } as const;
  looks.keep({
    plan,
    at: new Date(),
    after: 7,
    asked: {},
    result: { held },
    changes: leavers,
    total: 3,
  });
  looks.keep({
    plan: 'undo',
    at: new Date(),
    after: 7,
    asked: { undo: 7 },
    result: {},
    changes: leavers,
    total: 3,
  });
  const signal = new AbortController().signal;
  const views: Acting['views'] = {
    showAsked: async (_visit, _log, id, asked) => ({ body: { id, ...asked } }),
    lastRun: async () => 7,
    madeAfter: async () => made,
  };
  const log = createLog('CRITICAL');
  return { functions, looks, views, log, signal, form: new URLSearchParams(form) };
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
  ['apply', { id: '4', plan }],
  ['release', { id: '4' }],
  ['ask', { id: '4' }],
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
      says: 'Önnur samstilling stendur yfir, eða annað kerfi er í veginum.',
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

describe('what somebody wants to do with a member', () => {
  const dry = { plan, errors: [], changes: [] };
  const recording = (sync: Reply) => {
    const bodies: object[] = [];
    const functions: Functions = {
      sync: async (body) => {
        bodies.push(body);
        return sync;
      },
      dryRun: async (body) => {
        bodies.push(body);
        return { status: 200, body: dry };
      },
    };
    return { bodies, functions };
  };
  const done: Reply = { status: 200, body: { run_id: 9, status: 'success' } };
  const changed: Reply = { status: 409, body: { error: { code: 'plan_changed', message: '' } } };

  test('is bound to what the page showed', async () => {
    const { bodies, functions } = recording(done);
    const answer = await decisions['apply']?.(visit, actingWith(functions, { id: '4', plan }));
    expect(answer?.status).toBe(303);
    expect(bodies).toEqual([{ sync_type: 'manual', external_ids: ['4'], plan }]);
  });

  test('is not done where it would be something else by now, and is shown again', async () => {
    const { bodies, functions } = recording(changed);
    const form = { id: '4', plan, release: 'true' };
    const answer = await decisions['apply']?.(visit, actingWith(functions, form));
    expect(answer?.body).toMatchObject({ id: '4', release: true, isChanged: true });
    expect(bodies).toEqual([
      { sync_type: 'manual', external_ids: ['4'], release: true, plan },
      { external_ids: ['4'], release: true, details: true },
    ]);
  });

  test.each([
    ['apply', { id: '4' }],
    ['release', { id: '4', plan }],
  ])('is only shown by %s of a page that showed nothing', async (act, form) => {
    const { bodies, functions } = recording(done);
    await decisions[act]?.(visit, actingWith(functions, form));
    expect(bodies).toEqual([expect.objectContaining({ details: true })]);
  });
});

test.each(forms.filter(([act]) => ['run', 'full', 'approve', 'undo', 'apply'].includes(act)))(
  '%s whose run was done, and whose answer was lost, leads to that run',
  async (act, form) => {
    const error = { code: 'database_unavailable', message: 'x', run_id: 8, applied: true };
    const functions = always({ status: 503, body: { error } });
    const answer = await decisions[act]?.(visit, actingWith(functions, form));
    expect([answer?.status, answer?.headers?.['Location']]).toEqual([
      303,
      expect.stringMatching(/view=run&id=8$/),
    ]);
  },
);

test('an act of which nobody knows whether it was done is not said to have failed', async () => {
  const error = { code: 'database_unavailable', message: 'x', run_id: 8, applied: null };
  const functions = always({ status: 503, body: { error } });
  const form = { plan, class: 'removals', typed: '3' };
  const answer = await decisions['approve']?.(visit, actingWith(functions, form));
  expect(String(answer?.body)).toContain('Sagan sýnir hvort hún fór af stað');
});

describe('an approval that comes second', () => {
  const approve = async (made: Made) => {
    const functions: Functions = {
      sync: async () => ({ status: 409, body: { error: { code: 'plan_changed', message: '' } } }),
      dryRun: async () => ({ status: 200, body: { plan: 'new', changes: [], errors: [] } }),
    };
    const form = { plan, class: 'removals', typed: '3' };
    const answer = await decisions['approve']?.(visit, actingWith(functions, form, made));
    return String(answer?.body);
  };
  const by = { run_id: 12, approved_by: 'bjarni@felag.example via page' };

  test('is told that somebody else has approved the same, and in which run', async () => {
    const html = await approve(new Map(leavers.map((change) => [madeKey(change), by])));
    expect(html).toContain('Þessar breytingar hafa þegar verið gerðar');
    expect(html).toContain('3 breytingar voru gerðar þar. Samþykkt af: bjarni@felag.example');
    expect(html).toContain('?view=run&amp;id=12');
    expect(html).not.toContain('fellur út');
  });

  test('sees apart what was done and what is no longer true', async () => {
    const [first] = leavers;
    const html = await approve(first ? new Map([[madeKey(first), by]]) : new Map());
    expect(html).toContain('Breytingarnar eru ekki lengur þær sömu');
    expect(html).toContain('1 breyting var gerð þar.');
    expect(html.match(/fellur út/g)).toHaveLength(2);
  });
});
