import { SyncError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { normaliseKennitala } from '../kennitala.ts';
import type { Log } from '../log.ts';
import { isPersonalId } from '../redact.ts';
import type { Credential } from '../secrets.ts';
import { readMember, readRunChanges } from '../sync/history.ts';
import { djangoId, listedCodes, MAX_CSV_ROWS } from '../sync/parameters.ts';
import { readStatus } from '../sync/status.ts';
import { listWaiting, type WaitingList } from '../sync/waiting.ts';
import { type Acting, idOf, named, seeOther } from './acting.ts';
import type { AskedMember } from './askedView.tsx';
import { lookCsv } from './changeTable.tsx';
import { problemView } from './gateViews.tsx';
import { historyCsv, historyView } from './historyView.tsx';
import { doneIn, type Looks, type Made } from './look.ts';
import { lookView } from './lookView.tsx';
import { memberView } from './memberView.tsx';
import { readDays, readFacts, readMade, readNames, readRuns, search } from './reads.ts';
import { runCsv, runView } from './runView.tsx';
import { statusView } from './statusView.tsx';
import type { Visit } from './visit.ts';
import { waitingView } from './waitingView.tsx';

interface Sources {
  database: Credential;
  intervalMinutes: number;
  looks: Looks;
}

/** Views, and the posts that only show something. Names and numbers are posted, so that no address holds them. */
export interface Views {
  show(visit: Visit, log: Log): Promise<Answer>;
  answer(act: string, visit: Visit, acting: Acting): Promise<Answer>;
  /** A member, with what the register was found to say. */
  showAsked(visit: Visit, log: Log, id: string, asked: AskedMember): Promise<Answer>;
  /** What runs have changed since then. */
  madeSince(at: Date): Promise<Made>;
}

/** How old the last complete full run may be when an election opens, in minutes. */
const WITHIN_MINUTES = 60;
/** Changes of one page of a run. */
const ROWS = 100;

// What is typed may be an address, or most of a kennitala.
const isPersonal = (typed: string) => isPersonalId(typed) || /^\d{6}-\d*$/.test(typed);

export function createViews({ database, intervalMinutes, looks }: Sources): Views {
  const rules = { intervalMinutes, withinMinutes: WITHIN_MINUTES };
  const showStatus = async (visit: Visit) =>
    statusView(visit, await readStatus(database, rules), await readFacts(database));

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
    if (look) {
      log('NOTICE', 'members_read', 'somebody looked at a plan', {
        caller: visit.person.name,
        plan: look.plan,
        changes: look.total,
      });
    }
    if (look && visit.query.get('format') === 'csv') return lookCsv(visit, look);
    if (!look) return lookView(visit, {});
    const done = doneIn(look.changes, await readMade(database, look.at));
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
    const runs = await readRuns(database, month);
    if (visit.query.get('format') === 'csv') return historyCsv({ visit, month, runs });
    return historyView({ visit, month, runs, days: await readDays(database, month) });
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
    if (!csv) return runView(visit, run);
    // A file says nowhere that there would be more.
    if (run.next_before === null) return runCsv(visit, run.changes, id);
    return problemView(visit, 413, visit.words.tooManyRows(MAX_CSV_ROWS));
  };

  const shows: Record<string, (visit: Visit, log: Log) => Promise<Answer>> = {
    status: showStatus,
    look: showLook,
    member: showMember,
    waiting: showWaiting,
    history: showHistory,
    run: showRun,
    // Somebody who has signed in already.
    signIn: async (visit) => seeOther(visit, visit.link('status')),
  };

  // What the address of a member names, or undefined when nobody here has this kennitala or id.
  const addressOf = async (visit: Visit, whom: { kennitala: string } | { external_id: string }) => {
    const { member, row } = await readMember(database, { ...whom, limit: 1 });
    if (member.reason.code === 'unknown') return undefined;
    // Where there is a row, by it: its Django id may be somebody else's by now.
    return visit.link('member', row === null ? { id: member.external_id ?? '' } : { row });
  };

  const find = async (visit: Visit, { form, log }: Acting): Promise<Answer> => {
    const whom = (form.get('whom') ?? '').replace(/\p{Cc}/gu, '').trim();
    const kennitala = normaliseKennitala(whom);
    // An id is most often a number, and may be anything without a space.
    const isId = /^\S*\d\S*$/.test(whom) && djangoId.safeParse(whom).success && !isPersonal(whom);
    const asked = kennitala ? { kennitala } : isId ? { external_id: whom } : undefined;
    const address = asked && (await addressOf(visit, asked));
    if (address !== undefined) return seeOther(visit, address);
    if (kennitala) return memberView(visit, { found: [] });
    const found = whom.length < 2 ? [] : await search(database, whom);
    log('NOTICE', 'members_read', 'somebody searched for members by name', {
      caller: visit.person.name,
      external_ids: found.map(({ external_id }) => external_id),
      rows: found.map(({ id }) => id),
    });
    return memberView(visit, { found, searched: whom });
  };

  return {
    show: async (visit, log) => {
      const show = named(shows, visit.query.get('view') ?? 'status');
      if (!show) throw new SyncError('not_found', 'There is no such view.');
      return show(visit, log);
    },
    answer: async (act, visit, acting) => {
      if (act === 'find') return find(visit, acting);
      throw new SyncError('not_found', 'There is no such act.');
    },
    showAsked: async (visit, log, id, asked) => {
      const query = new URLSearchParams({ view: 'member', id });
      const answer = await showMember({ ...visit, query }, log, asked);
      return { ...answer, ...(asked.isChanged ? { status: 409 } : {}) };
    },
    madeSince: (at) => readMade(database, at),
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
