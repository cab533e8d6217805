import { isJsonObject, JsonNumber, JsonProblem, parseJson } from '../shared/json';
import type { JsonObject, JsonValue } from '../shared/json';
import { BANK_JSON } from './bank-json';

/** What an answer that is no success says about its reason, whatever shape it has. */
export interface BankRefusal {
  status: number;
  form: 'json' | 'text' | 'html' | 'empty';
  /** Machine-readable codes, in the bank's spelling; errors first named first. */
  codes: string[];
  /** The human-readable part, at most MAX_TEXT characters. */
  text: string;
}

const MAX_TEXT = 1000;
const MAX_MESSAGES = 10;

// Keys are compared in lower case and without separators, so errorCode, error_code and ErrorCode are one.
const CODE_KEYS: ReadonlySet<string> = new Set(['code', 'errorcode', 'error']);
const TEXT_KEYS: ReadonlySet<string> = new Set([
  'text',
  'message',
  'errormessage',
  'errordescription',
  'title',
  'detail',
  'description',
]);
/** Berlin Group `tppMessages`, UK Open Banking `Errors`, and the `error: {…}` object that many gateways answer. */
const NESTED_KEYS: ReadonlySet<string> = new Set(['tppmessages', 'errors', 'error']);

/**
 * Reads the reason out of an error body. No vendor page promises a shape, and gateways in front of a bank answer in
 * theirs, so every common one is tried: Berlin Group tppMessages, OAuth error, {errorCode, message}, plain text, HTML.
 * The content type is not consulted, because error bodies are often labelled wrongly.
 * @param blank takes out of each text what must not be shown, before the text is cut; without it, the refusal is for matching only
 */
export function readRefusal(
  status: number,
  body: string,
  blank: (text: string) => string = (text) => text,
): BankRefusal {
  const trimmed = body.trim();
  if (trimmed === '') return { status, form: 'empty', codes: [], text: '' };
  const json = tryJson(trimmed);
  if (isJsonObject(json)) return { status, form: 'json', ...collect(json, blank) };
  if (trimmed.startsWith('<')) return { status, form: 'html', codes: [], text: htmlText(blank(trimmed)) };
  return { status, form: 'text', codes: [], text: oneLine(blank(trimmed)) };
}

function tryJson(text: string): JsonValue | undefined {
  try {
    return parseJson(text, BANK_JSON);
  } catch (error) {
    if (error instanceof JsonProblem) return undefined;
    throw error;
  }
}

function collect(root: JsonObject, blank: (text: string) => string): { codes: string[]; text: string } {
  const codes: string[] = [];
  const texts: string[] = [];
  const visit = (object: JsonObject, depth: number): void => {
    // Berlin Group: a message of category WARNING does not explain a refusal.
    if (typeof object.category === 'string' && object.category.toUpperCase() === 'WARNING') return;
    for (const [key, value] of Object.entries(object)) {
      const name = key.toLowerCase().replace(/[-_]/g, '');
      if (NESTED_KEYS.has(name) && depth > 0) {
        for (const nested of [value].flat().slice(0, MAX_MESSAGES)) if (isJsonObject(nested)) visit(nested, depth - 1);
      }
      const scalar = scalarText(value);
      if (scalar === undefined) continue;
      if (CODE_KEYS.has(name)) codes.push(blank(scalar).slice(0, 100));
      else if (TEXT_KEYS.has(name)) texts.push(blank(scalar));
    }
  };
  visit(root, 2);
  return { codes: codes.slice(0, MAX_MESSAGES), text: oneLine(texts.join('; ')) };
}

function scalarText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim();
  return value instanceof JsonNumber ? value.source : undefined;
}

function htmlText(html: string): string {
  const visible = html
    .slice(0, MAX_TEXT * 4)
    .replace(/<(script|style)\b[^]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ');
  return oneLine(visible);
}

function oneLine(text: string): string {
  return text
    .slice(0, MAX_TEXT * 4)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}
