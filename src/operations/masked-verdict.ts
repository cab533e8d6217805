import type { CallVerdict, RecordVerdict } from '../amlyze/record-verdict';
import { maskCardNumbers } from '../shared/card-scan';

/**
 * The verdict with every card number in AMLYZE's words masked. AMLYZE was sent whole numbers and may quote them in an error,
 * which is kept in the log for ever; the verdict itself was made from the words as they came.
 */
export function maskedVerdict(verdict: CallVerdict): CallVerdict {
  if (verdict.kind === 'configuration') {
    const rejections = verdict.rejections?.map(maskedRecord);
    return { ...verdict, detail: maskCardNumbers(verdict.detail), ...(rejections && { rejections }) };
  }
  if (verdict.kind !== 'settled') return { ...verdict, detail: maskCardNumbers(verdict.detail) };
  return {
    ...verdict,
    records: verdict.records.map(maskedRecord),
    strangers: verdict.strangers.map(maskCardNumbers),
    alarms: verdict.alarms.map(maskCardNumbers),
  };
}

function maskedRecord(record: RecordVerdict): RecordVerdict {
  const { errorCode, errorDescription, answer } = record;
  return {
    ...record,
    ...(errorCode !== undefined && { errorCode: maskCardNumbers(errorCode) }),
    ...(errorDescription !== undefined && { errorDescription: maskCardNumbers(errorDescription) }),
    ...(answer !== undefined && { answer: maskCardNumbers(answer) }),
  };
}
