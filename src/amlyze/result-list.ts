import { isJsonObject, type JsonObject, type JsonValue } from '../shared/json';
import { keyOf, type AnswerRules } from './answer-rules';
import type { RecordVerdict, SentRecord } from './record-verdict';
import { answerText, errorWordsOf, logText, wordsOf } from './saying';
import { decide, findRow, type VerdictRow } from './verdict-table';

/** One record's verdict with the row that gave it; no row where the list has nothing usable about the record. */
export interface MatchedVerdict {
  verdict: RecordVerdict;
  row?: VerdictRow;
}

export interface MatchedResults {
  /** Every sent record once, in the order sent. */
  matched: MatchedVerdict[];
  /** How many of the sent records the list names at all. */
  answered: number;
  strangers: string[];
  alarms: string[];
}

/** What a list of results says about one record. */
interface Mentions {
  entries: JsonObject[];
  /** One of the entries fits other records of the batch just as well. */
  ambiguous: boolean;
}

// A hostile list of 5 MiB must not become a log line of 5 MiB.
const STRANGERS_SHOWN = 50;
const NAMES_SHOWN = 5;

/**
 * Gives each sent record its verdict out of the `results` of a batch. Entries are found by what they name, never by
 * position: no vendor page promises an order, nor one entry a record.
 */
export function matchResults(
  rules: AnswerRules,
  call: { results: readonly JsonValue[]; status: number; records: readonly SentRecord[] },
): MatchedResults {
  const { results, status, records } = call;
  const { mentions, strangers } = findMentions(rules, results, records);
  const matched = records.map((record) => judgeMentions(rules, mentions.get(record), { status, record }));
  return {
    matched,
    answered: mentions.size,
    strangers,
    alarms: alarmsOf(
      matched.map(({ verdict }) => verdict),
      records,
    ),
  };
}

function findMentions(
  rules: AnswerRules,
  results: readonly JsonValue[],
  records: readonly SentRecord[],
): { mentions: Map<SentRecord, Mentions>; strangers: string[] } {
  const asked = Map.groupBy(records, (record) => keyOf(rules, record));
  const mentions = new Map<SentRecord, Mentions>();
  const strangers: string[] = [];
  for (const entry of results) {
    const key = isJsonObject(entry) ? entry[rules.key] : undefined;
    const candidates = typeof key === 'string' ? (asked.get(key) ?? []) : [];
    const about = isJsonObject(entry) && candidates.length > 0 ? rules.addressees(entry, candidates) : [];
    for (const record of about) {
      if (isJsonObject(entry)) mention(mentions, record, { entry, ambiguous: about.length > 1 });
    }
    if (about.length === 0 && strangers.length < STRANGERS_SHOWN) {
      strangers.push(typeof key === 'string' ? logText(key) : `(no ${rules.key})`);
    }
  }
  return { mentions, strangers };
}

function mention(
  mentions: Map<SentRecord, Mentions>,
  record: SentRecord,
  { entry, ambiguous }: { entry: JsonObject; ambiguous: boolean },
): void {
  const known = mentions.get(record);
  if (known === undefined) {
    mentions.set(record, { entries: [entry], ambiguous });
    return;
  }
  known.entries.push(entry);
  known.ambiguous ||= ambiguous;
}

function judgeMentions(
  rules: AnswerRules,
  mentions: Mentions | undefined,
  { status, record }: { status: number; record: SentRecord },
): MatchedVerdict {
  const [first, ...others] = mentions?.entries ?? [];
  if (mentions === undefined || first === undefined) return { verdict: unsure(record, 'MISSING_FROM_RESULTS') };
  const answer = (): { answer: string } => ({ answer: answerText([...mentions.entries]) });
  if (mentions.ambiguous) return { verdict: { ...unsure(record, 'AMBIGUOUS_RESULT'), ...answer() } };
  const mismatch = mentions.entries.map((entry) => rules.mismatch(entry, record)).find(Boolean);
  if (mismatch !== undefined) return { verdict: { ...unsure(record, mismatch), ...answer() } };
  const judged = judgeEntry(rules, first, { status, record });
  const agreed = others.every((other) => agree(judgeEntry(rules, other, { status, record }).verdict, judged.verdict));
  return agreed ? judged : { verdict: { ...unsure(record, 'CONFLICTING_RESULTS'), ...answer() } };
}

function judgeEntry(
  { subject }: AnswerRules,
  entry: JsonObject,
  { status, record }: { status: number; record: SentRecord },
): MatchedVerdict {
  const words = wordsOf(entry);
  const row = findRow({ subject, source: 'item', status, bytesMayHaveLeft: true, shape: 'json-object', ...words });
  return { verdict: toVerdict(row, entry, record), row };
}

/** The row's decision about one record, with what AMLYZE said. */
export function toVerdict(row: VerdictRow, said: JsonObject, record: SentRecord): RecordVerdict {
  const decision = decide(row, record);
  if (decision.about === 'call') throw new Error(`row "${row.name}" decides about a call, not about a record`);
  return {
    id: record.id,
    verdict: decision.verdict,
    ...(decision.reason === undefined ? {} : { reason: decision.reason }),
    ...errorWordsOf(said),
    inDoubt: decision.inDoubt,
    answer: answerText(said),
  };
}

/** Nothing usable came about a record that was sent: it may have arrived. */
export function unsure(record: SentRecord, reason: string): RecordVerdict {
  return { id: record.id, verdict: 'in-doubt', reason, inDoubt: true };
}

function agree(one: RecordVerdict, other: RecordVerdict): boolean {
  return (
    one.verdict === other.verdict &&
    one.reason === other.reason &&
    one.errorCode === other.errorCode &&
    one.errorDescription === other.errorDescription
  );
}

const ALARMS: Readonly<Record<string, string>> = {
  OTHER_ACCOUNT: 'answered for another account or number than was sent',
  OTHER_OPERATION: 'answered for another operation or number than was sent',
  AMBIGUOUS_RESULT: 'answered by a result that fits several of them',
  CONFLICTING_RESULTS: 'answered more than once, with different verdicts',
  MISSING_FROM_RESULTS: 'missing from the results',
  UNCLEAR_RESULT: 'answered in words that no rule knows',
  CONTRADICTORY_ANSWER: 'answered with a rejection under a status that means success',
  COLLISION: 'held: AMLYZE has the number or the operation already, and nothing of ours proves from whom',
};

/** One sentence a kind, so that a batch of 500 cannot write 500. */
export function alarmsOf(verdicts: readonly RecordVerdict[], records: readonly SentRecord[]): string[] {
  return Object.entries(ALARMS).flatMap(([reason, sentence]) => {
    const numbers = records
      .filter((_, index) => verdicts[index]?.reason === reason)
      .map((record) => record.communicationNumber);
    if (numbers.length === 0) return [];
    const shown = numbers.slice(0, NAMES_SHOWN).map((number) => logText(number));
    const more = numbers.length > NAMES_SHOWN ? ` and ${numbers.length - NAMES_SHOWN} more` : '';
    return [`${numbers.length} of ${records.length} records ${sentence}: ${shown.join(', ')}${more}`];
  });
}
