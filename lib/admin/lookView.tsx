import type { Answer } from '../http/answer.ts';
import type { PreviewedChange } from '../sync/types.ts';
import { ChangeTable } from './changeTable.tsx';
import { page } from './layout.tsx';
import { classOf, type Look, type Tab, tabOf, tabs, waitingIn } from './look.ts';
import { Act, Box, Confirm, Errors, Pager, pageOf } from './parts.tsx';
import type { Visit } from './visit.ts';

/** Rows of one page. */
const ROWS = 100;

interface Options {
  look?: Look | undefined;
  /** What was posted went wrong, in words. */
  problem?: string | undefined;
  /** The number that was typed was another. */
  wrong?: boolean;
  status?: number;
}

/** What the next run, or taking back a run, would change: a tab a class, with the approval of the class. */
export function lookView(visit: Visit, { look, problem, wrong = false, status }: Options): Answer {
  const { words, query, format } = visit;
  const undo = look && undoOf(look);
  const title = undo === undefined ? words.views.look : undoTitle(visit, look as Look, undo);
  const lookedAt = undo === undefined ? words.lookedAt : words.undoLookedAt;
  return page(visit, {
    view: undo === undefined ? 'look' : 'history',
    title,
    ...(status === undefined ? {} : { status }),
    children: (
      <>
        <h1>{title}</h1>
        <p>{undo === undefined ? words.lookIntro : words.undoIntro}</p>
        {problem && <Box kind="bad" heading="h2" title={problem} />}
        {!look && query.has('plan') && <p role="alert">{words.lookGone}</p>}
        {look && <p>{lookedAt(words.at(format.day(look.at), format.time(look.at)))}</p>}
        {undo === undefined && (
          <div class="row">
            <Act visit={visit} act="look">
              <button type="submit" class={look ? '' : 'main'}>
                {look ? words.lookAgain : words.lookNow}
              </button>
            </Act>
          </div>
        )}
        {look && <Tabs visit={visit} look={look} wrong={wrong} />}
      </>
    ),
  });
}

function undoTitle({ words }: Visit, { asked }: Look, undo: number): string {
  return 'external_ids' in asked ? words.undoOneTitle(undo) : words.undoTitle(undo);
}

/** The run that a look would take back. */
export const undoOf = ({ asked }: Look): number | undefined => (asked as { undo?: number }).undo;

function Tabs({ visit, look, wrong }: { visit: Visit; look: Look; wrong: boolean }) {
  const { words, query, format } = visit;
  const groups = new Map(tabs.map((tab) => [tab, [] as PreviewedChange[]]));
  for (const change of look.changes) groups.get(tabOf(change))?.push(change);
  const given = tabs.find((tab) => tab === query.get('tab'));
  const current = given ?? tabs.find((tab) => groups.get(tab)?.length) ?? 'remove';
  const changes = groups.get(current) ?? [];
  const { held = {}, error_count: errors = 0 } = look.result;
  const isUndo = undoOf(look) !== undefined;
  return (
    <>
      {errors > 0 && (
        <details>
          <summary>{isUndo ? words.conflicts(errors) : words.unusable(errors)}</summary>
          <Errors visit={visit} errors={look.result.errors ?? []} />
        </details>
      )}
      {look.total > look.changes.length && <p>{words.tooMany(look.changes.length, look.total)}</p>}
      {look.total === 0 && Object.keys(held).length === 0 && (
        <Box kind="good" heading="h2" title={isUndo ? words.undoNone : words.lookNone} />
      )}
      <nav aria-label={words.columns.kind}>
        <ul class="tabs">
          {tabs.map((tab) => (
            <li key={tab}>
              <a
                href={visit.link('look', { plan: look.plan, tab })}
                aria-current={tab === current ? 'true' : undefined}
              >
                {words.classes[tab]} ({format.number(groups.get(tab)?.length ?? 0)})
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Group visit={visit} look={look} tab={current} changes={changes} />
      {visit.person.role === 'approver' && (
        <Decision visit={visit} look={look} tab={current} wrong={wrong} />
      )}
      {visit.person.role === 'viewer' && <p class="soft">{words.onlyApprovers}</p>}
    </>
  );
}

interface GroupProps {
  visit: Visit;
  look: Look;
  tab: Tab;
  changes: PreviewedChange[];
}

function Group({ visit, look, tab, changes }: GroupProps) {
  const { words } = visit;
  const held = look.result.held?.[classOf(tab)];
  const slice = pageOf(visit, changes, ROWS);
  const here = { plan: look.plan, tab };
  const canDecide = visit.person.role === 'approver' && waitingIn(look, classOf(tab)) > 0;
  return (
    <section>
      {held && (
        <Box
          kind="warn"
          heading="h2"
          title={words.waits(
            words.heldReasons[held.reason] ?? held.reason,
            /limit/.test(held.reason) ? held.limit : undefined,
          )}
        >
          {canDecide && (
            <p>
              <a href="#decide">{words.toDecision}</a>
            </p>
          )}
        </Box>
      )}
      {changes.length === 0 && look.total > 0 && <p>{words.noneOfThese}</p>}
      {!held && changes.length > 0 && undoOf(look) === undefined && <p>{words.willHappen}</p>}
      {changes.length > 0 && (
        <>
          <Pager
            visit={visit}
            slice={slice}
            link={(number) => visit.link('look', { ...here, page: number })}
          />
          <ChangeTable visit={visit} changes={slice.shown} caption={words.classes[tab]} />
          <p>
            <a href={visit.link('look', { ...here, format: 'csv' })}>{words.csv}</a>
          </p>
        </>
      )}
    </section>
  );
}

interface DecisionProps {
  visit: Visit;
  look: Look;
  tab: Tab;
  wrong: boolean;
}

// An undo is decided about as a whole; of a run, the class that waits.
function Decision({ visit, look, tab, wrong }: DecisionProps) {
  const { words } = visit;
  const { plan } = look;
  const undo = undoOf(look);
  if (undo !== undefined) {
    if (look.total === 0) return null;
    const title = words.undoCount(look.total);
    const values = { plan, tab };
    return (
      <Confirm
        visit={visit}
        act="undo"
        values={values}
        count={look.total}
        title={title}
        button={words.undo}
        wrong={wrong}
      />
    );
  }
  const name = classOf(tab);
  const count = waitingIn(look, name);
  if (count === 0) return null;
  return (
    <Confirm
      visit={visit}
      act="approve"
      values={{ plan, class: name, tab }}
      count={count}
      title={words.approveTitle[name](count)}
      button={words.approve}
      wrong={wrong}
    />
  );
}
