import type { OperationChannel } from '../outbox/enqueue-operations';
import { keyText, type BusinessKey } from './identity';
import { asksForScreening, hasCardData, type Finding, type Operation } from './operation';

/** A valid operation on its way into the outbox. */
export interface Candidate {
  line: number;
  operation: Operation;
  key: BusinessKey;
  cardData: boolean;
  channel: OperationChannel;
}

/** What became of a candidate. */
export type Outcome =
  | { kind: 'taken' | 'unchanged' | 'restored'; communicationNumber: string }
  | { kind: 'conflict'; errors: Finding[]; existing?: string; received?: string };

export function toCandidate(line: number, operation: Operation, delivery: 'single' | 'batch'): Candidate {
  const alone = delivery === 'single' || asksForScreening(operation);
  return {
    line,
    operation,
    key: { businessUnit: operation.businessUnit, operationExtId: operation.operationExtId },
    cardData: hasCardData(operation),
    channel: alone ? 'operation-single' : 'operation-batch',
  };
}

/**
 * Lines that share a key or a caller's number depend on each other: the later one is only decided when the earlier one is
 * stored. Each round has independent lines, in their order.
 */
export function independentRounds(candidates: readonly Candidate[]): Candidate[][] {
  const rounds: Candidate[][] = [];
  const nextOf = new Map<string, number>();
  for (const candidate of candidates) {
    const { communicationNumber } = candidate.operation;
    const names = [
      keyText(candidate.key),
      ...(communicationNumber === undefined ? [] : [`number ${communicationNumber}`]),
    ];
    const round = Math.max(...names.map((name) => nextOf.get(name) ?? 0));
    for (const name of names) nextOf.set(name, round + 1);
    (rounds[round] ??= []).push(candidate);
  }
  return rounds;
}
