import { reasonOf as reasonOfChange } from '../../lib/sync/result.ts';

/** What is known of one person; without a row of theirs all but the findings and the id is null. */
export interface MemberFacts {
  id: number | null;
  external_id: string | null;
  kennitala: string | null;
  name: string | null;
  is_active: boolean | null;
  sync_source: string | null;
  added_at: Date | null;
  removed_at: Date | null;
  /** When a run last saw them in the register. */
  seen_at: Date | null;
  /** When a run added them or made them active again, last. */
  active_since: Date | null;
  last_change: Change | null;
  /** The change of theirs that waits for an approval. */
  held: { action: string; reason: string } | null;
  /** The last change was an undo, and stands. */
  undone: { undone_at: string; run_id: number } | null;
  findings: Finding[];
}

interface Change {
  run_id: number;
  action: string;
  evidence: string | null;
  confirmed: string | null;
  reason: string | null;
}

interface Finding {
  code: string;
  error_code: string;
  message: string;
  since: string;
  run_id: number;
}

/** Why somebody may vote or not. */
export interface MemberReason {
  code:
    | 'active'
    | 'other_source'
    | 'left'
    | 'suspended'
    | 'inactive_here'
    | 'set_aside'
    | 'removal_unconfirmed'
    | 'held'
    | 'undone'
    | 'unknown';
  message: string;
}

interface Explanation {
  may_vote: boolean;
  since: string | null;
  reason: MemberReason;
}

/**
 * Whether a person may vote, since when and why; pure. May vote is what the view `member_eligibility` says:
 * the row is active. What a run found of them goes before what their row alone would say.
 */
export function explainMember(facts: MemberFacts): Explanation {
  const mayVote = facts.is_active === true;
  return { may_vote: mayVote, since: since(facts), reason: reasonOf(facts) };
}

function since(facts: MemberFacts): string | null {
  const { is_active, active_since, added_at, removed_at } = facts;
  const at = is_active ? (active_since ?? added_at) : (removed_at ?? noticed(facts));
  return at?.toISOString() ?? null;
}

// When a run first found that somebody was suspended by hand.
function noticed({ findings }: MemberFacts): Date | null {
  const found = findings.find(({ code }) => code === 'suspended');
  return found ? new Date(found.since) : null;
}

const day = (at: Date | null): string => (at === null ? '' : ` on ${isoDay(at)}`);
const isoDay = (at: Date): string => at.toISOString().slice(0, 10);

function reasonOf(facts: MemberFacts): MemberReason {
  const { id, is_active, sync_source, removed_at, findings, undone, held } = facts;
  const found = (code: string) => findings.find((finding) => finding.code === code);
  const setAside = found('records_set_aside');
  if (setAside) return { code: 'set_aside', message: setAsideWords(setAside, is_active) };
  const unconfirmed = found('removals_unconfirmed');
  if (unconfirmed) {
    const message = `not in the register's list, but Django does not confirm that they are gone: ${unconfirmed.message}`;
    return { code: 'removal_unconfirmed', message };
  }
  if (held && held.reason !== 'undone') return { code: 'held', message: heldWords(held, id) };
  if (id === null && found('inactive_here')) {
    const message = 'the row of this person, which has another id or none, is inactive';
    return { code: 'inactive_here', message };
  }
  if (id === null && held) {
    const message = 'an admin took this back, and the register asks for it again';
    return { code: 'undone', message };
  }
  if (id === null) return { code: 'unknown', message: 'nobody here has this id or kennitala' };
  if (undone) {
    const message = `an admin took the change back with run ${undone.run_id}${day(new Date(undone.undone_at))}`;
    return { code: 'undone', message };
  }
  if (is_active) return activeReason(facts);
  if (sync_source !== 'django' || found('inactive_here')) {
    const message = 'the row was made inactive by another service or by hand';
    return { code: 'inactive_here', message };
  }
  if (removed_at === null || found('suspended')) {
    const at = noticed(facts);
    const found = at && `; first found so by the run of ${isoDay(at)}`;
    const message = `suspended here by hand${found ?? ''}; runs leave that as it is`;
    return { code: 'suspended', message };
  }
  const words = leftWords(facts);
  const removed = words.startsWith('left on')
    ? `; removed here${day(removed_at)}`
    : day(removed_at);
  return { code: 'left', message: `${words}${removed}` };
}

function activeReason({ sync_source, seen_at }: MemberFacts): MemberReason {
  if (sync_source !== 'django') {
    const message = `a row of another service (${sync_source ?? 'unknown'}), which no run touches`;
    return { code: 'other_source', message };
  }
  return { code: 'active', message: `seen in the register${day(seen_at)}` };
}

function leftWords({ last_change }: MemberFacts): string {
  if (last_change?.action !== 'remove' || last_change.evidence === null) {
    return 'the register no longer had them';
  }
  return reasonOfChange({ ...last_change, fields: [] });
}

const heldChanges: Record<string, string> = {
  remove: 'the register no longer has them; the removal waits for an approval',
  add: 'the register has them; the addition waits for an approval',
  reactivate: 'the register has them again; the return waits for an approval',
};

function heldWords(
  { action, reason }: NonNullable<MemberFacts['held']>,
  id: number | null,
): string {
  // Found by a kennitala that no row has.
  const isNumber = action === 'update' && id === null;
  const words = isNumber ? anotherKennitala : heldChanges[action];
  return `${words ?? 'a change of theirs waits for an approval'} (${reason})`;
}

const anotherKennitala =
  'the register has this kennitala for a member who votes under another one; the change waits for an approval';

const setAsideWords = ({ message, error_code }: Finding, active: boolean | null): string =>
  `their record in Django could not be used (${error_code}: ${message}); ${
    active === null ? 'they have no row here yet' : 'their row stays as it is'
  }`;
