import type { Answer } from '../../lib/http/answer.ts';
import type { RunError } from '../../lib/sync/types.ts';
import { toCsv } from '../logs/csv.ts';
import type { ChangePage, LoggedChange } from '../logs/history.ts';
import type { SyncStatus } from '../status/status.ts';
import { asOf } from './fold.ts';
import { Outcome } from './historyView.tsx';
import { page, securityHeaders } from './layout.tsx';
import { plannedForm } from './memberView.tsx';
import { Act, Errors, MemberLink, Values } from './parts.tsx';
import { callerWords, changeCell, reasonWords } from './phrases.ts';
import type { RunLine } from './reads.ts';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

type Row = Record<string, unknown>;

/** One run: what became of it, whom it changed, and how to take it back. */
export function runView(
  visit: Visit,
  { run, changes, next_before }: ChangePage & { run: Row },
  /** How things are now; not asked where the run leaves nothing open. */
  now?: Pick<SyncStatus, 'held' | 'running'>,
) {
  const { words, format, person } = visit;
  const line = asOf(lineOf(run), now);
  const errors = ((run['details'] ?? {}) as { errors?: RunError[] }).errors ?? [];
  const canUndo = person.role === 'approver' && changes.some(({ undone_by }) => undone_by === null);
  return page(visit, {
    view: 'history',
    title: words.runTitle(line.id),
    children: (
      <>
        <h1>{words.runTitle(line.id)}</h1>
        <p>
          {words.runTypes[line.sync_type] ?? line.sync_type}, {format.moment(line.at)}.{' '}
          {line.caller && words.startedBy(callerWords(visit, line.caller))}
        </p>
        <p>
          <Outcome visit={visit} run={line} />
        </p>
        {line.held && now?.held && (
          <Act visit={visit} act="look">
            <button type="submit" class="main">
              {words.lookNow}
            </button>
          </Act>
        )}
        <Errors visit={visit} errors={errors} />
        <h2>{words.changes}</h2>
        {changes.length === 0 && <p>{words.noChanges}</p>}
        {changes.length > 0 && <Changes visit={visit} changes={changes} run={line.id} />}
        <div class="row">
          {next_before !== null && (
            <a href={visit.link('run', { id: line.id, before: next_before })}>{words.nextPage}</a>
          )}
          {changes.length > 0 && (
            <a href={visit.link('run', { id: line.id, format: 'csv' })}>{words.csv}</a>
          )}
        </div>
        {canUndo && (
          <Act visit={visit} act="lookUndo" values={{ run: line.id }}>
            <button type="submit">{words.undoLook}</button>
          </Act>
        )}
      </>
    ),
  });
}

function lineOf(run: Row): RunLine {
  const details = (run['details'] ?? {}) as Row;
  const number = (value: unknown) => (typeof value === 'number' ? value : 0);
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    id: number(run['id']),
    sync_type: text(run['sync_type']) ?? '',
    at: new Date(String(run['sync_timestamp'])),
    mode: text(run['mode']),
    status: text(run['status']) ?? '',
    added: number(run['members_added']),
    updated: number(run['members_updated']),
    kennitala: number(run['members_kennitala_changed']),
    returned: number(run['members_reactivated']),
    removed: number(run['members_removed']),
    errors: number(run['error_count']),
    caller: text(details['caller']),
    approved_by: text(details['approved_by']),
    undoes: typeof details['undo'] === 'number' ? details['undo'] : null,
    held: (details['held'] as RunLine['held']) ?? null,
    error_code: text(((details['error'] ?? {}) as Row)['code']),
  };
}

interface ChangesProps {
  visit: Visit;
  changes: LoggedChange[];
  run: number;
}

function Changes({ visit, changes, run }: ChangesProps) {
  const { words, person } = visit;
  const { columns } = words;
  const canUndo = ({ undone_by, external_id }: LoggedChange) =>
    person.role === 'approver' && undone_by === null && external_id !== null;
  const canUndoAny = changes.some(canUndo);
  return (
    <table class="stack">
      <caption class="hidden">{words.changes}</caption>
      <thead>
        <tr>
          <th scope="col">{columns.name}</th>
          <th scope="col">{columns.kennitala}</th>
          <th scope="col">{columns.id}</th>
          <th scope="col">{columns.change}</th>
          {canUndoAny && <th scope="col">{columns.action}</th>}
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={change.id}>
            <td data-label={columns.name}>{change.name ?? '–'}</td>
            <td data-label={columns.kennitala} class="mask">
              {change.kennitala ?? '–'}
            </td>
            <td data-label={columns.id}>
              <MemberLink visit={visit} id={change.external_id} />
            </td>
            <td data-label={columns.change}>
              {words.actions[change.action] ?? change.action}
              {change.action === 'remove' && `: ${reasonWords(visit, plannedForm(change))}`}
              {change.undone_by !== null && ` (${words.undoneBy(change.undone_by)})`}
              <Values visit={visit} change={plannedForm(change)} />
            </td>
            {canUndoAny && (
              <td>
                {canUndo(change) && (
                  <Act
                    visit={visit}
                    act="lookUndo"
                    values={{ run, member: change.external_id ?? undefined }}
                  >
                    <button type="submit" class="small">
                      {words.undo}
                      <span class="hidden"> {change.name}</span>
                    </button>
                  </Act>
                )}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The changes of a run as a file. */
export function runCsv(visit: Visit, changes: LoggedChange[], run: number): Answer {
  const { words, language, format } = visit;
  const { when, name, kennitala, id, kind, change, why } = words.columns;
  const body = toCsv(
    [when, name, kennitala, id, kind, change, why],
    changes.map((one) => [
      format.stamp(one.changed_at),
      one.name,
      one.kennitala,
      one.external_id,
      words.actions[one.action] ?? one.action,
      one.action === 'remove' ? '' : changeCell(visit, one),
      capital(reasonWords(visit, plannedForm(one))),
    ]),
    language,
  );
  const disposition = { 'Content-Disposition': `attachment; filename="run-${run}.csv"` };
  return { body, type: 'csv', headers: { ...securityHeaders(visit.secure), ...disposition } };
}
