import type { Answer } from '../../lib/http/answer.ts';
import type { SyncStatus } from '../status/status.ts';
import { AttentionList, isUnread, reasonWords, when } from './attentionList.tsx';
import { page } from './layout.tsx';
import { Act, Box } from './parts.tsx';
import type { PageFacts } from './reads.ts';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

/** Seconds until the page looks again, while a run goes on and otherwise. */
const [BUSY, IDLE] = [2, 60];
/** How long a run is one that was started just now, in ms. */
const STARTING_MS = 20_000;

interface Props {
  visit: Visit;
  status: SyncStatus;
  facts: PageFacts;
}

/** The first page: does the voters' table agree with the register, and may an election open. */
export function statusView(visit: Visit, status: SyncStatus, facts: PageFacts): Answer {
  const { words, format } = visit;
  const isStarted = isStarting(visit, status);
  const isRunning = status.status === 'running';
  const now = new Date();
  const props = { visit, status, facts };
  return page(visit, {
    view: 'status',
    title: words.views.status,
    children: (
      <>
        <p class="soft">
          <span data-time>{words.asOf(words.at(format.day(now), format.time(now)))}</span>{' '}
          <a href={visit.link('status')}>{words.refresh}</a>
        </p>
        {(isRunning || isStarted) && (
          <noscript>
            <p>{words.refreshYourself}</p>
          </noscript>
        )}
        <section class="box bad" data-old tabIndex={-1} hidden role="alert">
          <h1>
            <span class="sign" aria-hidden="true">
              ✕
            </span>
            {words.notKnown}
          </h1>
          <p>{words.notKnownWhy}</p>
        </section>
        <div data-live={isRunning || isStarted ? BUSY : IDLE}>
          {isStarted && <p role="status">{words.started}</p>}
          <Verdict {...props} />
          <Election {...props} />
          <Figures {...props} />
        </div>
        <div class="row">
          <Act visit={visit} act="look">
            <button type="submit" class="main">
              {words.lookNow}
            </button>
          </Act>
          {visit.person.role === 'approver' && (
            <>
              <Act visit={visit} act="run">
                <button type="submit">{words.syncNow}</button>
              </Act>
              <Act visit={visit} act="full">
                <button type="submit">{words.fullNow}</button>
              </Act>
            </>
          )}
        </div>
      </>
    ),
  });
}

// A run that was started just now may not have begun yet. One that has ended since says so itself.
function isStarting({ query }: Visit, { status, last_run: last }: SyncStatus): boolean {
  const started = Number(query.get('started'));
  if (status === 'running' || Date.now() - started >= STARTING_MS) return false;
  return !(last && Date.parse(String(last['sync_timestamp'])) >= started);
}

const kinds = {
  ok: 'good',
  held: 'warn',
  unread: 'warn',
  undone: 'warn',
  attention: 'warn',
  running: 'plain',
  blocked: 'bad',
  failing: 'bad',
  stale: 'bad',
  never_synced: 'bad',
} as const;

/** What the first page says above all: what a person has to do goes before what follows from it; pure. */
export function verdictOf({ status, attention, held }: SyncStatus): keyof typeof kinds {
  if (status === 'ok' || status === 'running' || status === 'failing') return status;
  const has = (code: string) => attention.some((point) => point.code === code);
  if (has('lock_held')) return 'blocked';
  const isHeld = has('held');
  // A run that holds something is no complete one, although it has read the register.
  const isRead =
    !has('run_missing') && (status === 'attention' || isHeld || has('records_set_aside'));
  if (!isRead && status !== 'attention') return status;
  if (isHeld) return isUnread(held) ? 'unread' : 'held';
  return has('undone') ? 'undone' : 'attention';
}

function Verdict({ visit, status, facts }: Props) {
  const { words } = visit;
  const verdict = verdictOf(status);
  const { next_due_at: next, attention, members, held } = status;
  const others = facts.voters - members.active;
  return (
    <Box kind={kinds[verdict]} heading="h1" title={words.verdict[verdict]}>
      {status.running && <Progress visit={visit} running={status.running} />}
      {verdict === 'failing' && <Failure visit={visit} status={status} />}
      {held && !isUnread(held) && <Outlook visit={visit} held={held} />}
      <p>
        {facts.read_at && words.compared(when(visit, facts.read_at))} {words.mayVote(facts.voters)}{' '}
        {others > 0 && words.fromElsewhere(members.active, others)} {next && expected(visit, next)}
      </p>
      {attention.length > 0 && <AttentionList visit={visit} attention={attention} held={held} />}
    </Box>
  );
}

const expected = (visit: Visit, at: string): string =>
  (Date.parse(at) < Date.now() ? visit.words.overdue : visit.words.next)(when(visit, at));

function Outlook({
  visit: { words },
  held,
}: {
  visit: Visit;
  held: NonNullable<SyncStatus['held']>;
}) {
  const { removals, additions, updates, kennitala_changes: kennitalas } = held.classes;
  const parts = [
    removals && (removals.count > 0 ? words.wouldLose(removals.count) : words.wouldHold),
    additions && words.wouldGain(additions.count),
    kennitalas && words.wouldGetKennitala(kennitalas.count),
    updates && words.wouldChange(updates.count),
  ].filter((part) => part !== undefined);
  const sentence = parts.join(words.and);
  return (
    <p>
      <strong>
        {capital(sentence)}. {words.lookAtThem}
      </strong>
    </p>
  );
}

function Progress({ visit, running }: { visit: Visit; running: Record<string, unknown> }) {
  const { words } = visit;
  const [done, total] = [Number(running['pages_done']), running['pages_total'] as number | null];
  const phase = String(running['phase']);
  const sentence = words.phases[phase] ?? phase;
  const pages = done > 0 ? `, ${words.page(done, total)}` : '';
  return (
    <>
      <p>
        {capital(sentence)}
        {pages}.
      </p>
      <progress
        aria-label={words.verdict.running}
        {...(total && done > 0 ? { value: done, max: total } : {})}
      />
    </>
  );
}

function Failure({ visit: { words }, status }: Omit<Props, 'facts'>) {
  const details = status.last_run?.['details'] as { error?: { code: string } } | null | undefined;
  const code = details?.error?.code ?? '';
  return (
    <p>
      {words.errors[code]} {words.failed(status.consecutive_failures)}
    </p>
  );
}

function Election({ visit, status: { election, attention, notifications, held } }: Props) {
  const { words } = visit;
  const countOf = (code: string) =>
    attention.find((item) => item.code === code)?.count ?? notifications.pending;
  return (
    <section class={`box ${election.may_open ? 'good' : 'bad'}`}>
      <h2>{words.electionQuestion}</h2>
      <p>
        <span class="sign" aria-hidden="true">
          {election.may_open ? '✓' : '✕'}
        </span>
        <strong>{election.may_open ? words.electionYes : words.electionNo}</strong>
      </p>
      {!election.may_open && (
        <ul>
          {election.reasons.map(({ code }) => (
            <li key={code}>{reasonWords(visit, { code, count: countOf(code) }, held)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Figures({ visit: { words, format }, status, facts: { voters } }: Props) {
  const { active, suspended, left } = status.members;
  const { pending } = status.notifications;
  const elsewhere = voters > active ? { register: active, other_sources: voters - active } : {};
  const figures: Partial<Record<keyof typeof words.figures, number>> = {
    active: voters,
    ...elsewhere,
    suspended,
    left,
    pending,
  };
  return (
    <dl class="figures">
      {Object.entries(figures).map(([name, value]) => (
        <div key={name}>
          <dt>{words.figures[name as keyof typeof figures]}</dt>
          <dd>{format.number(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
