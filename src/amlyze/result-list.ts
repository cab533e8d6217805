import { isJsonObject, type JsonObject, type JsonValue } from '../shared/json';
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

// A hostile list of 5 MiB must not become a log line of 5 MiB.
const STRANGERS_SHOWN = 50;
const NAMES_SHOWN = 5;

/**
 * Gives each sent record its verdict out of the `results` of a batch. Entries are found by communicationNumber
 * together with accountExtId, never by position: no vendor page promises an order, nor one entry a record.
 */
export function matchResults(
  results: readonly JsonValue[],
  status: number,
  records: readonly SentRecord[],
): MatchedResults {
  const { entries, strangers } = groupByNumber(results, new Set(records.map((record) => record.communicationNumber)));
  const matched = records.map((record) => judgeEntries(entries.get(record.communicationNumber) ?? [], status, record));
  return {
    matched,
    answered: entries.size,
    strangers,
    alarms: alarmsOf(
      matched.map(({ verdict }) => verdict),
      records,
    ),
  };
}

function groupByNumber(
  results: readonly JsonValue[],
  asked: ReadonlySet<string>,
): { entries: Map<string, JsonObject[]>; strangers: string[] } {
  const entries = new Map<string, JsonObject[]>();
  const strangers: string[] = [];
  for (const entry of results) {
    const number = isJsonObject(entry) ? entry['communicationNumber'] : undefined;
    if (isJsonObject(entry) && typeof number === 'string' && asked.has(number)) {
      const sameNumber = entries.get(number);
      if (sameNumber) sameNumber.push(entry);
      else entries.set(number, [entry]);
    } else if (strangers.length < STRANGERS_SHOWN) {
      strangers.push(typeof number === 'string' ? logText(number) : '(no communicationNumber)');
    }
  }
  return { entries, strangers };
}

function judgeEntries(entries: readonly JsonObject[], status: number, record: SentRecord): MatchedVerdict {
  const [first, ...others] = entries;
  if (first === undefined) return { verdict: unsure(record, 'MISSING_FROM_RESULTS') };
  if (entries.some((entry) => namesOtherAccount(entry, record))) {
    return { verdict: { ...unsure(record, 'OTHER_ACCOUNT'), answer: answerText([...entries]) } };
  }
  const judged = judgeEntry(first, status, record);
  if (others.every((other) => agree(judgeEntry(other, status, record).verdict, judged.verdict))) return judged;
  return { verdict: { ...unsure(record, 'CONFLICTING_RESULTS'), answer: answerText([...entries]) } };
}

/** An absent accountExtId is no mismatch; anything but the very account we sent is. */
export function namesOtherAccount(entry: JsonObject, record: SentRecord): boolean {
  const named = entry['accountExtId'];
  return record.accountExtId !== undefined && named !== undefined && named !== null && named !== record.accountExtId;
}

function judgeEntry(entry: JsonObject, status: number, record: SentRecord): MatchedVerdict {
  const row = findRow({ source: 'item', status, bytesMayHaveLeft: true, shape: 'json-object', ...wordsOf(entry) });
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
  CONFLICTING_RESULTS: 'answered more than once, with different verdicts',
  MISSING_FROM_RESULTS: 'missing from the results',
  UNCLEAR_RESULT: 'answered in words that no rule knows',
  CONTRADICTORY_ANSWER: 'answered with a rejection under a status that means success',
  COLLISION: 'held: the number is used up in AMLYZE, and nothing of ours proves by whom',
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
