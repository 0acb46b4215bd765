import { lookCsv } from '../../../functions/admin/changeTable.tsx';
import {
  changesIn,
  compareLooks,
  createLooks,
  decidedIn,
  type Look,
  madeKey,
} from '../../../functions/admin/look.ts';
import { lookView } from '../../../functions/admin/lookView.tsx';
import { createVisit, type Role } from '../../../functions/admin/visit.ts';
import type { Held, PreviewedChange } from '../../../lib/sync/types.ts';

const removal = (id: number, more: Partial<PreviewedChange> = {}): PreviewedChange => ({
  action: 'remove',
  external_id: String(id),
  kennitala: '010190-****',
  fields: ['is_active', 'removed_at'],
  name: `Nafn ${id}`,
  before: { is_active: true },
  after: { is_active: false, removed_at: '2026-11-26T12:00:00Z' },
  reason: 'not in the list',
  held: 'limit_exceeded',
  ...more,
});
const lookOf = (changes: PreviewedChange[], more: Partial<Look> = {}): Look => ({
  plan: 'sha256:1',
  at: new Date('2026-11-26T12:00:00Z'),
  after: 7,
  asked: { mode: 'full' },
  result: {},
  changes,
  total: changes.length,
  ...more,
});
const holding = (held: Held): Partial<Look> => ({ result: { held } });
const visit = (query: string, role: Role = 'approver') =>
  createVisit({ name: 'anna@felag.example', role }, new URLSearchParams(query), {
    secure: true,
    signOut: false,
    djangoAdminUrl: '',
  });
const many = Array.from({ length: 250 }, (_, index) => removal(index + 1));

test('a long list has pages, and the file has all of it', () => {
  const look = lookOf(many);
  const page = (number: number) => String(lookView(visit(`page=${number}`), { look }).body);
  expect(page(1)).toContain('Sýnt: 1–100 af 250');
  expect(page(3)).toContain('Sýnt: 201–250 af 250');
  expect(page(3).match(/Nafn \d+/g)).toHaveLength(50);
  // Nobody is sent to a page that there is not.
  expect(page(99)).toContain('Sýnt: 201–250 af 250');
  const file = String(lookCsv(visit('tab=remove&lang=en'), look).body);
  expect(file.trim().split('\r\n')).toHaveLength(251);
  expect(file).not.toMatch(/\d{6}-?\d{4}/);
  const changed = removal(1, {
    action: 'update',
    fields: ['name', 'is_active'],
    before: { name: 'Anna', is_active: false },
    after: { name: 'Anna Ösp', is_active: true },
  });
  const update = String(lookCsv(visit('tab=update'), lookOf([changed])).body);
  expect(update).toContain(';nafn: Anna → Anna Ösp;');
});

test('what waits is approved by its number, by those who may, and what nobody can approve is not asked', () => {
  const limited = { count: 250, limit: 44, reason: 'limit_exceeded' } as const;
  const look = lookOf(many, holding({ removals: limited }));
  const html = String(lookView(visit(''), { look }).body);
  expect(html).toContain('fleiri en mörkin leyfa (mörkin eru 44)');
  expect(html).toContain('Samþykkja að 250 fari af kjörskrá');
  expect(String(lookView(visit('', 'viewer'), { look }).body)).not.toContain('name="typed"');
  const unknown = { count: 0, limit: 44, reason: 'snapshot_incomplete' } as const;
  const none = lookOf([], holding({ removals: unknown }));
  const cautious = String(lookView(visit(''), { look: none }).body);
  expect(cautious).toContain(
    'Ástæðan: ekki tókst að lesa alla félagaskrána. Gerðu fulla samstillingu.',
  );
  expect(cautious).not.toContain('Bíður samþykkis');
  expect(cautious).not.toContain('name="typed"');
});

test('two looks differ in what came and went, not in the time of the look', () => {
  const later = { after: { is_active: false, removed_at: '2026-11-26T13:00:00Z' } };
  const before = lookOf([removal(1), removal(2)]);
  const now = lookOf([removal(2, later), removal(3)]);
  expect(compareLooks(before, now)).toEqual({ added: [removal(3)], gone: [removal(1)] });
});

test('a look is over when what waits was made, and not when the rest has happened by itself', () => {
  const { held: _held, ...update } = removal(9, { action: 'update', fields: ['name'] });
  const look = lookOf([removal(1), update]);
  const by = { run_id: 12, approved_by: null };
  const made = (change: PreviewedChange) => new Map([[madeKey(change), by]]);
  expect(decidedIn(look, made(update))).toEqual([]);
  expect(decidedIn(look, made(removal(1)))).toEqual([{ ...by, count: 1 }]);
});

describe('looks are kept', () => {
  const at = Date.UTC(2026, 10, 26, 12);
  const kept = (plan: string, changes = many, minutes = 0) =>
    lookOf(changes, { plan, at: new Date(at + minutes * 60_000) });

  test('for a quarter of an hour', () => {
    let minutes = 0;
    const looks = createLooks(() => at + minutes * 60_000);
    looks.keep(kept('a'));
    minutes = 15;
    expect(looks.find('a')?.plan).toBe('a');
    minutes = 16;
    expect(looks.find('a')).toBeUndefined();
    expect(looks.find(null)).toBeUndefined();
  });

  test('as far as the memory goes, the newest in any case', () => {
    const looks = createLooks(() => at);
    const large = Array.from({ length: 9_000 }, (_, index) => removal(index));
    for (const plan of ['a', 'b', 'c']) looks.keep(kept(plan, large));
    expect(['a', 'b', 'c'].map((plan) => looks.find(plan)?.plan)).toEqual([undefined, 'b', 'c']);
    looks.keep(kept('d', [...large, ...large, ...large]));
    expect(['b', 'c', 'd'].map((plan) => looks.find(plan)?.plan)).toEqual([
      undefined,
      undefined,
      'd',
    ]);
  });
});

const textOf = (html: unknown) =>
  String(html)
    .replace(/^.*<main[^>]*>|<\/main>.*$/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
const limit = (count: number) => ({ count, limit: 10, reason: 'limit_exceeded' }) as const;
const change = (action: PreviewedChange['action'], id: number) => removal(id, { action });

describe('an approval', () => {
  test('is of what could be shown: a class that is cut off has no form', () => {
    const changes = [...many.slice(0, 5), change('add', 300)];
    const held = { removals: limit(5), additions: limit(9), kennitala_changes: limit(14) };
    const look = lookOf(changes, { result: { held }, total: 28 });
    const page = (tab: string) => String(lookView(visit(`tab=${tab}`), { look }).body);
    expect(page('remove')).toContain('name="typed"');
    for (const tab of ['add', 'kennitala']) {
      expect(page(tab)).not.toContain('name="typed"');
      expect(page(tab)).toContain('Breytingarnar eru fleiri en hægt er að sýna');
    }
    expect(textOf(page('kennitala'))).toContain('Breytt kennitala (0+)');
    expect(textOf(page('kennitala'))).not.toContain('Engin slík breyting');
  });

  test('of what runs have made meanwhile is over', () => {
    const look = lookOf(many, holding({ removals: limit(250) }));
    const done = [{ run_id: 12, approved_by: 'bjarni@felag.example via page', count: 250 }];
    const html = String(lookView(visit(''), { look, done }).body);
    expect(html).not.toMatch(/name="typed"|Bíður samþykkis/);
    expect(textOf(html)).toContain(
      'Keyrsla 12 : 250 breytingar voru gerðar þar. Samþykkt af: bjarni@felag.example (af síðunni).',
    );
  });

  test('with a wrong number says so at the top, in the title, and where it is typed', () => {
    const look = lookOf(many, holding({ removals: limit(250) }));
    const html = String(lookView(visit(''), { look, wrong: 250, status: 400 }).body);
    expect(html).toMatch(/<title>Þetta tókst ekki: Breytingar/);
    expect(html.indexOf('Talan passar ekki')).toBeLessThan(html.indexOf('<table'));
    expect(html).toMatch(/<input[^>]*name="typed"[^>]*autofocus/);
  });

  test('of new members is that of returning ones as well, and is offered only where there are some', () => {
    const held = { additions: limit(3) };
    const both = lookOf([change('add', 1), change('add', 2), change('reactivate', 3)], {
      result: { held },
    });
    expect(textOf(lookView(visit('tab=add'), { look: both }).body)).toContain(
      'Nýir og þeir sem koma aftur eru samþykktir saman: 1 í viðbót undir „Koma aftur á kjörskrá“.',
    );
    const none = textOf(lookView(visit('tab=remove'), { look: both }).body);
    expect(none).toContain('Engin slík breyting.');
    const added = lookOf([change('add', 1), change('add', 2), change('add', 3)], {
      result: { held },
    });
    const html = String(lookView(visit('tab=reactivate'), { look: added }).body);
    expect(html).not.toMatch(/name="typed"|Bíður samþykkis/);
  });

  test('of an empty register says what that means', () => {
    const held = { removals: { count: 250, limit: 10, reason: 'snapshot_empty' } } as const;
    const html = String(lookView(visit(''), { look: lookOf(many, { result: { held } }) }).body);
    expect(html).toContain('<section class="box bad">');
    expect(html).toContain('enginn úr félagaskránni verður eftir á kjörskránni');
  });

  test('of leavers says whether the register was asked about each', () => {
    const look = lookOf(many.slice(0, 3), holding({ removals: limit(3) }));
    const text = (unconfirmed: string[]) =>
      textOf(lookView(visit(''), { look, unconfirmed: new Set(unconfirmed) }).body);
    expect(text([])).toContain('Félagaskráin hefur ekki verið spurð um hvern og einn.');
    expect(text(['1', '2', '3'])).not.toContain('hefur ekki verið spurð');
    expect(text(['1', '2', '3'])).toContain('Um 3 af þessum hefur félagaskráin þegar verið spurð');
  });
});

test('that nothing changes is not yet that both are the same', () => {
  const none = (result: Look['result']) =>
    textOf(lookView(visit(''), { look: lookOf([], { result }) }).body);
  expect(none({})).toContain('✓ Ekkert breytist: kjörskráin er í samræmi við félagaskrána.');
  const text = none({ error_count: 4, members_suspended: 2 });
  expect(text).not.toContain('er í samræmi við félagaskrána.');
  expect(text).toContain('! Næsta samstilling breytir engu, en kjörskráin er ekki í samræmi');
  expect(text).toContain('2 félagar voru gerðir óvirkir hér');
});

test('rows are in the order of names, and those without one of numbers', () => {
  const people = ['Þór', 'Anna', 'Ösp', 'Ása'].map((name, id) => removal(id, { name }));
  const nameless = [10, 9].map((id) => removal(id, { name: null }));
  const names = changesIn(lookOf([...people, ...nameless]), 'remove').map(
    ({ name, external_id }) => name ?? external_id,
  );
  expect(names).toEqual(['9', '10', 'Anna', 'Ása', 'Þór', 'Ösp']);
});
