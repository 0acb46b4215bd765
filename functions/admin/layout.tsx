import { createHash } from 'node:crypto';
import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { Answer } from '../../lib/http/answer.ts';
import script from './live.client.js';
import partsStyle from './parts.css';
import { callerWords } from './phrases.ts';
import pageStyle from './style.css';
import { linkTo, type Visit } from './visit.ts';
import type { Words } from './words/is.ts';

type View = keyof Words['views'];
const menu = ['status', 'look', 'member', 'waiting', 'history'] as const;

const style = pageStyle + partsStyle;
const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

// Nothing is loaded but what is in the page itself, and that is named by its digest.
const policy = [
  "default-src 'none'",
  `style-src ${hashOf(style)}`,
  `script-src ${hashOf(script)}`,
  "connect-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The headers of every answer of the page. Only https may ask browsers to insist on it. */
export const securityHeaders = (secure: boolean): Record<string, string> => ({
  'Content-Security-Policy': policy,
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  ...(secure ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
});

interface Content {
  /** The entry of the menu that is shown as the current one. */
  view?: View;
  /** Never names a member: titles are kept in histories. */
  title: string;
  status?: number;
  children: ComponentChildren;
}

/** A whole page as an answer. A visit without a person has no menu. */
export function page(
  visit: Pick<Visit, 'words' | 'language' | 'secure' | 'query'> & Partial<Visit>,
  { view, title, status = 200, children }: Content,
): Answer {
  const { words, language } = visit;
  const body = renderToString(
    <body data-working={words.working}>
      <a class="skip" href="#content">
        {words.skip}
      </a>
      <header>
        <div class="in">
          <strong>{words.title}</strong>
          {visit.person && <Menu words={words} visit={visit as Visit} current={view} />}
          <Who visit={visit} view={view} />
        </div>
      </header>
      <main class="in" id="content">
        {children}
      </main>
    </body>,
  );
  const html = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${renderToString(<title>{`${title} – ${words.title}`}</title>)}
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
${body.replace(/<\/body>$/, '')}
<script>${script}</script>
</body>
</html>
`;
  return { status, body: html, type: 'html', headers: securityHeaders(visit.secure) };
}

interface MenuProps {
  words: Words;
  visit: Visit;
  current: View | undefined;
}

const Menu = ({ words, visit, current }: MenuProps) => (
  <nav aria-label={words.menu}>
    <ul>
      {menu.map((view) => (
        <li key={view}>
          <a href={visit.link(view)} aria-current={view === current ? 'page' : undefined}>
            {words.views[view]}
          </a>
        </li>
      ))}
    </ul>
  </nav>
);

interface WhoProps {
  visit: Pick<Visit, 'words' | 'language' | 'query'> & Partial<Visit>;
  view: View | undefined;
}

function Who({ visit, view }: WhoProps) {
  const { words, language, query, person, signOut } = visit;
  // What was posted has no address of its own.
  const here = query.has('do') ? { view } : Object.fromEntries(query);
  const other = language === 'en' ? 'is' : 'en';
  const { lang: _lang, ...values } = here as Record<string, string | undefined>;
  return (
    <div class="who">
      {person && <span class="soft">{callerWords({ words }, person.name)}</span>}
      <a href={linkTo(other, values)} hreflang={other} lang={other}>
        {words.other}
      </a>
      {person && signOut && (
        <form method="post" action={linkTo(language, { do: 'signOut' })}>
          <button type="submit" class="plain">
            {words.signOut}
          </button>
        </form>
      )}
    </div>
  );
}
