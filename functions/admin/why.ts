import { reasonOf } from '../../lib/sync/result.ts';
import type { Action } from '../../lib/sync/types.ts';
import type { MemberHistory } from '../logs/history.ts';
import { tabOf } from './look.ts';
import { reasonWords } from './phrases.ts';
import type { Visit } from './visit.ts';

/** Why somebody may vote or not, in the language of the visit, with what a person needs to go on. */
export function whyWords(visit: Visit, { member, facts }: MemberHistory): string {
  const { words, format } = visit;
  const { code, message } = member.reason;
  const plain = words.why[code] ?? message;
  const { seen_at: seen, last_change: last, held, undone, findings } = facts;
  if (code === 'active' && seen) return `${plain} ${format.day(seen)}`;
  if (code === 'left' && last?.action === 'remove' && last.evidence !== null) {
    return reasonWords(visit, { fields: [], reason: reasonOf({ ...last, fields: [] }) });
  }
  if (code === 'undone' && undone) return `${plain} (${words.runTitle(undone.run_id)})`;
  if (code === 'held' && held) {
    const what = words.oneChange[tabOf({ action: held.action as Action, fields: [] })];
    return `${plain}: ${what} (${words.heldReasons[held.reason] ?? held.reason})`;
  }
  const finding = findings.find((one) =>
    ['records_set_aside', 'removals_unconfirmed'].includes(one.code),
  );
  // What the reason says itself is not said twice.
  const found =
    finding && finding.error_code !== code && ['set_aside', 'removal_unconfirmed'].includes(code);
  return found ? `${plain} (${words.recordErrors[finding.error_code] ?? finding.message})` : plain;
}
