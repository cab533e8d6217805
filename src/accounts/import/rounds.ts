import type { AccountFields } from '../account-rules';

/** A valid line whose consent is known. */
export interface PlacedLine {
  line: number;
  account: AccountFields;
  connectionId: string;
  bankCode: string;
}

/**
 * Deals lines into rounds, so that within a round no two have the same place at the bank or the same name in AMLYZE, and
 * of two that have, the earlier line is in the earlier round. Files without repetitions are one round.
 *
 * @param configured AMLYZE_BUSINESS_UNIT, which is that of lines without one
 */
export function distinctRounds(lines: readonly PlacedLine[], configured?: string): PlacedLine[][] {
  const rounds: PlacedLine[][] = [];
  const nextRound = new Map<string, number>();
  for (const placed of lines) {
    const { account, connectionId, bankCode } = placed;
    const atBank = JSON.stringify(['bank', connectionId, bankCode, account.providerAccountId, account.currency]);
    const inAmlyze = JSON.stringify(['amlyze', account.businessUnit ?? configured ?? '', account.accountExtId]);
    const round = Math.max(nextRound.get(atBank) ?? 0, nextRound.get(inAmlyze) ?? 0);
    (rounds[round] ??= []).push(placed);
    nextRound.set(atBank, round + 1);
    nextRound.set(inAmlyze, round + 1);
  }
  return rounds;
}
