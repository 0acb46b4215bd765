import type { HttpFunction, Request } from '@google-cloud/functions-framework';
import type { Environment } from '../../lib/config.ts';
import { SyncError } from '../../lib/errors.ts';
import type { Answer } from '../../lib/http/answer.ts';
import { authenticate } from '../../lib/http/auth.ts';
import { isIn } from '../../lib/http/authPolicy.ts';
import { prepare } from '../../lib/http/endpoint.ts';
import { routes } from '../../lib/http/request.ts';
import { type Incoming, serve } from '../../lib/http/serve.ts';
import { type Acting, named, seeOther } from './acting.ts';
import { decisions, glances } from './acts.ts';
import { createFunctions, createIdTokens } from './functions.ts';
import { problemView, signInView } from './gateViews.tsx';
import { createLooks } from './look.ts';
import { isSignedIn, signedIn, signedOut } from './session.ts';
import { createViews, viewNames } from './views.ts';
import {
  createVisit,
  isFromOurPage,
  isSecure,
  languageOf,
  linkTo,
  type Person,
  type Visit,
  wordsOf,
} from './visit.ts';

/**
 * The admin's page: who is there and what they may do, then a view (GET, `view`) or an act (POST, `do`). It
 * reads the database itself; whatever reads the register or writes goes to the other functions. Throws
 * ConfigError, so that a page without authentication does not start.
 */
export function adminPage(environment: Environment = process.env): HttpFunction {
  const needs = ['reader', 'sync', 'admin'] as const;
  const { config, secrets, policy, service } = prepare(
    { ...routes.syncAdmin, needs, behindProxy: true },
    environment,
  );
  const { ADMIN_APPROVERS, ADMIN_VIEWERS, DJANGO_ADMIN_URL, SYNC_URL, SYNC_DRY_RUN_URL } =
    config.admin;
  const byKey = config.auth.AUTH_MODE === 'key';
  const functions = createFunctions({
    syncUrl: SYNC_URL,
    dryRunUrl: SYNC_DRY_RUN_URL,
    authorization: byKey
      ? async () => `Bearer ${await secrets.ADMIN_API_KEY.get()}`
      : createIdTokens(),
    inTheNameOf: !byKey,
  });
  const looks = createLooks();
  const views = createViews({
    database: secrets.DATABASE_READER_URL,
    intervalMinutes: config.sync.SYNC_INTERVAL_MINUTES,
    looks,
  });

  // undefined: nobody has signed in.
  const whoIs = async (request: Request): Promise<Person | undefined> => {
    if (byKey) {
      const key = await secrets.ADMIN_API_KEY.get();
      const isKnown = isSignedIn(request.headers.cookie, key, isSecure(request.headers));
      return isKnown ? { name: 'admin-key', role: 'approver' } : undefined;
    }
    const caller = await authenticate(request.headersDistinct, policy);
    if (isIn(ADMIN_APPROVERS, caller)) return { name: caller.name, role: 'approver' };
    if (isIn(ADMIN_VIEWERS, caller)) return { name: caller.name, role: 'viewer' };
    throw new SyncError('forbidden', `${caller.name} is in neither ADMIN_VIEWERS nor _APPROVERS.`);
  };

  // Those who are known keep their menu when something goes wrong.
  const visits = new WeakMap<Request, Visit>();

  const handle = async ({ request, body, log, signal, note }: Incoming): Promise<Answer> => {
    const stranger = strangerOf(request);
    const { query, secure, words, language } = stranger;
    const isPost = request.method === 'POST';
    if (isPost && !isFromOurPage(request.headers)) {
      throw new SyncError('forbidden', 'The POST did not come from a page of ours.');
    }
    const form = new URLSearchParams(isPost ? body.toString() : '');
    const act = isPost ? (query.get('do') ?? '') : '';
    if (byKey && act === 'signIn') {
      const isRight = (await policy.keyOf(form.get('key') ?? '')) === 'admin-key';
      log(isRight ? 'NOTICE' : 'WARNING', 'admin_signed_in', signInWords(isRight), { isRight });
      if (!isRight) return signInView(stranger, { wrong: true });
      const cookie = signedIn(await secrets.ADMIN_API_KEY.get(), secure);
      return withCookie(seeOther(stranger, linkTo(language, { view: 'status' })), cookie);
    }
    if (byKey && act === 'signOut') {
      return withCookie(
        seeOther(stranger, linkTo(language, { view: 'signIn' })),
        signedOut(secure),
      );
    }
    const person = await whoIs(request);
    if (!person) {
      if (request.headers['x-requested-with']) {
        return problemView(stranger, 401, words.signInIntro);
      }
      if (isPost) return signInView(stranger, { expired: true });
      if (query.get('view') === 'signIn') return signInView(stranger);
      return seeOther(stranger, linkTo(language, { view: 'signIn' }));
    }
    note({ caller: person.name, view: nameIn(isPost ? act : (query.get('view') ?? 'status')) });
    const visit = createVisit(person, query, {
      secure,
      signOut: byKey,
      djangoAdminUrl: DJANGO_ADMIN_URL,
    });
    visits.set(request, visit);
    if (!isPost) return views.show(visit, log);
    const acting: Acting = { functions, looks, views, log, signal, form };
    const glance = named(glances, act);
    if (glance) return glance(visit, acting);
    const decide = named(decisions, act);
    if (!decide) return views.answer(act, visit, acting);
    if (person.role !== 'approver') return problemView(visit, 403, words.onlyApprovers);
    return decide(visit, acting);
  };

  const present = (error: SyncError, status: number, request: Request): Answer => {
    const stranger = strangerOf(request);
    const { words } = stranger;
    const own: Record<string, string | undefined> = {
      forbidden: forbiddenWords(request, words),
      // Of the visitor; where a function does not know us, its reply says so.
      unauthorized: words.unknownVisitor,
    };
    const problem = own[error.code] ?? words.errors[error.code] ?? words.problem;
    return problemView(visits.get(request) ?? stranger, status, problem);
  };

  return serve({ ...service, handle, present });
}

function strangerOf(request: Request) {
  const query = new URL(request.url, 'http://localhost').searchParams;
  const language = languageOf(query);
  return { query, language, words: wordsOf(language), secure: isSecure(request.headers) };
}

// An address may hold anything; the log has what names a view or an act.
const nameIn = (given: string) =>
  [...Object.keys(decisions), ...Object.keys(glances), 'find', ...viewNames].find(
    (name) => name === given,
  ) ?? 'unknown';

const forbiddenWords = (request: Request, words: ReturnType<typeof wordsOf>) =>
  request.method === 'POST' && !isFromOurPage(request.headers) ? words.otherSite : words.noAccess;

const signInWords = (isRight: boolean) =>
  isRight ? 'somebody signed in with the admin key' : 'somebody tried to sign in with a wrong key';

const withCookie = (answer: Answer, cookie: string): Answer => ({
  ...answer,
  headers: { ...answer.headers, 'Set-Cookie': cookie },
});
