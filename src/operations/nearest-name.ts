/** The known name that a misspelt one was meant to be; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  // Beyond a third of the name it is another word, not a typing error.
  let least = Math.floor(wanted.length / 3) + 1;
  let nearest: string | undefined;
  for (const candidate of known) {
    const edits = editDistance(wanted, candidate.toLowerCase(), least);
    if (edits < least) [least, nearest] = [edits, candidate];
  }
  return nearest;
}

/** Levenshtein's distance, or `limit` where it is that or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(limit, row[b.length] ?? limit);
}
