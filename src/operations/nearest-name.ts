import { distance } from 'fastest-levenshtein';

/** The known name that a misspelt one was meant to be; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  // Beyond a third of the name it is another word, not a typing error.
  let least = Math.floor(wanted.length / 3) + 1;
  let nearest: string | undefined;
  for (const candidate of known) {
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits < least) [least, nearest] = [edits, candidate];
  }
  return nearest;
}
