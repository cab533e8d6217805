import { retryAfterMs, type Answer, type CallFailure } from '../shared/http-client';
import type { AnswerRules } from './answer-rules';
import { hear } from './hear';
import type { CallVerdict, SentRecord } from './record-verdict';
import { alarmsOf, matchResults, toVerdict, unsure, type MatchedVerdict } from './result-list';
import { answerText, logText } from './saying';
import { decide, findRow, type CallDecision } from './verdict-table';

type Result = Answer | CallFailure;
const NO_PAST = { inDoubtBefore: false, rejectedBefore: false, collidedBefore: false };

/** What the answer to a batch of one kind of record means, for the call and for each record. */
export function judgeBatchCall(
  rules: AnswerRules,
  { result, records, now }: { result: Result; records: readonly SentRecord[]; now: Date },
): CallVerdict {
  const { saying, object, problem } = hear(result, 'batch', rules.subject);
  const decision = decide(findRow(saying), NO_PAST);
  if (decision.about === 'record') throw new Error('a whole batch has no verdict of one record');
  const results = object?.['results'];
  if (decision.kind !== 'results' || !Array.isArray(results)) return toCallVerdict(decision, result, problem, now);

  const status = saying.status ?? 0;
  const { matched, answered, strangers, alarms } = matchResults(rules, { results, status, records });
  // A 400 whose list says nothing about any record of ours is a plain 400.
  if (status === 400 && answered === 0) return { kind: 'bad-request', detail: problem };
  const verdicts = matched.map(({ verdict }) => verdict);
  const setting = sharedSetting(matched);
  if (setting !== undefined) return { kind: 'configuration', ...setting, rejections: verdicts };
  return { kind: 'settled', records: verdicts, strangers, alarms };
}

/** What a single endpoint's answer means for its one record. */
export function judgeSingleCall(
  rules: AnswerRules,
  { result, record, now }: { result: Result; record: SentRecord; now: Date },
): CallVerdict {
  const { saying, object, problem } = hear(result, 'single', rules.subject);
  const row = findRow(saying);
  const decision = decide(row, record);
  if (decision.about === 'call') return toCallVerdict(decision, result, problem, now);
  // Only an object has the words that a row about a record asks for.
  if (object === undefined) return { kind: 'endpoint-failed', doubt: true, detail: problem };

  // A single endpoint need not say which record it means; where it does, it has to be ours.
  const mismatch = rules.mismatch(object, record);
  const verdict =
    mismatch === undefined
      ? toVerdict(row, object, record)
      : { ...unsure(record, mismatch), answer: answerText(object) };
  const setting = verdict.verdict === 'rejected' ? sharedSetting([{ verdict, row }]) : undefined;
  if (setting !== undefined) return { kind: 'configuration', ...setting, rejections: [verdict] };
  return { kind: 'settled', records: [verdict], strangers: [], alarms: alarmsOf([verdict], [record]) };
}

function toCallVerdict(decision: CallDecision, result: Result, detail: string, now: Date): CallVerdict {
  switch (decision.kind) {
    case 'rate-limited':
      return { kind: 'rate-limited', retryAfterMs: retryAfterMs(result, now), detail };
    case 'configuration':
    case 'bad-request':
    case 'unopened':
    case 'too-large':
      return { kind: decision.kind, detail };
    case 'endpoint-failed':
    case 'results':
      return { kind: 'endpoint-failed', doubt: decision.doubt ?? true, detail };
  }
}

/**
 * The setting of ours that AMLYZE blames in one and the same words for every record. A lone record counts only where
 * the reason is the header sent with every call: an unknown business unit may be that one account's, and one
 * account's fault must not stop all the others.
 */
function sharedSetting(matched: readonly MatchedVerdict[]): { detail: string; frozen?: true } | undefined {
  const [first] = matched;
  const blames = first?.row?.blames;
  if (first === undefined || blames === undefined || (blames === 'record' && matched.length < 2)) return undefined;
  const { errorCode, errorDescription } = first.verdict;
  const shared = matched.every(
    ({ row, verdict }) =>
      row?.blames === blames && verdict.errorCode === errorCode && verdict.errorDescription === errorDescription,
  );
  if (!shared) return undefined;
  const detail = logText(`every record was refused: ${errorCode ?? 'no code'} ${errorDescription ?? ''}`);
  return { detail, ...(blames === 'record' && { frozen: true }) };
}
