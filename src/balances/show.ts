import { JsonNumber, type JsonValue } from '../shared/json';

const MAX_SHOWN_CHARACTERS = 40;
/** Of what a bank lists thousands of times no more than this is named. */
export const MAX_SHOWN_ITEMS = 5;

/** A raw value as steps and reasons name it: short, quoted where it is text, and never the content of a list or object. */
export function show(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(cut(value));
  if (value instanceof JsonNumber) return cut(value.source);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Several of them, each named once; a bank that reports thousands does not make a step of thousands. */
export function showAll(values: readonly (JsonValue | undefined)[]): string {
  const shown = new Set<string>();
  for (const value of values) {
    if (shown.size === MAX_SHOWN_ITEMS && !shown.has(show(value))) return `${[...shown].join(', ')} and others`;
    shown.add(show(value));
  }
  return [...shown].join(', ');
}

/** "1 balance", "3 balances". */
export function count(items: number, noun: string): string {
  return items === 1 ? `1 ${noun}` : `${items} ${noun}s`;
}

function cut(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}
