import type { MemberInWords } from '../logs/history.ts';
import type { Reply } from './functions.ts';
import { tabOf } from './look.ts';
import { Act, Box, Values } from './parts.tsx';
import { reasonWords } from './phrases.ts';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

/** What a dry run of one member alone answered. */
export interface AskedMember {
  result: Reply['body'];
  /** Whether the member was to become active. */
  release: boolean;
  /** What somebody wanted to do was no longer this. */
  isChanged: boolean;
}

interface Props {
  visit: Visit;
  asked: AskedMember;
  member: MemberInWords;
}

/** What the register says of a member, what would change, and the way to make exactly that. */
export function Asked({ visit, asked, member }: Props) {
  const { words } = visit;
  const { errors = [], changes = [] } = asked.result;
  return (
    <>
      {asked.isChanged && <Box kind="bad" heading="h2" title={words.askedAgain} />}
      {errors.length > 0 && (
        <Box kind="warn" heading="h2" title={words.askedErrors}>
          <ul>
            {errors.map(({ code, message }) => (
              <li key={code}>
                {capital(words.recordErrors[code] ?? message)}. {words.todoOf[code] ?? ''}
              </li>
            ))}
          </ul>
        </Box>
      )}
      {changes.length > 0 && <Change visit={visit} asked={asked} member={member} />}
      {changes.length === 0 && errors.length === 0 && (
        <Nothing visit={visit} asked={asked} member={member} />
      )}
    </>
  );
}

// That nothing would change does not yet mean that both say the same.
function Nothing({ visit: { words }, asked: { result, release }, member }: Props) {
  const { members_fetched: found = 0, members_suspended: suspended = 0 } = result;
  if (suspended > 0) return <Box kind="warn" heading="h2" title={words.askedSuspended} />;
  if (release) return <Box kind="warn" heading="h2" title={words.askedNoRelease(found > 0)} />;
  if (found > 0) return <Box kind="good" heading="h2" title={words.askedSame(member.may_vote)} />;
  return member.may_vote ? (
    <Box kind="warn" heading="h2" title={words.askedOther} />
  ) : (
    <Box kind="good" heading="h2" title={words.askedNeither} />
  );
}

function Change({ visit, asked: { result, release }, member }: Props) {
  const { words } = visit;
  const { changes = [], plan } = result;
  const isHeld = changes.some(({ held }) => held);
  const waits = member.reason.code === 'held';
  return (
    <Box kind="warn" heading="h2" title={isHeld ? words.askedHeld : words.askedChange}>
      {changes.map((change) => (
        <div key={`${change.action}${change.external_id}`}>
          {change.external_id !== member.external_id && `${words.recordOf(change.external_id)}. `}
          <strong>{words.oneChange[tabOf(change)]}</strong>: {reasonWords(visit, change)}
          {change.held && ` (${words.heldReasons[change.held] ?? change.held})`}
          <Values visit={visit} change={change} />
        </div>
      ))}
      {isHeld ? (
        <Act visit={visit} act="look">
          <div class="row">
            <button type="submit">{words.lookNow}</button>
          </div>
        </Act>
      ) : (
        <>
          {waits && <p>{words.askedAlone}</p>}
          {visit.person.role === 'approver' && (
            <Act
              visit={visit}
              act="apply"
              values={{
                id: member.external_id ?? undefined,
                plan,
                release: release ? 'true' : undefined,
              }}
            >
              <div class="row">
                <button type="submit">{words.applyNow}</button>
              </div>
            </Act>
          )}
        </>
      )}
    </Box>
  );
}
