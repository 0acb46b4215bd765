import type { ChangeClass, PreviewedChange } from '../../lib/sync/types.ts';
import { ChangeTable } from './changeTable.tsx';
import {
  changesIn,
  classOf,
  isShown,
  type Look,
  type Tab,
  tabIn,
  undoOf,
  waitingIn,
} from './look.ts';
import { Box, Confirm, Pager, pageOf } from './parts.tsx';
import type { Visit } from './visit.ts';

/** Rows of one page. */
const ROWS = 100;

interface Props {
  visit: Visit;
  look: Look;
  tab: Tab;
  /** Some of it was made since, so that it can no longer be approved as it is. */
  isOver: boolean;
  /** Django ids of members of whom the register has not confirmed that they left. */
  unconfirmed: ReadonlySet<string>;
}

/** The changes that the page shows of a look. */
export const rowsIn = (visit: Visit, look: Look): PreviewedChange[] =>
  pageOf(visit, changesIn(look, tabIn(visit, look)), ROWS).shown;

/** The changes of a tab, why they wait, and what there is to know before somebody approves them. */
export function Group({ visit, look, tab, isOver, unconfirmed }: Props) {
  const { words } = visit;
  const changes = changesIn(look, tab);
  const held = look.result.held?.[classOf(tab)];
  const waits = held && held.count > 0 && changes.length > 0 && !isOver ? held : undefined;
  const slice = pageOf(visit, changes, ROWS);
  const here = { plan: look.plan, tab };
  const isUndo = undoOf(look) !== undefined;
  if (changes.length === 0) {
    if (look.total === 0) return null;
    return <p>{isShown(look, tab) ? words.noneOfThese : words.notShown}</p>;
  }
  return (
    <section>
      {waits && (
        <Box
          kind={isGrave(waits.reason) ? 'bad' : 'warn'}
          heading="h2"
          title={words.waits(
            words.heldReasons[waits.reason] ?? waits.reason,
            /limit/.test(waits.reason) ? waits.limit : undefined,
          )}
        >
          <Cautions visit={visit} look={look} tab={tab} unconfirmed={unconfirmed} />
          {visit.person.role === 'approver' && (
            <p>
              <a href="#decide">{words.toDecision}</a>
            </p>
          )}
        </Box>
      )}
      {!held && !isUndo && !isOver && <p>{words.willHappen}</p>}
      <Pager
        visit={visit}
        slice={slice}
        link={(number) => visit.link('look', { ...here, page: number })}
      />
      <ChangeTable visit={visit} changes={slice.shown} caption={words.classes[tab]} />
      <p>
        <a href={visit.link('look', { ...here, format: 'csv' })}>{words.csv}</a>
      </p>
    </section>
  );
}

// The register may be broken, and nobody have left.
const isGrave = (reason: string) => /^snapshot_|^unidentified/.test(reason);

function Cautions({ visit, look, tab, unconfirmed }: Omit<Props, 'isOver'>) {
  const { words } = visit;
  const waiting = changesIn(look, tab).filter(({ held }) => held);
  const asked = waiting.filter(({ external_id: id }) => unconfirmed.has(id ?? '')).length;
  const sibling = siblingOf(tab);
  const others = sibling ? changesIn(look, sibling).filter(({ held }) => held).length : 0;
  return (
    <>
      {tab === 'remove' && look.result.held?.removals?.reason === 'snapshot_empty' && (
        <p>
          <strong>{words.emptyRegister(waiting.length)}</strong>
        </p>
      )}
      {asked < waiting.length && waiting.some(isUnasked) && <p>{words.notAskedYet}</p>}
      {asked > 0 && <p>{words.unconfirmedAmong(asked)}</p>}
      {sibling && others > 0 && (
        <p>
          <a href={visit.link('look', { plan: look.plan, tab: sibling })}>
            {words.together(others, words.classes[sibling])}
          </a>
        </p>
      )}
    </>
  );
}

const isUnasked = ({ action, reason }: PreviewedChange) =>
  action === 'remove' && reason === 'not in the list';

// New and returning members are one class.
const siblingOf = (tab: Tab): Tab | undefined =>
  tab === 'add' ? 'reactivate' : tab === 'reactivate' ? 'add' : undefined;

interface DecisionProps {
  visit: Visit;
  look: Look;
  tab: Tab;
  /** The number that another one was typed for. */
  wrong: number | undefined;
}

/** The form that approves. An undo is decided about as a whole; of a run, the class that waits. */
export function Decision({ visit, look, tab, wrong }: DecisionProps) {
  const { words } = visit;
  const { plan, total } = look;
  const common = { visit, wrong: wrong !== undefined };
  if (undoOf(look) !== undefined) {
    if (total === 0) return null;
    if (total > look.changes.length) return <p id="decide">{words.notShown}</p>;
    const [title, values] = [words.undoCount(total), { plan, tab }];
    const what = { act: 'undo', values, count: total, title, button: words.undo };
    return <Confirm {...common} {...what} />;
  }
  const name: ChangeClass = classOf(tab);
  const count = waitingIn(look, name);
  if (count === 0 || changesIn(look, tab).length === 0) return null;
  if (!isShown(look, name)) return <p id="decide">{words.notShown}</p>;
  const values = { plan, class: name, tab };
  const title = words.approveTitle[name](count);
  return (
    <Confirm
      {...common}
      act="approve"
      values={values}
      count={count}
      title={title}
      button={words.approve}
    />
  );
}
