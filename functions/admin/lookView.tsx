import type { Answer } from '../../lib/http/answer.ts';
import { DoneRuns } from './changedView.tsx';
import { Decision, Group } from './decisionView.tsx';
import { page } from './layout.tsx';
import { type Done, isShown, type Look, tabIn, tabOf, tabs, undoOf } from './look.ts';
import { Act, Box, Errors } from './parts.tsx';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

interface Options {
  look?: Look | undefined;
  /** Runs that have made some of it since. */
  done?: Done[];
  /** Django ids of members of whom the register has not confirmed that they left. */
  unconfirmed?: ReadonlySet<string>;
  /** What was posted went wrong, in words. */
  problem?: string | undefined;
  /** Another number was typed than this. */
  wrong?: number | undefined;
  status?: number;
}

/** What differs from the register, or what taking back a run would change: a tab a class, with its approval. */
export function lookView(visit: Visit, options: Options): Answer {
  const { look, done = [], problem, wrong, status } = options;
  const { words, query, format } = visit;
  const undo = look && undoOf(look);
  const title = undo === undefined ? words.views.look : undoTitle(visit, look as Look, undo);
  const lookedAt = undo === undefined ? words.lookedAt : words.undoLookedAt;
  const waiting = look?.changes.filter(({ held }) => held).length || look?.changes.length;
  const allDone = done.reduce((sum, { count }) => sum + count, 0) === waiting;
  const wentWrong = problem ?? (wrong === undefined ? undefined : words.wrongNumber(wrong));
  return page(visit, {
    view: undo === undefined ? 'look' : 'history',
    title: wentWrong === undefined ? title : `${words.problem}: ${title}`,
    ...(status === undefined ? {} : { status }),
    children: (
      <>
        <h1>{title}</h1>
        {wentWrong && <Box kind="bad" heading="h2" title={wentWrong} />}
        <p>{undo === undefined ? words.lookIntro : words.undoIntro}</p>
        {!look && query.has('plan') && !problem && <p role="alert">{words.lookGone}</p>}
        {look && <p>{lookedAt(words.at(format.day(look.at), format.time(look.at)))}</p>}
        {done.length > 0 && (
          <Box kind="warn" heading="h2" title={allDone ? words.lookDone : words.lookDoneSome}>
            <DoneRuns visit={visit} done={done} />
            <p>{words.lookDoneWhy}</p>
          </Box>
        )}
        {undo === undefined && (
          <div class="row">
            <Act visit={visit} act="look">
              <button type="submit" class={look ? '' : 'main'}>
                {look ? words.lookAgain : words.lookNow}
              </button>
            </Act>
          </div>
        )}
        {look && <Shown visit={visit} look={look} options={options} />}
      </>
    ),
  });
}

function undoTitle({ words }: Visit, { asked }: Look, undo: number): string {
  return 'external_ids' in asked ? words.undoOneTitle(undo) : words.undoTitle(undo);
}

interface ShownProps {
  visit: Visit;
  look: Look;
  options: Options;
}

function Shown({ visit, look, options }: ShownProps) {
  const { done = [], unconfirmed = new Set(), wrong } = options;
  const { words, format } = visit;
  const counts = new Map(tabs.map((tab) => [tab, 0]));
  for (const change of look.changes) {
    counts.set(tabOf(change), (counts.get(tabOf(change)) ?? 0) + 1);
  }
  const current = tabIn(visit, look);
  const { error_count: errors = 0 } = look.result;
  const isUndo = undoOf(look) !== undefined;
  const isOver = done.length > 0;
  return (
    <>
      {errors > 0 && (
        <details>
          <summary>{isUndo ? words.conflicts(errors) : words.unusable(errors)}</summary>
          <Errors visit={visit} errors={look.result.errors ?? []} />
        </details>
      )}
      {look.total > look.changes.length && <p>{words.tooMany(look.changes.length, look.total)}</p>}
      <Unread visit={visit} look={look} />
      {look.total === 0 && <Nothing visit={visit} look={look} />}
      <nav aria-label={words.columns.kind}>
        <ul class="tabs">
          {tabs.map((tab) => (
            <li key={tab}>
              <a
                href={visit.link('look', { plan: look.plan, tab })}
                aria-current={tab === current ? 'true' : undefined}
              >
                {words.classes[tab]} ({format.number(counts.get(tab) ?? 0)}
                {isShown(look, tab) ? '' : '+'})
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Group visit={visit} look={look} tab={current} isOver={isOver} unconfirmed={unconfirmed} />
      {visit.person.role === 'approver' && !isOver && (
        <Decision visit={visit} look={look} tab={current} wrong={wrong} />
      )}
      {visit.person.role === 'viewer' && <p class="soft">{words.onlyApprovers}</p>}
    </>
  );
}

// The list could not be read whole, and nothing that could be approved would help.
function Unread({ visit: { words }, look: { result } }: Omit<ShownProps, 'options'>) {
  const removals = result.held?.removals;
  if (!removals || removals.count > 0) return null;
  return (
    <Box kind="warn" heading="h2" title={capital(words.wouldHold)}>
      <p>
        {words.becauseOf(words.heldReasons[removals.reason] ?? removals.reason)}{' '}
        {words.todo['unread']}
      </p>
    </Box>
  );
}

// That nothing changes does not yet mean that both are the same.
function Nothing({ visit, look }: Omit<ShownProps, 'options'>) {
  const { words } = visit;
  const { held = {}, error_count: errors = 0, members_suspended: suspended = 0 } = look.result;
  if (undoOf(look) !== undefined) return <Box kind="good" heading="h2" title={words.undoNone} />;
  if (Object.keys(held).length > 0) return null;
  if (errors === 0 && suspended === 0) {
    return <Box kind="good" heading="h2" title={words.lookNone} />;
  }
  return (
    <Box kind="warn" heading="h2" title={words.lookNoneBut}>
      <ul>
        {errors > 0 && <li>{words.unusable(errors)}</li>}
        {suspended > 0 && (
          <li>
            <a href={`${visit.link('waiting')}#suspended`}>{words.suspendedHere(suspended)}</a>
          </li>
        )}
      </ul>
    </Box>
  );
}
