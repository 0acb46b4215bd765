import type { Answer } from '../../lib/http/answer.ts';
import type { PreviewedChange } from '../../lib/sync/types.ts';
import { toCsv } from '../logs/csv.ts';
import { securityHeaders } from './layout.tsx';
import { changesIn, type Look, tabIn, tabOf } from './look.ts';
import { DjangoLink, MemberLink, Values } from './parts.tsx';
import { changeCell, reasonWords } from './phrases.ts';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

interface TableProps {
  visit: Visit;
  changes: PreviewedChange[];
  caption: string;
  /** Says of a change that it is new in the plan, or no longer in it. */
  mark?: 'new' | 'gone';
}

/** Changes of a plan, a row each. */
export function ChangeTable({ visit, changes, caption, mark }: TableProps) {
  const { columns, heldReasons, isNew, isGone, oneChange } = visit.words;
  const isHeld = changes.some(({ held }) => held);
  return (
    <table class="stack">
      <caption class={mark ? '' : 'hidden'}>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{columns.name}</th>
          <th scope="col">{columns.kennitala}</th>
          <th scope="col">{columns.id}</th>
          <th scope="col">{columns.what}</th>
          {isHeld && <th scope="col">{columns.held}</th>}
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={`${change.action}${change.external_id}${change.kennitala}`}>
            <td data-label={columns.name}>
              {mark && (
                <span class={`mark ${mark}`}>{mark === 'new' ? `+ ${isNew}` : `− ${isGone}`} </span>
              )}
              {change.name ?? '–'}
            </td>
            <td data-label={columns.kennitala} class="mask">
              {change.kennitala}
            </td>
            <td data-label={columns.id}>
              <MemberLink visit={visit} id={change.external_id} />{' '}
              <DjangoLink visit={visit} id={change.external_id} />
            </td>
            <td data-label={columns.what}>
              {mark
                ? `${oneChange[tabOf(change)]}: ${reasonWords(visit, change)}`
                : capital(reasonWords(visit, change))}
              <Values visit={visit} change={change} />
            </td>
            {isHeld && (
              <td data-label={columns.held}>
                {change.held ? (heldReasons[change.held] ?? change.held) : ''}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The changes of one tab as a file. */
export function lookCsv(visit: Visit, look: Look): Answer {
  const { words, language } = visit;
  const tab = tabIn(visit, look);
  const { name, kennitala, id, what, change, held } = words.columns;
  const rows = changesIn(look, tab).map((one) => [
    one.name,
    one.kennitala,
    one.external_id,
    capital(reasonWords(visit, one)),
    one.action === 'remove' ? '' : changeCell(visit, one),
    one.held ? words.heldReasons[one.held] : '',
  ]);
  const body = toCsv([name, kennitala, id, what, change, held], rows, language);
  const disposition = { 'Content-Disposition': `attachment; filename="${tab}.csv"` };
  return { body, type: 'csv', headers: { ...securityHeaders(visit.secure), ...disposition } };
}
