import type { PageFacts } from '../../../functions/admin/reads.ts';
import { statusView, verdictOf } from '../../../functions/admin/statusView.tsx';
import { createVisit } from '../../../functions/admin/visit.ts';
import { listAttention, reasonsNotToOpen } from '../../../functions/status/attention.ts';
import type { SyncStatus } from '../../../functions/status/status.ts';

const quiet: SyncStatus = {
  status: 'ok',
  running: null,
  last_run: null,
  last_success: { sync_timestamp: '2026-11-26T14:00:00Z' },
  next_due_at: '2099-11-26T15:00:00Z',
  consecutive_failures: 0,
  members: { active: 2621, suspended: 1, left: 37, other_sources: 4 },
  notifications: { pending: 2, dead: 0 },
  held: null,
  attention: [],
  election: { may_open: true, reasons: [] },
};
const shown = (
  status: Partial<SyncStatus>,
  lang = 'is',
  role: 'viewer' | 'approver' = 'approver',
  more: Partial<PageFacts> = {},
) => {
  const visit = createVisit({ name: 'a@b.c', role }, new URLSearchParams(`lang=${lang}`), {
    secure: false,
    signOut: true,
    djangoAdminUrl: '',
  });
  const facts = { voters: 2621, read_at: new Date('2026-11-26T14:00:00Z'), ...more };
  const html = String(statusView(visit, { ...quiet, ...status }, facts).body);
  const [, main = ''] = /<main[^>]*>(.*)<\/main>/s.exec(html) ?? [];
  return { main, text: main.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ') };
};

const tally = { count: 3, since: '2026-11-26T13:00:00Z', run_id: 7 };
const every = listAttention({
  taken: { role: 'someone', since: null },
  missingSince: new Date('2026-11-26T13:00:00Z'),
  held: { ...tally, what: '', wayOn: '' },
  undone: tally,
  findings: (
    ['records_set_aside', 'removals_unconfirmed', 'inactive_here', 'changes_refused'] as const
  ).map((code) => ({ code, ...tally })),
  unseen: tally,
  undelivered: tally,
});

const limited = (count: number) => ({ count, limit: 1, reason: 'limit_exceeded' }) as const;

test.each(['is', 'en'])('everything that waits has words and a way on, in %s', (lang) => {
  const held = { run_id: 7, classes: { removals: limited(3) }, plan: null, next_step: '' };
  const readiness = { running: true, failures: 2, fullRunAge: null, notificationsPending: 2 };
  const reasons = reasonsNotToOpen(every, readiness, 60);
  const { main, text } = shown(
    { status: 'attention', attention: every, held, election: { may_open: false, reasons } },
    lang,
  );
  // Neither a code nor a hole.
  expect(text).not.toMatch(/[a-z]_[a-z]|undefined/);
  expect(main).not.toMatch(/<a [^>]*><\/a>|<li>\s*<\/li>/);
  // Every point is a link, but for those that nobody can look at here.
  expect(main.match(/<li>(?=<a )/g)).toHaveLength(every.length - 2);
});

test('60 people would lose and 300 would get their vote', () => {
  const classes = {
    removals: { count: 60, limit: 44, reason: 'limit_exceeded' },
    additions: { count: 300, limit: 262, reason: 'limit_exceeded' },
  } as const;
  const held = { run_id: 7, classes, plan: null, next_step: '' };
  const attention = every.filter(({ code }) => code === 'held');
  const status = { status: 'attention', held, attention } as const;
  expect(shown(status).text).toContain(
    '60 félagar myndu missa kosningarétt og 300 myndu fá kosningarétt. Skoðaðu breytingarnar.',
  );
  expect(shown(status, 'en').text).toContain(
    '60 members would lose their vote and 300 would get their vote. Look at the changes.',
  );
});

test.each([
  { status: 'ok', is: 'Kjörskráin er í samræmi við félagaskrána', sign: '✓' },
  { status: 'running', is: 'Samstilling stendur yfir', sign: '…' },
  { status: 'failing', is: 'Samstilling mistókst', sign: '✕' },
  { status: 'stale', is: 'Of langt er síðan', sign: '✕' },
  { status: 'never_synced', is: 'Kjörskráin hefur aldrei verið borin saman', sign: '✕' },
  { status: 'attention', is: 'Eitthvað þarf að skoða', sign: '!' },
] as const)('$status is a sentence, a colour and a sign', ({ status, is, sign }) => {
  const { text } = shown({ status });
  expect(text).toContain(`${sign} ${is}`);
  // As Icelandic counts what ends in one.
  expect(text).toContain('2.621 má kjósa.');
});

test('progress is said in words', () => {
  const running = { phase: 'fetch', pages_done: 2, pages_total: 5 };
  expect(shown({ status: 'running', running }).text).toContain('Les félagaskrána, síða 2 af 5.');
});

test('what is due is in the future, and what was due in the past', () => {
  expect(shown({}).text).toContain('Næsta samstilling er væntanleg 26. nóv. 2099 kl. 15:00.');
  expect(shown({ next_due_at: '2026-01-01T15:00:00Z' }).text).toContain(
    'Samstilling átti að hefjast 1. jan. 2026 kl. 15:00.',
  );
});

test('a viewer looks and starts nothing', () => {
  expect(shown({}).main.match(/do=\w+/g)).toEqual(['do=look', 'do=run', 'do=full']);
  expect(shown({}, 'is', 'viewer').main.match(/do=\w+/g)).toEqual(['do=look']);
});

test('everybody who may vote is counted, as elections count them, and where they come from', () => {
  const both = { ...quiet.members, active: 80 };
  const { text } = shown({ members: both }, 'is', 'approver', { voters: 82 });
  expect(text).toContain('82 mega kjósa. Þar af 80 úr félagaskránni og 2 úr öðrum kerfum.');
  expect(text).toMatch(/Mega kjósa 82 Þar af úr félagaskrá 80 Þar af úr öðrum kerfum 2/);
  expect(shown({}).text).not.toContain('öðrum kerfum');
});

test('it says of when it is, and hides until it is old that it is', () => {
  const { main, text } = shown({});
  expect(text).toMatch(/Staðan \d+\. \S+ \d{4} kl\. \d\d:\d\d\. Uppfæra/);
  expect(main).toMatch(/<section class="box bad" data-old[^>]* hidden/);
});

const only = (...codes: string[]) => every.filter(({ code }) => codes.includes(code));
const holding = (count: number, reason: 'limit_exceeded' | 'snapshot_incomplete') => ({
  held: {
    run_id: 7,
    classes: { removals: { count, limit: 1, reason } },
    plan: null,
    next_step: '',
  },
});

test.each([
  {
    name: 'changes held overnight, while runs go on',
    status: { status: 'stale', attention: only('held'), ...holding(9, 'limit_exceeded') },
    verdict: 'held',
  },
  {
    name: 'a first load that waits',
    status: { status: 'never_synced', attention: only('held'), ...holding(9, 'limit_exceeded') },
    verdict: 'held',
  },
  {
    name: 'changes held, and no run since',
    status: {
      status: 'stale',
      attention: only('run_missing', 'held'),
      ...holding(9, 'limit_exceeded'),
    },
    verdict: 'stale',
  },
  {
    name: 'a list that could not be read whole',
    status: { status: 'attention', attention: only('held'), ...holding(0, 'snapshot_incomplete') },
    verdict: 'unread',
  },
  {
    name: 'too many records that are of no use',
    status: { status: 'stale', attention: only('records_set_aside') },
    verdict: 'attention',
  },
  {
    name: 'a change that was taken back',
    status: { status: 'attention', attention: only('undone') },
    verdict: 'undone',
  },
  {
    name: 'a foreign lock',
    status: { status: 'stale', attention: only('lock_held', 'held') },
    verdict: 'blocked',
  },
  { name: 'no run at all', status: { status: 'stale', attention: [] }, verdict: 'stale' },
] as const)('the headline of $name is what a person has to do', ({ status, verdict }) => {
  expect(verdictOf({ ...quiet, ...status, attention: [...status.attention] })).toBe(verdict);
});

test('where nothing can be approved nobody is asked to approve', () => {
  const reasons = [{ code: 'held', message: '' } as const];
  const { text } = shown({
    status: 'attention',
    attention: only('held'),
    election: { may_open: false, reasons },
    ...holding(0, 'snapshot_incomplete'),
  });
  expect(text).toContain('! Ekki tókst að lesa alla félagaskrána');
  expect(text).toContain('Gerðu fulla samstillingu.');
  expect(text).not.toMatch(/bíður eftir samþykki|samþykktu/);
});

test('a run that was started is said to have begun until it has ended', () => {
  const started = Date.now() - 5_000;
  const at = (ms: number) => ({ sync_timestamp: new Date(ms).toISOString() });
  const text = (last: number) => shown({ last_run: at(last) }, `is&started=${started}`).text;
  expect(text(started - 60_000)).toContain('Samstillingin er farin af stað.');
  expect(text(started + 1_000)).not.toContain('Samstillingin er farin af stað.');
});
