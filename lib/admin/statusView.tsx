import type { Answer } from '../http/answer.ts';
import { listedCodes } from '../sync/parameters.ts';
import type { SyncStatus } from '../sync/status.ts';
import { page } from './layout.tsx';
import { Act, Box } from './parts.tsx';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

/** Seconds until the page looks again, while a run goes on and otherwise. */
const [BUSY, IDLE] = [2, 60];
/** How long a run is one that was started just now, in ms. */
const STARTING_MS = 20_000;

/** The first page: does the voters' table agree with the register, and may an election open. */
export function statusView(visit: Visit, status: SyncStatus): Answer {
  const { words, query } = visit;
  // A run that was started just now may not have begun yet, or may be over already.
  const isStarted = Date.now() - Number(query.get('started')) < STARTING_MS;
  const live = status.status === 'running' || isStarted ? BUSY : IDLE;
  return page(visit, {
    view: 'status',
    title: words.views.status,
    children: (
      <div data-live={live}>
        {isStarted && status.status !== 'running' && <p role="status">{words.started}</p>}
        <Verdict visit={visit} status={status} />
        <Election visit={visit} status={status} />
        <Figures visit={visit} status={status} />
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
      </div>
    ),
  });
}

interface Props {
  visit: Visit;
  status: SyncStatus;
}

const kinds = {
  ok: 'good',
  held: 'warn',
  attention: 'warn',
  running: 'plain',
  failing: 'bad',
  stale: 'bad',
  never_synced: 'bad',
} as const;

function Verdict({ visit, status }: Props) {
  const { words } = visit;
  const isHeld = status.status === 'attention' && status.attention[0]?.code === 'held';
  const verdict = isHeld ? 'held' : status.status;
  const { last_success: last, next_due_at: next, attention } = status;
  return (
    <Box kind={kinds[verdict]} heading="h1" title={words.verdict[verdict]}>
      {status.running && <Progress visit={visit} running={status.running} />}
      {verdict === 'failing' && <Failure visit={visit} status={status} />}
      {status.held && <Outlook visit={visit} held={status.held} />}
      <p>
        {last && words.compared(when(visit, String(last['sync_timestamp'])))}{' '}
        {words.mayVote(status.members.active)} {next && expected(visit, next)}
      </p>
      {attention.length > 0 && (
        <ul>
          {attention.map(({ code, count, since, run_id }) => (
            <li key={code}>
              <Way to={way(visit, code, run_id)}>
                {capital(words.reasons[code]?.(count) ?? code)}
              </Way>
              {since && (
                <span class="soft">
                  {' '}
                  {(code === 'unseen_members' ? words.lastSeen : words.since)(when(visit, since))}
                </span>
              )}
              . {words.todo[code]}
            </li>
          ))}
        </ul>
      )}
    </Box>
  );
}

// Where something that waits can be looked at; undefined where that is not on this page.
function way({ link }: Visit, code: string, run: number | null): string | undefined {
  if (listedCodes.some((one) => one === code)) return `${link('waiting')}#${code}`;
  if (run !== null) return link('run', { id: run });
  return code === 'undone' || code === 'notifications_dead' ? link('history') : undefined;
}

const Way = ({ to, children }: { to: string | undefined; children: string }) =>
  to === undefined ? children : <a href={to}>{children}</a>;

const expected = (visit: Visit, at: string): string =>
  (Date.parse(at) < Date.now() ? visit.words.overdue : visit.words.next)(when(visit, at));

/** Today at 14:00, or the day and the time. */
function when({ words, format }: Visit, at: string): string {
  const today = format.day(new Date()) === format.day(at);
  return today ? words.today(format.time(at)) : words.at(format.day(at), format.time(at));
}

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

function Failure({ visit: { words }, status }: Props) {
  const details = status.last_run?.['details'] as { error?: { code: string } } | null | undefined;
  const code = details?.error?.code ?? '';
  return (
    <p>
      {words.errors[code]} {words.failed(status.consecutive_failures)}
    </p>
  );
}

function Election({ visit: { words }, status: { election, attention, notifications } }: Props) {
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
            <li key={code}>{words.reasons[code]?.(countOf(code)) ?? code}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Figures({ visit: { words, format }, status }: Props) {
  const { active, suspended, left, other_sources } = status.members;
  const pending = status.notifications.pending;
  const figures = { active, suspended, left, other_sources, pending };
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
