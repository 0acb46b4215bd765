import { SyncError } from '../../lib/errors.ts';
import type { Answer } from '../../lib/http/answer.ts';
import type { Log } from '../../lib/log.ts';
import type { Credential } from '../../lib/secrets.ts';
import { readMember, readRunChanges } from '../logs/history.ts';
import { MAX_CSV_ROWS } from '../logs/schema.ts';
import { listedCodes } from '../status/schema.ts';
import { readStatus } from '../status/status.ts';
import { listWaiting, type WaitingList } from '../status/waiting.ts';
import { type Acting, type ActViews, idOf, logSeen, named, seeOther } from './acting.ts';
import type { AskedMember } from './askedView.tsx';
import { lookCsv } from './changeTable.tsx';
import { rowsIn } from './decisionView.tsx';
import { find } from './find.ts';
import { asOf } from './fold.ts';
import { problemView } from './gateViews.tsx';
import { historyCsv, historyView } from './historyView.tsx';
import { changesIn, decidedIn, type Looks, tabIn } from './look.ts';
import { lookView } from './lookView.tsx';
import { memberView } from './memberView.tsx';
import {
  readAllRuns,
  readDays,
  readFacts,
  readLastRun,
  readMade,
  readNames,
  readRuns,
} from './reads.ts';
import { runCsv, runView } from './runView.tsx';
import { statusView } from './statusView.tsx';
import type { Visit } from './visit.ts';
import { waitingView } from './waitingView.tsx';

interface Sources {
  database: Credential;
  intervalMinutes: number;
  looks: Looks;
}

/** What `view` names. */
export const viewNames = [
  'status',
  'look',
  'member',
  'waiting',
  'history',
  'run',
  'signIn',
] as const;

/** Views, and the posts that only show something. Names and numbers are posted, so that no address holds them. */
interface Views extends ActViews {
  show(visit: Visit, log: Log): Promise<Answer>;
  answer(act: string, visit: Visit, acting: Acting): Promise<Answer>;
}

/** How old the last complete full run may be when an election opens, in minutes. */
const WITHIN_MINUTES = 60;
/** Changes of one page of a run. */
const ROWS = 100;

export function createViews({ database, intervalMinutes, looks }: Sources): Views {
  const rules = { intervalMinutes, withinMinutes: WITHIN_MINUTES };
  const showStatus = async (visit: Visit) => {
    const status = await readStatus(database, rules);
    return statusView(visit, status, await readFacts(database, status.members));
  };

  const readUnconfirmed = async () => {
    const ids = new Set<string>();
    for (let skip: number | null = 0; skip !== null; ) {
      const { members, next }: WaitingList = await listWaiting(
        database,
        'removals_unconfirmed',
        skip,
      );
      for (const { external_id } of members) ids.add(external_id ?? '');
      skip = next;
    }
    return ids;
  };

  const showLook = async (visit: Visit, log: Log) => {
    const look = looks.find(visit.query.get('plan'));
    // Somebody else may have taken it.
    if (!look) return lookView(visit, {});
    const isFile = visit.query.get('format') === 'csv';
    const shown = isFile ? changesIn(look, tabIn(visit, look)) : rowsIn(visit, look);
    logSeen(log, visit, look, shown);
    if (isFile) return lookCsv(visit, look);
    const done = decidedIn(look, await readMade(database, look.after));
    const unconfirmed = look.result.held?.removals ? await readUnconfirmed() : new Set<string>();
    return lookView(visit, { look, done, unconfirmed });
  };

  const showMember = async (visit: Visit, log: Log, asked?: AskedMember) => {
    const [given, row] = [visit.query.get('id'), numberIn(visit, 'row')];
    if (given === null && row === undefined) return memberView(visit);
    const whom = given === null ? { row: row as number } : { external_id: idOf(given) };
    const before = numberIn(visit, 'before', Number.MAX_SAFE_INTEGER);
    const member = await readMember(database, { ...whom, before, limit: 50 });
    log('NOTICE', 'member_read', 'somebody looked at a member', {
      caller: visit.person.name,
      external_id: member.member.external_id,
    });
    return memberView(visit, { member, asked });
  };

  const showWaiting = async (visit: Visit, log: Log) => {
    const chosen = listedCodes.find((code) => code === visit.query.get('list'));
    const lists: WaitingList[] = [];
    for (const code of chosen ? [chosen] : [...listedCodes].reverse()) {
      lists.push(await listWaiting(database, code, numberIn(visit, 'skip')));
    }
    const ids = lists.flatMap(({ members }) => members.map(({ external_id }) => external_id));
    log('NOTICE', 'members_read', 'somebody looked at the members that wait', {
      caller: visit.person.name,
      external_ids: ids,
    });
    const status = await readStatus(database, rules);
    return waitingView(visit, lists, await readNames(database, ids), status);
  };

  const showHistory = async (visit: Visit) => {
    const given = visit.query.get('month') ?? '';
    const month = /^20\d\d-(0[1-9]|1[0-2])$/.test(given)
      ? given
      : new Date().toISOString().slice(0, 7);
    const isFile = visit.query.get('format') === 'csv';
    const before = numberIn(visit, 'before');
    const found = await (isFile ? readAllRuns(database, month) : readRuns(database, month, before));
    const isOpen = found.some(({ status }) => status === 'pending');
    const now = isOpen ? await readStatus(database, rules) : undefined;
    const runs = found.map((run) => asOf(run, now));
    if (isFile) return historyCsv({ visit, month, runs });
    return historyView({ visit, month, runs, before, days: await readDays(database, month) });
  };

  const showRun = async (visit: Visit, log: Log) => {
    const id = numberIn(visit, 'id');
    if (id === undefined) throw new SyncError('not_found', 'A run has a number.');
    const csv = visit.query.get('format') === 'csv';
    const asked = {
      before: numberIn(visit, 'before', Number.MAX_SAFE_INTEGER),
      limit: csv ? MAX_CSV_ROWS : ROWS,
    };
    const run = await readRunChanges(database, id, asked);
    log('NOTICE', 'members_read', 'somebody looked at the changes of a run', {
      caller: visit.person.name,
      run_id: id,
      changes: run.changes.length,
    });
    const isOpen = ['pending', 'held'].includes(String(run.run['status']));
    const now = isOpen ? await readStatus(database, rules) : undefined;
    if (!csv) return runView(visit, run, now);
    // A file says nowhere that there would be more.
    if (run.next_before === null) return runCsv(visit, run.changes, id);
    return problemView(visit, 413, visit.words.tooManyRows(MAX_CSV_ROWS));
  };

  const shows: Record<(typeof viewNames)[number], (visit: Visit, log: Log) => Promise<Answer>> = {
    status: showStatus,
    look: showLook,
    member: showMember,
    waiting: showWaiting,
    history: showHistory,
    run: showRun,
    // Somebody who has signed in already.
    signIn: async (visit) => seeOther(visit, visit.link('status')),
  };

  return {
    show: async (visit, log) => {
      const show = named(shows, visit.query.get('view') ?? 'status');
      if (!show) throw new SyncError('not_found', 'There is no such view.');
      return show(visit, log);
    },
    answer: async (act, visit, acting) => {
      if (act === 'find') return find(database, visit, acting);
      throw new SyncError('not_found', 'There is no such act.');
    },
    showAsked: async (visit, log, id, asked) => {
      const query = new URLSearchParams({ view: 'member', id });
      const answer = await showMember({ ...visit, query }, log, asked);
      return { ...answer, ...(asked.isChanged ? { status: 409 } : {}) };
    },
    lastRun: () => readLastRun(database),
    madeAfter: (run) => readMade(database, run),
  };
}

/** The largest id of a run, or of a row, that the database can hold. */
const MAX_ID = 2_147_483_647;

// A number that the database could not even compare is as good as none.
function numberIn({ query }: Visit, name: string, max = MAX_ID): number | undefined {
  const given = query.get(name) ?? '';
  const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.POSITIVE_INFINITY;
  return value <= max ? value : undefined;
}
