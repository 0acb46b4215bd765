/**
 * The one of these names that a mistyped one was probably meant to be: at most two letters differ, or are one
 * too many or too few. Undefined where none is near, and for what is too short to say.
 */
export function nearest(mistyped: string, names: readonly string[]): string | undefined {
  const word = plain(mistyped);
  return names
    .map((name) => ({ name, apart: distance(word, plain(name)) }))
    .filter(({ name, apart }) => apart <= (name.length < 8 ? 1 : 2))
    .sort((a, b) => a.apart - b.apart)[0]?.name;
}

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

// Levenshtein's, one row of its table at a time.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [done, letter] of [...a].entries()) {
    const next = [done + 1];
    for (const [index, other] of [...b].entries()) {
      const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
