/**
 * JSON texts as one parameter, one on each line and an empty line for null; `string_to_array($n, E'\n', '')` takes it apart. An
 * array literal would escape every quotation mark, which costs a copy of each text here and another in Postgres. Throws on a
 * text with a line break of its own: our JSON is written without.
 */
export function jsonLines(texts: readonly (string | null)[]): string {
  for (const text of texts) {
    if (text === '' || text?.includes('\n')) throw new TypeError('a JSON text must be one line that is not empty');
  }
  return texts.join('\n');
}
