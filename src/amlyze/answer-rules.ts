import type { JsonObject } from '../shared/json';
import type { SentRecord } from './record-verdict';
import type { Subject } from './saying';

/**
 * How the answers about one kind of record name it. Everything else between an answer and a verdict is the same for
 * all kinds.
 */
export interface AnswerRules {
  readonly subject: Subject;
  /** The field that an entry of a batch's results is found by. */
  readonly key: 'communicationNumber' | 'operationExtId';
  /** Of the sent records that share the entry's key, those that it can be about: none, the one, or several. */
  addressees(entry: JsonObject, candidates: readonly SentRecord[]): readonly SentRecord[];
  /** Why words that were found for this record must speak of another one; undefined where they do not say so. */
  mismatch(said: JsonObject, record: SentRecord): string | undefined;
}

/** The record's own value of the field that its results are found by. */
export function keyOf(rules: AnswerRules, record: SentRecord): string | undefined {
  return record[rules.key];
}

/** Whether an object names something at all, and something else than we sent. What we did not send is not compared. */
export function namesOther(said: JsonObject, field: string, sent: string | undefined): boolean {
  const named = said[field];
  return sent !== undefined && named !== undefined && named !== null && named !== sent;
}
