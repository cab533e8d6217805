import { readJson, type Answer, type CallFailure } from '../shared/http-client';
import { isJsonObject, type JsonObject, type JsonValue } from '../shared/json';
import { logText, wordsOf, type Saying, type Shape, type Source, type Subject } from './saying';

/** One answer, ready for the verdict table. */
export interface Heard {
  saying: Saying;
  object?: JsonObject;
  /** For people: what came, in words fit for a log line. */
  problem: string;
}

/** Reads an answer, or the lack of one, into the form that the verdict table weighs. */
export function hear(result: Answer | CallFailure, source: Source, subject: Subject): Heard {
  const silent = { subject, source, status: result.status, word: '', code: '', text: '' };
  if (result.kind === 'failure') {
    const saying: Saying = {
      ...silent,
      shape: 'other',
      cause: result.cause,
      bytesMayHaveLeft: result.bytesMayHaveLeft,
    };
    return { saying, problem: logText(`${result.cause}: ${result.detail}`) };
  }
  const reading = readJson(result);
  if (!reading.ok || !isJsonObject(reading.value)) {
    const problem = reading.ok ? `JSON that is no object, status ${result.status}` : reading.problem;
    return { saying: { ...silent, shape: 'other', bytesMayHaveLeft: true }, problem: logText(problem) };
  }
  const object = reading.value;
  const words = wordsOf(object);
  const said = [words.word, words.code, words.text].filter((word) => word !== '').join(' ');
  return {
    saying: { ...silent, bytesMayHaveLeft: true, shape: shapeOf(object, words.code), ...words },
    object,
    problem: logText(`status ${result.status}${said === '' ? '' : `: ${said}`}`),
  };
}

function shapeOf(object: JsonObject, code: string): Shape {
  if (code !== '') return 'json-object';
  if (Array.isArray(object['results'])) return 'results';
  return isText(object['path']) || isText(object['timestamp']) ? 'path-not-found' : 'json-object';
}

function isText(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value !== '';
}
