import type { Answer } from '../../lib/http/answer.ts';
import { toCsv } from '../logs/csv.ts';
import { Chart, ChartTable } from './chart.tsx';
import { changed, changesOf, foldRuns, isSingle, type Line } from './fold.ts';
import { page, securityHeaders } from './layout.tsx';
import { Pager, pageOf } from './parts.tsx';
import { callerWords } from './phrases.ts';
import { type DayLine, MOST_RUNS, type RunLine } from './reads.ts';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

interface Props {
  visit: Visit;
  /** YYYY-MM */
  month: string;
  runs: RunLine[];
  days: DayLine[];
  /** Where the runs of an earlier part of a long month begin. */
  before?: number | undefined;
}

/** What happened in a month: a chart, and a line a run. */
export function historyView({ visit, month, runs, days, before }: Props): Answer {
  const { words } = visit;
  const oldest = runs.length >= MOST_RUNS ? runs.at(-1)?.id : undefined;
  return page(visit, {
    view: 'history',
    title: words.views.history,
    children: (
      <>
        <h1>{words.views.history}</h1>
        <form method="get">
          <input type="hidden" name="view" value="history" />
          {visit.language === 'en' && <input type="hidden" name="lang" value="en" />}
          <div class="row">
            <div>
              <label for="month">{words.month}</label>
              <select id="month" name="month">
                {recentMonths(month).map((one) => (
                  <option key={one} value={one} selected={one === month}>
                    {visit.format.month(one)}
                  </option>
                ))}
              </select>
            </div>
            <button type="submit">{words.show}</button>
          </div>
        </form>
        <h2>{words.chart}</h2>
        <Chart visit={visit} days={days} />
        <ChartTable visit={visit} days={days} />
        <h2>{capital(visit.format.month(month))}</h2>
        {runs.length === 0 && <p>{words.noRuns}</p>}
        {runs.length > 0 && <Runs visit={visit} month={month} runs={runs} before={before} />}
        {oldest !== undefined && (
          <p>
            <a href={visit.link('history', { month, before: oldest })}>{words.olderRuns}</a>
          </p>
        )}
        {runs.length > 0 && (
          <p>
            <a href={visit.link('history', { month, format: 'csv' })}>{words.csv}</a>
          </p>
        )}
      </>
    ),
  });
}

/** The months that can be chosen: the last two years, and the one that is shown. */
function recentMonths(shown: string): string[] {
  const now = new Date();
  const months = Array.from({ length: 24 }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7),
  );
  return months.includes(shown) ? months : [...months, shown];
}

/** Lines of one page. */
const LINES = 50;

function Runs({ visit, month, runs, before }: Omit<Props, 'days'>) {
  const { when, kind, outcome, by } = visit.words.columns;
  const lines = foldRuns(runs);
  const slice = pageOf(visit, lines, LINES);
  return (
    <>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">{when}</th>
            <th scope="col">{kind}</th>
            <th scope="col">{outcome}</th>
            <th scope="col">{by}</th>
          </tr>
        </thead>
        <tbody>
          {slice.shown.map((line) => (
            <Row
              key={line.kind === 'run' ? line.run.id : line.runs[0]?.id}
              visit={visit}
              line={line}
            />
          ))}
        </tbody>
      </table>
      {slice.pages > 1 && (
        <Pager
          visit={visit}
          slice={slice}
          link={(page) => visit.link('history', { month, before, page })}
        />
      )}
    </>
  );
}

function Row({ visit, line }: { visit: Visit; line: Line }) {
  const { words, format } = visit;
  const { columns } = words;
  if (line.kind === 'run') {
    const { run } = line;
    return (
      <tr>
        <td data-label={columns.when}>
          <a href={visit.link('run', { id: run.id })}>{format.moment(run.at)}</a>
        </td>
        <td data-label={columns.kind}>{words.runTypes[run.sync_type] ?? run.sync_type}</td>
        <td data-label={columns.outcome}>
          <Outcome visit={visit} run={run} />
        </td>
        <td data-label={columns.by}>
          {run.caller === null ? '–' : callerWords(visit, run.caller)}
        </td>
      </tr>
    );
  }
  const [newest, oldest] = [line.runs[0] as RunLine, line.runs.at(-1) as RunLine];
  const singles = line.runs.filter(isSingle);
  const quiet = line.runs.length - singles.length;
  const changes = singles.reduce((sum, run) => sum + changesOf(run), 0);
  return (
    <tr>
      <td data-label={columns.when}>
        {format.moment(oldest.at)} –{' '}
        {sameDay(visit, oldest, newest) ? format.time(newest.at) : format.moment(newest.at)}
      </td>
      <td colSpan={3}>
        {quiet > 0 && <div>{words.quietRuns(quiet)}</div>}
        {singles.length > 0 && <div>{words.singleCalls(singles.length, changes)}</div>}
        {changed(line.runs).map((run) => (
          <div key={run.id}>
            <a href={visit.link('run', { id: run.id })}>{format.moment(run.at)}</a>:{' '}
            <Outcome visit={visit} run={run} />
          </div>
        ))}
      </td>
    </tr>
  );
}

const sameDay = ({ format }: Visit, one: RunLine, other: RunLine) =>
  format.day(one.at) === format.day(other.at);

const heldIn = ({ held }: RunLine) =>
  Object.values(held ?? {}).reduce((sum, { count }) => sum + count, 0);

/** What became of a run, in words. */
export function Outcome({ visit, run }: { visit: Visit; run: RunLine }) {
  const { words } = visit;
  const held = heldIn(run);
  const parts = [
    run.added > 0 && words.added(run.added),
    run.returned > 0 && words.returned(run.returned),
    run.updated > 0 && words.updated(run.updated, run.kennitala),
    run.removed > 0 && words.removed(run.removed),
    held > 0 && words.waiting(held),
  ].filter(Boolean);
  const isGood = run.status === 'success' || run.status === 'partial';
  return (
    <>
      <span class={isGood ? '' : 'mark'}>
        {isGood ? '✓' : '!'} {words.runStatus[run.status] ?? run.status}
      </span>
      {isGood || run.status === 'held'
        ? `: ${parts.length > 0 ? parts.join(', ') : words.nothingChanged}`
        : ''}
      .{run.error_code && ` ${words.errors[run.error_code] ?? run.error_code}`}
      {run.undoes !== null && ` ${words.undoes(run.undoes)}.`}
      {run.approved_by !== null && ` ${words.approvedBy(callerWords(visit, run.approved_by))}`}
    </>
  );
}

/** The runs of a month as a file. */
export function historyCsv({ visit, month, runs }: Omit<Props, 'days'>): Answer {
  const { words, language, format } = visit;
  const { columns } = words;
  const { run, when, kind, outcome, joined, left, held, by, approvedBy } = columns;
  const body = toCsv(
    [
      run,
      when,
      kind,
      outcome,
      joined,
      columns.changed,
      words.classes.kennitala,
      left,
      held,
      by,
      approvedBy,
    ],
    runs.map((one) => [
      one.id,
      format.stamp(one.at),
      words.runTypes[one.sync_type] ?? one.sync_type,
      words.runStatus[one.status] ?? one.status,
      one.added + one.returned,
      one.updated,
      one.kennitala,
      one.removed,
      heldIn(one),
      one.caller,
      one.approved_by,
    ]),
    language,
  );
  const disposition = { 'Content-Disposition': `attachment; filename="${month}.csv"` };
  return { body, type: 'csv', headers: { ...securityHeaders(visit.secure), ...disposition } };
}
