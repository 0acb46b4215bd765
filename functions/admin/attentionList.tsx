import { listedCodes } from '../status/schema.ts';
import type { SyncStatus } from '../status/status.ts';
import { Box } from './parts.tsx';
import type { Visit } from './visit.ts';
import { capital } from './words/format.ts';

interface Props {
  visit: Visit;
  attention: SyncStatus['attention'];
  held: SyncStatus['held'];
}

/** What waits for a person, each with since when, where to look, and what to do. */
export const AttentionList = ({ visit, attention, held }: Props) => (
  <ul>
    {attention.map(({ code, count, since, run_id }) => (
      <li key={code}>
        <Way to={way(visit, code, run_id)}>
          {capital(reasonWords(visit, { code, count }, held))}
        </Way>
        {since && <span class="soft"> ({sinceWords(visit, code, since)})</span>}.{' '}
        {visit.words.todo[wordOf(code, held)]}
      </li>
    ))}
  </ul>
);

/** The same in a box of its own, where there is any. */
export const AttentionBox = (props: Props) =>
  props.attention.length === 0 ? null : (
    <Box kind="warn" heading="h2" title={props.visit.words.verdict.attention}>
      <AttentionList {...props} />
    </Box>
  );

/** A point in words, with its number; not as a sentence of its own. */
export function reasonWords(
  { words }: Visit,
  { code, count }: { code: string; count: number },
  held: SyncStatus['held'],
): string {
  const counted = code === 'held' ? heldCount(held) : count;
  return words.reasons[wordOf(code, held)]?.(counted) ?? code;
}

// A class may be held without a change, because the list was not read whole: then nothing can be approved.
const wordOf = (code: string, held: SyncStatus['held']) =>
  code === 'held' && isUnread(held) ? 'unread' : code;

/** Whether runs hold what they could not even see; pure. */
export const isUnread = (held: SyncStatus['held']): boolean =>
  held !== null && heldCount(held) === 0;

// What only waits because it was undone is a point of its own.
const heldCount = (held: SyncStatus['held']): number =>
  Object.values(held?.classes ?? {})
    .filter(({ reason }) => reason !== 'undone')
    .reduce((sum, { count }) => sum + count, 0);

// Where something that waits can be looked at; undefined where that is not on this page.
function way({ link }: Visit, code: string, run: number | null): string | undefined {
  if (listedCodes.some((one) => one === code)) return `${link('waiting')}#${code}`;
  if (run !== null) return link('run', { id: run });
  return code === 'undone' || code === 'notifications_dead' ? link('history') : undefined;
}

const Way = ({ to, children }: { to: string | undefined; children: string }) =>
  to === undefined ? children : <a href={to}>{children}</a>;

function sinceWords(visit: Visit, code: string, since: string): string {
  const { words } = visit;
  const at = when(visit, since);
  return (words.sinceOf[code] ?? words.since)(at);
}

/** Today at 14:00, or the day and the time. */
export function when({ words, format }: Visit, at: string | Date): string {
  const today = format.day(new Date()) === format.day(at);
  return today ? words.today(format.time(at)) : words.at(format.day(at), format.time(at));
}
