import type { Answer } from '../../lib/http/answer.ts';
import { page } from './layout.tsx';
import { Box } from './parts.tsx';
import { linkTo, type Visit } from './visit.ts';

type Stranger = Pick<Visit, 'words' | 'language' | 'secure' | 'query'> & Partial<Visit>;

interface SignIn {
  wrong?: boolean;
  /** Somebody wanted to do something, and was no longer signed in. */
  expired?: boolean;
}

/** Where the admin key is given, once in eight hours. */
export const signInView = (visit: Stranger, { wrong = false, expired = false }: SignIn = {}) =>
  page(visit, {
    view: 'signIn',
    title: visit.words.views.signIn,
    status: wrong || expired ? 401 : 200,
    children: (
      <form method="post" action={linkTo(visit.language, { do: 'signIn' })}>
        <h1>{visit.words.views.signIn}</h1>
        {expired && <Box kind="bad" heading="h2" title={visit.words.expired} />}
        <p>{visit.words.signInIntro}</p>
        {wrong && (
          <p class="mark gone" role="alert" id="wrong">
            {visit.words.wrongKey}
          </p>
        )}
        {/* For password managers, which file a key under a name. */}
        <input type="text" name="user" value="admin" autoComplete="username" hidden readOnly />
        <label for="key">{visit.words.key}</label>
        <div class="row">
          <input
            id="key"
            name="key"
            type="password"
            class="long"
            autoComplete="current-password"
            required
            aria-invalid={wrong || undefined}
            aria-describedby={wrong ? 'wrong' : undefined}
          />
          <button type="submit" class="main">
            {visit.words.signIn}
          </button>
        </div>
      </form>
    ),
  });

/** What went wrong, and the way back: to the first page unless another is given. */
export const problemView = (
  visit: Stranger,
  status: number,
  problem: string,
  back = linkTo(visit.language, { view: 'status' }),
): Answer =>
  page(visit, {
    title: visit.words.problem,
    status,
    children: (
      <Box kind="bad" heading="h1" title={visit.words.problem}>
        <p>{problem}</p>
        <p>
          <a href={back}>{visit.words.back}</a>
        </p>
      </Box>
    ),
  });
