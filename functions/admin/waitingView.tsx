import type { Answer } from '../../lib/http/answer.ts';
import { listedCodes } from '../status/schema.ts';
import type { SyncStatus } from '../status/status.ts';
import type { WaitingList } from '../status/waiting.ts';
import { AttentionBox } from './attentionList.tsx';
import { page } from './layout.tsx';
import { DjangoLink, MemberLink } from './parts.tsx';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

type Names = Map<string, { name: string; kennitala: string }>;

/** Members who wait for a person, and those suspended by hand: who, since when, why, and what to do. */
export function waitingView(
  visit: Visit,
  lists: WaitingList[],
  names: Names,
  { attention, held }: Pick<SyncStatus, 'attention' | 'held'>,
): Answer {
  const { words } = visit;
  // What names members is listed below.
  const others = attention.filter(({ code }) => !listedCodes.some((listed) => listed === code));
  const shown = lists.filter(({ members }) => members.length > 0);
  return page(visit, {
    view: 'waiting',
    title: words.views.waiting,
    children: (
      <>
        <h1>{words.views.waiting}</h1>
        <AttentionBox visit={visit} attention={others} held={held} />
        {shown.length === 0 && attention.length === 0 && <p>✓ {words.nothingWaits}</p>}
        {shown.map((list) => (
          <List key={list.code} visit={visit} list={list} names={names} />
        ))}
      </>
    ),
  });
}

interface ListProps {
  visit: Visit;
  list: WaitingList;
  names: Names;
}

function List({ visit, list: { code, members, next }, names }: ListProps) {
  const { words, format } = visit;
  const { columns } = words;
  // Nobody records when a row was made inactive by hand: a run finds it.
  const labels: Record<string, string> = {
    suspended: columns.noticed,
    unseen_members: columns.seen,
  };
  const sinceLabel = labels[code] ?? columns.since;
  return (
    <section id={code}>
      <h2>{words.waitingTitles[code] ?? code}</h2>
      <p>{words.todo[code]}</p>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">{columns.name}</th>
            <th scope="col">{columns.kennitala}</th>
            <th scope="col">{columns.id}</th>
            <th scope="col">{columns.why}</th>
            <th scope="col">{sinceLabel}</th>
          </tr>
        </thead>
        <tbody>
          {members.map(({ external_id, since, run_id, error_code, message, records }) => {
            const known = names.get(external_id ?? '');
            const why = error_code ? (words.recordErrors[error_code] ?? message) : words.why[code];
            return (
              <tr key={`${external_id}${run_id}`}>
                <td data-label={columns.name}>
                  {external_id === null && error_code !== null
                    ? words.nameless(records)
                    : (known?.name ?? '–')}
                </td>
                <td data-label={columns.kennitala} class="mask">
                  {known?.kennitala ?? ''}
                </td>
                <td data-label={columns.id}>
                  <MemberLink visit={visit} id={external_id} />{' '}
                  <DjangoLink visit={visit} id={external_id} />
                </td>
                <td data-label={columns.why}>
                  {capital(why ?? '')}. {words.todoOf[error_code ?? ''] ?? ''}{' '}
                  {run_id !== null && (
                    <a href={visit.link('run', { id: run_id })}>{words.runTitle(run_id)}</a>
                  )}
                </td>
                <td data-label={sinceLabel}>{since ? format.moment(since) : '–'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {next !== null && (
        <p>
          <a href={visit.link('waiting', { list: code, skip: next })}>{words.more}</a>
        </p>
      )}
    </section>
  );
}
