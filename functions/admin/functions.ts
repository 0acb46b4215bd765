import * as z from 'zod/mini';
import type { SyncResult } from '../../lib/sync/types.ts';
import type { Person } from './visit.ts';

/** What a function answered; `error` where it refused or failed. */
export interface Reply {
  status: number;
  body: Omit<Partial<SyncResult>, 'status'> & {
    /** `skipped`: syncs are switched off. */
    status?: SyncResult['status'] | 'skipped';
    error?: {
      code: string;
      message: string;
      changed?: unknown;
      run_id?: number | undefined;
      /** The run was applied all the same, and only its answer was lost. null: nobody knows. */
      applied?: boolean | null | undefined;
    };
    reason?: string;
  };
}

/** Calls syncScheduled and syncDryRun, which do whatever reads the register or writes. */
export interface Functions {
  sync(body: object, person: Person, signal: AbortSignal): Promise<Reply>;
  dryRun(body: object, person: Person, signal: AbortSignal): Promise<Reply>;
}

export interface FunctionsOptions {
  syncUrl: string;
  dryRunUrl: string;
  /** The Authorization header for a function at this address. */
  authorization(url: string): Promise<string>;
  /** Whether the functions believe us in whose name we call: they know our account, but not who has the key. */
  inTheNameOf: boolean;
}

const count = z.int().check(z.minimum(0));
const result = {
  status: z.enum(['success', 'partial', 'held']),
  plan: z.optional(z.string()),
  members_fetched: count,
  members_suspended: count,
  error_count: count,
  errors: z.array(
    z.looseObject({
      code: z.string(),
      external_id: z.nullable(z.string()),
      message: z.string(),
    }),
  ),
};
const change = z.looseObject({
  action: z.enum(['add', 'update', 'reactivate', 'remove']),
  external_id: z.nullable(z.string()),
  kennitala: z.string(),
  fields: z.array(z.string()),
});
const error = z.looseObject({
  code: z.string(),
  message: z.string(),
  run_id: z.optional(z.int()),
  applied: z.optional(z.nullable(z.boolean())),
});
const refused = z.looseObject({ error });
const skipped = z.looseObject({ status: z.literal('skipped') });
const shapes = {
  sync: z.looseObject({ ...result, dry_run: z.literal(false), run_id: z.int() }),
  dryRun: z.looseObject({ ...result, dry_run: z.literal(true), changes: z.array(change) }),
};

export function createFunctions(options: FunctionsOptions): Functions {
  const call = async (
    name: keyof typeof shapes,
    body: object,
    { name: person }: Person,
    signal: AbortSignal,
  ): Promise<Reply> => {
    const url = name === 'sync' ? options.syncUrl : options.dryRunUrl;
    const headers = {
      authorization: await options.authorization(url),
      'content-type': 'application/json',
      ...(options.inTheNameOf ? { 'x-sync-on-behalf-of': person } : {}),
    };
    const init = { method: 'POST', headers, body: JSON.stringify(body), signal };
    try {
      return await readReply(name, await fetch(url, { ...init, redirect: 'error' }));
    } catch (error) {
      // A look is over when our time is. What was begun may go on, and be done.
      if (signal.aborted && name === 'dryRun') throw error;
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      const message = `no reply came (${code ?? 'unknown'})`;
      const what = name === 'sync' ? 'unreachable' : 'no_reply';
      return { status: 502, body: { error: { code: what, message } } };
    }
  };
  return {
    sync: (body, person, signal) => call('sync', body, person, signal),
    dryRun: (body, person, signal) => call('dryRun', body, person, signal),
  };
}

// What is no answer of this function proves nothing: the address may be another's. The platform refuses with HTML.
async function readReply(name: keyof typeof shapes, response: Response): Promise<Reply> {
  const { status, ok } = response;
  const body = jsonOf(await response.text());
  const expected = ok ? z.union([shapes[name], skipped]) : refused;
  if (z.safeParse(expected, body).success) return { status, body: body as Reply['body'] };
  const message = `answered ${status} with what is no answer of this function`;
  const code = platformCode(name, status);
  return { status: status < 400 ? 502 : status, body: { error: { code, message } } };
}

// 429 comes before any instance has the request; what comes from above it may come in the middle of a run, as where an
// instance dies (Cloud Run's list of errors).
function platformCode(name: keyof typeof shapes, status: number): string {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429) return 'too_busy';
  if (status >= 500 && name === 'sync') return 'unreachable';
  return status === 503 ? 'too_busy' : 'internal_error';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Identity tokens of our own account, from the metadata server of the platform, by Google's library. */
export function createIdTokens(): (url: string) => Promise<string> {
  return async (url) => {
    const { GoogleAuth } = await import('google-auth-library');
    const client = await new GoogleAuth().getIdTokenClient(url.replace(/\/$/, ''));
    const headers = await client.getRequestHeaders(url);
    return headers.get('authorization') ?? '';
  };
}
