import type { Answer } from '../../lib/http/answer.ts';
import { ChangeTable } from './changeTable.tsx';
import { page } from './layout.tsx';
import {
  type compareLooks,
  type Done,
  doneIn,
  type Look,
  type Made,
  madeKey,
  undoOf,
} from './look.ts';
import { Box } from './parts.tsx';
import { callerWords } from './phrases.ts';
import type { Visit } from './visit.ts';

/** The plan is no longer the one that was approved: what is different now, why, and nothing else. */
export function changedView(
  visit: Visit,
  now: Look,
  { added, gone }: ReturnType<typeof compareLooks>,
  made: Made,
): Answer {
  const { words } = visit;
  const done = doneIn(gone, made);
  const left = gone.filter((change) => !made.has(madeKey(change)));
  // Somebody has approved the same meanwhile, or oneself has: the register is as it was.
  const isDone = done.length > 0 && added.length + left.length === 0;
  const title = isDone ? words.lookDone : words.lookChanged;
  return page(visit, {
    view: undoOf(now) === undefined ? 'look' : 'history',
    title,
    status: 409,
    children: (
      <>
        <Box kind="warn" heading="h1" title={title}>
          <DoneRuns visit={visit} done={done} />
          <p>{isDone ? words.lookDoneWhy : words.lookChangedWhy}</p>
        </Box>
        {added.length > 0 && (
          <ChangeTable visit={visit} changes={added} caption={words.newSince} mark="new" />
        )}
        {left.length > 0 && (
          <ChangeTable visit={visit} changes={left} caption={words.goneSince} mark="gone" />
        )}
        <p>
          <a class="button" href={visit.link('look', { plan: now.plan })}>
            {words.showAll}
          </a>
        </p>
      </>
    ),
  });
}

/** The runs that have made what was looked at, and who approved them. */
export const DoneRuns = ({ visit, done }: { visit: Visit; done: Done[] }) => (
  <>
    {done.map(({ run_id, approved_by, count }) => (
      <p key={run_id}>
        <a href={visit.link('run', { id: run_id })}>{visit.words.runTitle(run_id)}</a>:{' '}
        {visit.words.madeThere(count)}
        {approved_by !== null && ` ${visit.words.approvedBy(callerWords(visit, approved_by))}`}
      </p>
    ))}
  </>
);
