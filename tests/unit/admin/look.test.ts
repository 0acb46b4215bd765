import { lookCsv } from '../../../lib/admin/changeTable.tsx';
import { compareLooks, createLooks, type Look } from '../../../lib/admin/look.ts';
import { lookView } from '../../../lib/admin/lookView.tsx';
import { createVisit, type Role } from '../../../lib/admin/visit.ts';
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
  ...more,
});
const lookOf = (changes: PreviewedChange[], more: Partial<Look> = {}): Look => ({
  plan: 'sha256:1',
  at: new Date('2026-11-26T12:00:00Z'),
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
  expect(cautious).toContain('Bíður samþykkis: félagaskráin breyttist á meðan hún var lesin.');
  expect(cautious).not.toContain('name="typed"');
});

test('two looks differ in what came and went, not in the time of the look', () => {
  const later = { after: { is_active: false, removed_at: '2026-11-26T13:00:00Z' } };
  const before = lookOf([removal(1), removal(2)]);
  const now = lookOf([removal(2, later), removal(3)]);
  expect(compareLooks(before, now)).toEqual({ added: [removal(3)], gone: [removal(1)] });
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
