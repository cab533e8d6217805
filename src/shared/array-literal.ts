/** What a list may hold to be written here; anything else (dates, bytes, lists in lists) is left to the driver. */
type Plain = string | number | boolean | bigint | null | undefined;

/** Numbers, identifiers and timestamps need no quotes; what they are made of means nothing to an array literal. */
const WORD = /^[\w.:+-]+$/;
const NULL = /^null$/i;
const NEEDS_ESCAPE = /["\\]/;
const ESCAPED = /["\\]/g;
/** What JSON writes in another way than itself, or than itself behind a backslash. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const OTHER_IN_JSON = /[\0-\x1f\ud800-\udfff]/;

/**
 * A list as PostgreSQL's array literal, `{a,"b c",NULL}`, or undefined where an item is not plain. The driver writes the
 * same text with two replacements and two copies per item, which was a quarter of what a balance costs in memory.
 */
export function arrayLiteral(items: readonly unknown[]): string | undefined {
  if (items.length === 0) return '{}';
  const parts = new Array<string>(items.length);
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (!isPlain(item)) return undefined;
    if (typeof item === 'string') parts[index] = quote(item);
    else parts[index] = item === null || item === undefined ? 'NULL' : String(item);
  }
  // Braces around the joined text would have the driver copy the whole of it once more.
  parts[0] = `{${parts[0]}`;
  parts[parts.length - 1] += '}';
  return parts.join(',');
}

function quote(text: string): string {
  if (WORD.test(text) && !NULL.test(text)) return text;
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  // The same text as below, and the engine makes it three times as fast.
  if (!OTHER_IN_JSON.test(text)) return JSON.stringify(text);
  return `"${text.replace(ESCAPED, '\\$&')}"`;
}

function isPlain(item: unknown): item is Plain {
  return item === null || typeof item !== 'object';
}
