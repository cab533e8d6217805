import { placeToCut } from '../shared/card-scan';
import type { FailureCause } from '../shared/http-client';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from '../shared/json';

/** What the endpoint takes; the operation endpoints have codes and words of their own. */
export type Subject = 'balance' | 'operation';

/** Who speaks: the batch endpoint as a whole, one entry of its results, or the single endpoint. */
export type Source = 'batch' | 'item' | 'single';

/** How an answer's body looks, before its words are weighed. */
export type Shape =
  /** A JSON object with a list under `results` and no error code beside it. */
  | 'results'
  /** The web server's own "no such path": JSON with `path` or `timestamp` and no error code. */
  | 'path-not-found'
  | 'json-object'
  /** No JSON object: HTML, nothing, cut off ... */
  | 'other';

/** What was said, in the one form that the verdict table reads. */
export interface Saying {
  subject: Subject;
  source: Source;
  /** HTTP status; undefined where the call ended before there was one. */
  status: number | undefined;
  /** Why no complete answer came. */
  cause?: FailureCause;
  /** Whether request bytes may have reached AMLYZE. */
  bytesMayHaveLeft: boolean;
  shape: Shape;
  /** `resultType`, '' where there is none. */
  word: string;
  /** `errorCode` in upper case and trimmed, '' where there is none. */
  code: string;
  /** Every explanation there is, for matching. */
  text: string;
}

/** AMLYZE's words for the log. */
export interface ErrorWords {
  errorCode?: string;
  errorDescription?: string;
}

// The error code is indexed, and one btree entry of PostgreSQL holds at most 2704 bytes.
const CODE_LIMIT = 200;
const TEXT_LIMIT = 4_000;

/**
 * `resultType`, error code and texts of one object. Every field is optional in AMLYZE's error schema, in any
 * combination.
 */
export function wordsOf(object: JsonObject): Pick<Saying, 'word' | 'code' | 'text'> {
  return {
    word: scalar(object['resultType']) ?? '',
    code: (scalar(object['errorCode']) ?? '').trim().toUpperCase(),
    text: [scalar(object['errorDescription']), ...errorList(object)].filter(Boolean).join('; '),
  };
}

/** The code and the text verbatim, cut at 200 and 4000 characters; what AMLYZE left out or left empty is left out. */
export function errorWordsOf(object: JsonObject): ErrorWords {
  const code = scalar(object['errorCode']);
  const text = [scalar(object['errorDescription']), errorList(object).join('; '), scalar(object['error'])].find(
    Boolean,
  );
  return {
    ...(code ? { errorCode: cut(code, CODE_LIMIT) } : {}),
    ...(text ? { errorDescription: cut(text, TEXT_LIMIT) } : {}),
  };
}

/** The value as JSON text again, numbers digit for digit, cut at 4000 characters. */
export function answerText(value: JsonValue): string {
  return cut(toJsonText(value), TEXT_LIMIT);
}

/**
 * Text from outside for a log line: cut, and what could break or reorder the line (control, format and line
 * characters) as \u{…}.
 */
export function logText(text: string, limit = 300): string {
  return cut(text, limit).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function errorList(object: JsonObject): string[] {
  const errors = object['errors'];
  return Array.isArray(errors) ? errors.map((error) => scalar(error) ?? '').filter(Boolean) : [];
}

/** A code may come as "500" or as 500. */
function scalar(value: JsonValue | undefined): string | undefined {
  if (value instanceof JsonNumber) return value.source;
  return typeof value === 'string' ? value : undefined;
}

function toJsonText(value: JsonValue): string {
  if (value instanceof JsonNumber) return value.source;
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  let members = '';
  for (const key of Object.keys(value)) {
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${toJsonText(value[key] ?? null)}`;
  }
  return `{${members}}`;
}

/**
 * Never cuts a surrogate pair or a number in two, and rather leaves the number out: a part of it would be another one, and that of a
 * card number would not be known, and masked, as a part of one.
 */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, placeToCut(text, limit)).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
