import { JsonProblem, parseJson, type JsonLimits, type JsonValue } from '../json';
import type { Answer } from './types';

export type JsonReading = { ok: true; value: JsonValue } | { ok: false; problem: string };

/**
 * Reads an answer's body as JSON. A 200 proves nothing: login pages and firewalls answer 200 with HTML, some even label it as JSON, so
 * both the label and the content are checked.
 *
 * @returns the value with its numbers as text, or in words what the body is instead (never a quotation of it)
 */
export function readJson(answer: Answer, limits?: JsonLimits): JsonReading {
  if (answer.body.trim() === '') return { ok: false, problem: `an empty body with status ${answer.status}` };
  if (!isJsonType(answer.contentType)) {
    return { ok: false, problem: `${describeType(answer)} in place of JSON with status ${answer.status}` };
  }
  try {
    return { ok: true, value: parseJson(answer.body, limits) };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    const what = looksLikeHtml(answer.body) ? 'HTML labelled as JSON' : `no usable JSON: ${error.message}`;
    return { ok: false, problem: `${what}, status ${answer.status}` };
  }
}

function isJsonType(contentType: string): boolean {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^(?:application|text)\/(?:[\w.-]+\+)?json$/.test(mediaType);
}

function describeType({ contentType, body }: Answer): string {
  if (looksLikeHtml(body)) return 'HTML';
  const mediaType = /^[\w.+-]{1,40}\/[\w.+-]{1,60}/.exec(contentType.trim())?.[0];
  return mediaType === undefined
    ? 'a body without a usable content type'
    : `the content type ${mediaType.toLowerCase()}`;
}

function looksLikeHtml(body: string): boolean {
  return /^\s*<(?:!doctype|html|head|body|!--)/i.test(body.slice(0, 1000));
}
