import type { ComponentChildren } from 'preact';
import type { PreviewedChange, RunError } from '../../lib/sync/types.ts';
import { shownValue, silent } from './phrases.ts';
import { linkTo, type Visit } from './visit.ts';

type Kind = 'good' | 'warn' | 'bad' | 'plain';
const signs = { good: '✓', warn: '!', bad: '✕', plain: '…' };

interface BoxProps {
  kind: Kind;
  heading: 'h1' | 'h2';
  title: string;
  children?: ComponentChildren;
}

/** A statement in a colour, with a sign and in words, so that none of them is needed. */
export function Box({ kind, heading: Heading, title, children }: BoxProps) {
  return (
    <section class={`box ${kind}`}>
      <Heading>
        <span class="sign" aria-hidden="true">
          {signs[kind]}
        </span>
        {title}
      </Heading>
      {children}
    </section>
  );
}

interface ActProps {
  visit: Visit;
  /** The `do` of the address that it posts to. */
  act: string;
  /** Sent along, unseen. */
  values?: Record<string, string | number | undefined>;
  children: ComponentChildren;
}

/** A form that does something. Values are in the body, never in the address. */
export const Act = ({ visit, act, values = {}, children }: ActProps) => (
  <form method="post" action={linkTo(visit.language, { do: act })}>
    {Object.entries(values).map(
      ([name, value]) =>
        value !== undefined && <input key={name} type="hidden" name={name} value={value} />,
    )}
    {children}
  </form>
);

interface ConfirmProps extends Omit<ActProps, 'children'> {
  count: number;
  title: string;
  button: string;
  /** The number that was typed was another one. */
  wrong?: boolean;
}

/** Doing something grave: the number of changes has to be typed. */
export function Confirm({ visit, act, values, count, title, button, wrong = false }: ConfirmProps) {
  const { words } = visit;
  const id = `typed-${act}`;
  return (
    <Act visit={visit} act={act} values={values ?? {}}>
      <h2 id="decide">{title}</h2>
      {wrong && (
        <p class="mark gone" role="alert" id={`${id}-wrong`}>
          {words.wrongNumber(count)}
        </p>
      )}
      <label for={id}>{words.typeNumber(count)}</label>
      <div class="row">
        <input
          id={id}
          name="typed"
          inputMode="numeric"
          autoComplete="off"
          required
          aria-invalid={wrong || undefined}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          // It may be far down a long page, and nothing else is to be done there.
          autofocus={wrong || undefined}
        />
        <button type="submit" class="main">
          {button}
        </button>
      </div>
    </Act>
  );
}

interface IdProps {
  visit: Visit;
  id: string | null;
}

/** A Django id, which leads to the member here. */
export const MemberLink = ({ visit, id }: IdProps) =>
  isName(id) ? <a href={visit.link('member', { id })}>{id}</a> : <span>{id ?? '–'}</span>;

/** Whether an id names a member: one that is somebody's kennitala or address is shown masked. */
export const isName = (id: string | null): id is string => id !== null && !id.endsWith('***');

/** The same in Django's own admin, where it is known. */
export function DjangoLink({ visit, id }: IdProps) {
  const url = isName(id) ? visit.djangoUrl(id) : undefined;
  if (url === undefined) return null;
  return (
    <a href={url} rel="noreferrer">
      {visit.words.openDjango}
    </a>
  );
}

/** What a run or a look could not do, member by member. */
export function Errors({ visit, errors }: { visit: Visit; errors: RunError[] }) {
  const { words } = visit;
  if (errors.length === 0) return null;
  return (
    <section>
      <h2>{words.problems}</h2>
      <ul>
        {errors.map(({ code, external_id: id, message }) => {
          const sentence = words.recordErrors[code] ?? message;
          return (
            <li key={`${code}${id}`}>
              {isName(id) ? (
                <a href={visit.link('member', { id })}>{words.recordOf(id)}</a>
              ) : (
                words.recordOf(id)
              )}
              : {sentence}
              {code === 'change_refused' && ` (${message})`}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface ValuesProps {
  visit: Visit;
  change: Pick<PreviewedChange, 'fields' | 'before' | 'after' | 'action'>;
}

/** What changes from what to what. */
export function Values({ visit, change: { fields, before, after, action } }: ValuesProps) {
  if (action === 'add' || action === 'remove') return null;
  const shown = fields.filter((field) => !silent.has(field));
  return (
    <>
      {shown.map((field) => (
        <div key={field}>
          {visit.words.fields[field] ?? field}:{' '}
          <span class="soft">{shownValue(visit, field, before?.[field])}</span>
          {' → '}
          {shownValue(visit, field, after?.[field])}
        </div>
      ))}
    </>
  );
}

interface Slice<T> {
  shown: T[];
  /** From 1. */
  page: number;
  pages: number;
  from: number;
  of: number;
}

/** The part of a list that the address asks for. */
export function pageOf<T>({ query }: Visit, list: T[], rows: number): Slice<T> {
  const pages = Math.max(1, Math.ceil(list.length / rows));
  const asked = Number.parseInt(query.get('page') ?? '1', 10) || 1;
  const page = Math.min(pages, Math.max(1, asked));
  const start = (page - 1) * rows;
  return {
    shown: list.slice(start, start + rows),
    page,
    pages,
    from: start + 1,
    of: list.length,
  };
}

interface PagerProps {
  visit: Visit;
  slice: Slice<unknown>;
  link: (page: number) => string;
}

/** Where in a long list one is, and the way on. */
export function Pager({ visit: { words }, slice, link }: PagerProps) {
  const { page, pages, from, of, shown } = slice;
  return (
    <nav aria-label={words.pages} class="row">
      <span>{words.shown(from, from + shown.length - 1, of)}</span>
      {page > 1 && <a href={link(page - 1)}>{words.previous}</a>}
      {page < pages && <a href={link(page + 1)}>{words.nextPage}</a>}
    </nav>
  );
}
