import { shownId } from '../redact.ts';
import type { RunError } from './types.ts';

/** Errors shown in an answer and in sync_log; all of them are counted. */
const SHOWN = 100;

/** Errors kept for syncStatus: what waits for a person, member by member. Some 2 MB of memory. */
const KEPT = 10_000;

/** The errors of a run: every one counted, the first ten thousand kept, the first hundred shown. */
export interface ErrorList {
  add(code: string, externalId: string | null | undefined, message: string): void;
  /** Leaves out this id where it was named. */
  hideId(externalId: string): void;
  count(): number;
  kept(): readonly RunError[];
  /** How many were counted and not kept, by their codes. */
  unkept(): ReadonlyMap<string, number>;
  shown(): RunError[];
}

export function createErrorList(): ErrorList {
  let count = 0;
  const kept: RunError[] = [];
  const unkept = new Map<string, number>();
  return {
    add: (code, externalId, message) => {
      count += 1;
      if (kept.length < KEPT) {
        kept.push({ code, external_id: shownId(externalId ?? null), message });
      } else unkept.set(code, (unkept.get(code) ?? 0) + 1);
    },
    hideId: (externalId) => {
      const shown = shownId(externalId);
      for (const error of kept) {
        if (error.external_id === shown) error.external_id = null;
      }
    },
    count: () => count,
    kept: () => kept,
    unkept: () => unkept,
    shown: () => kept.slice(0, SHOWN),
  };
}
