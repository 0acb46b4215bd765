const open: (() => unknown)[] = [];

/** Has this ended after the last test of the file, whatever state it is in by then. */
export function afterTests(end: () => unknown): void {
  open.push(end);
}

/** Ends everything that was started since, the latest first. Outside of jest the caller says when. */
export async function endAll(): Promise<void> {
  await Promise.all(
    open
      .splice(0)
      .toReversed()
      .map((end) => end()),
  );
}

// Registered when the file loads, because jest takes no afterAll from inside a running test.
globalThis.afterAll?.(endAll);
