import type { RunError } from './types.ts';

/** Errors shown in an answer and in sync_log; all of them are counted. */
const SHOWN = 100;

/** The errors of a run: every one counted, the first hundred kept. */
export interface ErrorList {
  add(code: string, externalId: string | null | undefined, message: string): void;
  count(): number;
  shown(): RunError[];
}

export function createErrorList(): ErrorList {
  let count = 0;
  const shown: RunError[] = [];
  return {
    add: (code, externalId, message) => {
      count += 1;
      if (shown.length < SHOWN) shown.push({ code, external_id: externalId ?? null, message });
    },
    count: () => count,
    shown: () => shown,
  };
}
