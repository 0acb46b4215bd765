import type { Answer } from '../../lib/http/answer.ts';
import type { LoggedChange, MemberHistory } from '../logs/history.ts';
import { Asked, type AskedMember } from './askedView.tsx';
import { page } from './layout.tsx';
import { Act, Box, DjangoLink, isName, Values } from './parts.tsx';
import { reasonWords } from './phrases.ts';
import { type Found, MOST_FOUND } from './reads.ts';
import type { Visit } from './visit.ts';
import { whyWords } from './why.ts';
import { capital } from './words/format.ts';

interface Options {
  /** Members of a search by name. */
  found?: Found[];
  /** Why nobody was found. */
  nobody?: string | undefined;
  /** What was searched for, where it is no kennitala. */
  searched?: string | undefined;
  /** The one that was asked for. */
  member?: MemberHistory | undefined;
  /** What a dry run of this member alone answered. */
  asked?: AskedMember | undefined;
  problem?: string | undefined;
  status?: number;
}

/** One box to search in, and the answer: may this person vote, since when and why. */
export function memberView(visit: Visit, options: Options = {}): Answer {
  const { words } = visit;
  const { found, nobody, searched, member, asked, problem, status } = options;
  return page(visit, {
    view: 'member',
    title: words.views.member,
    ...(status === undefined ? {} : { status }),
    children: (
      <>
        <h1>{words.views.member}</h1>
        <Act visit={visit} act="find">
          <label for="whom">{words.searchLabel}</label>
          <div class="row">
            <input
              id="whom"
              name="whom"
              class="long"
              value={searched}
              autoComplete="off"
              required
            />
            <button type="submit" class="main">
              {words.search}
            </button>
          </div>
        </Act>
        {problem && <Box kind="bad" heading="h2" title={problem} />}
        {nobody && <p role="status">{nobody}</p>}
        {found && found.length > 0 && <Results visit={visit} found={found} />}
        {member && <Member visit={visit} of={member} asked={asked} />}
      </>
    ),
  });
}

function Results({ visit, found }: { visit: Visit; found: Found[] }) {
  const { words } = visit;
  const shown = found.slice(0, MOST_FOUND);
  const sentence =
    found.length > MOST_FOUND ? words.foundMore(MOST_FOUND) : words.found(found.length);
  return (
    <section>
      <p role="status">{sentence}</p>
      <ul>
        {shown.map(({ id, external_id, name, kennitala, may_vote }) => (
          <li key={id}>
            <a
              href={visit.link('member', external_id === null ? { row: id } : { id: external_id })}
            >
              {name}
            </a>{' '}
            <span class="soft mask">{kennitala}</span>{' '}
            <span class="mask">{may_vote ? `✓ ${words.may}` : `✕ ${words.mayNot}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface MemberProps {
  visit: Visit;
  of: NonNullable<Options['member']>;
  asked: AskedMember | undefined;
}

function Member({ visit, of, asked }: MemberProps) {
  const { words, format, person } = visit;
  const { member, changes, next_before: next, row } = of;
  const { may_vote: may, reason, since, external_id } = member;
  const canRelease = ['suspended', 'inactive_here'].includes(reason.code);
  const values = { id: external_id ?? undefined };
  const notSince = reason.code === 'suspended' ? words.noticedOn : words.noVoterSince;
  const sinceWords = may ? words.voterSince : notSince;
  return (
    <>
      <Box kind={may ? 'good' : 'bad'} heading="h2" title={may ? words.may : words.mayNot}>
        {(member.name ?? member.kennitala) !== null && (
          <p>
            <strong>{member.name ?? '–'}</strong>{' '}
            <span class="soft mask">{member.kennitala ?? ''}</span>
          </p>
        )}
        <p>
          {capital(whyWords(visit, of))}. {since && sinceWords(format.moment(since))}
        </p>
        <p class="soft">
          {words.idLabel}: {external_id ?? '–'} <DjangoLink visit={visit} id={external_id} />
        </p>
      </Box>
      {external_id === null && reason.code === 'inactive_here' && (
        <p>
          <a href={`${visit.link('waiting')}#inactive_here`}>{words.releaseElsewhere}</a>
        </p>
      )}
      {isName(external_id) && (
        <div class="row">
          <Act visit={visit} act="ask" values={values}>
            <button type="submit">{words.ask}</button>
          </Act>
          {canRelease && person.role === 'approver' && (
            <Act visit={visit} act="release" values={values}>
              <button type="submit">{words.release}</button>
            </Act>
          )}
        </div>
      )}
      {asked && <Asked visit={visit} asked={asked} member={member} />}
      <h2>{words.memberHistory}</h2>
      {changes.length === 0 && <p>{words.noHistory}</p>}
      <History visit={visit} changes={changes} />
      {next !== null && (
        <p>
          <a
            href={visit.link('member', {
              ...(isName(external_id) ? { id: external_id } : { row: row ?? undefined }),
              before: next,
            })}
          >
            {words.older}
          </a>
        </p>
      )}
    </>
  );
}

function History({ visit, changes }: { visit: Visit; changes: LoggedChange[] }) {
  const { words, format } = visit;
  return (
    <ol>
      {changes.map((change) => (
        <li key={change.id} value={undefined}>
          <a href={visit.link('run', { id: change.run_id })}>{format.moment(change.changed_at)}</a>:{' '}
          {words.actions[change.action]}
          {change.action === 'remove' && `: ${reasonWords(visit, plannedForm(change))}`}
          {change.undone_by !== null && ` (${words.undoneBy(change.undone_by)})`}
          {change.undoes !== null && ` (${words.undoes(change.undoes)})`}
          <Values visit={visit} change={plannedForm(change)} />
        </li>
      ))}
    </ol>
  );
}

/** An applied change as a planned one is shown. */
export const plannedForm = (change: LoggedChange) => ({
  ...change,
  action: change.action as 'add' | 'update' | 'reactivate' | 'remove',
  kennitala: change.kennitala ?? '–',
});
