import { request as send } from './http.ts';
import { serveFunction } from './inProcess.ts';

// The names that test files not yet moved to world.ts know.
export { serveFunction } from './inProcess.ts';

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined when it is no JSON. */
  json: Record<string, unknown>;
}

/** Loads functions, which read their environment as it is then, and serves each; gives their addresses. */
export async function serveFunctions<N extends string>(
  names: readonly N[],
): Promise<Record<N, string>> {
  const urls = {} as Record<N, string>;
  for (const name of names) {
    await import(`../../functions/${name}.ts`);
    urls[name] = await serveFunction(name);
  }
  return urls;
}

/** Sends one request and reads all of the answer. */
export async function request(url: string, init: RequestInit = {}): Promise<Reply> {
  const { body, ...rest } = await send(url, init);
  return { ...rest, json: body };
}

/** A POST of JSON. */
export const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'Content-Type': 'application/json', ...headers },
});
