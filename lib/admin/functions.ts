import type { SyncResult } from '../sync/types.ts';
import type { Person } from './visit.ts';

/** What a function answered; `error` where it refused or failed. */
export interface Reply {
  status: number;
  body: Omit<Partial<SyncResult>, 'status'> & {
    /** `skipped`: syncs are switched off. */
    status?: SyncResult['status'] | 'skipped';
    error?: { code: string; message: string; changed?: unknown };
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

export function createFunctions(options: FunctionsOptions): Functions {
  const call = async (url: string, body: object, { name }: Person, signal: AbortSignal) => {
    const headers = {
      authorization: await options.authorization(url),
      'content-type': 'application/json',
      ...(options.inTheNameOf ? { 'x-sync-on-behalf-of': name } : {}),
    };
    const init = { method: 'POST', headers, body: JSON.stringify(body), signal };
    try {
      return await readReply(await fetch(url, { ...init, redirect: 'error' }));
    } catch (error) {
      // Whether it came to our deadline, or to theirs.
      if (signal.aborted) throw error;
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      const message = `no reply came (${code ?? 'unknown'})`;
      return { status: 502, body: { error: { code: 'unreachable', message } } };
    }
  };
  return {
    sync: (body, person, signal) => call(options.syncUrl, body, person, signal),
    dryRun: (body, person, signal) => call(options.dryRunUrl, body, person, signal),
  };
}

// The platform refuses with a page of HTML.
async function readReply(response: Response): Promise<Reply> {
  const { status } = response;
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return { status, body };
  } catch {
    // Not ours.
  }
  const code = status === 401 || status === 403 ? 'unauthorized' : 'internal_error';
  return { status, body: { error: { code, message: `answered ${status} without JSON` } } };
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
