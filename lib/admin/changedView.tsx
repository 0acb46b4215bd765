import type { Answer } from '../http/answer.ts';
import { ChangeTable } from './changeTable.tsx';
import { page } from './layout.tsx';
import { compareLooks, type Look } from './look.ts';
import { undoOf } from './lookView.tsx';
import { Box } from './parts.tsx';
import type { Visit } from './visit.ts';

/** The plan is no longer the one that was approved: what is different now, and nothing else. */
export function changedView(visit: Visit, before: Look, now: Look): Answer {
  const { words } = visit;
  const { added, gone } = compareLooks(before, now);
  return page(visit, {
    view: undoOf(now) === undefined ? 'look' : 'history',
    title: words.lookChanged,
    status: 409,
    children: (
      <>
        <Box kind="warn" heading="h1" title={words.lookChanged}>
          <p>{words.lookChangedWhy}</p>
        </Box>
        {added.length > 0 && (
          <ChangeTable visit={visit} changes={added} caption={words.newSince} mark="new" />
        )}
        {gone.length > 0 && (
          <ChangeTable visit={visit} changes={gone} caption={words.goneSince} mark="gone" />
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
