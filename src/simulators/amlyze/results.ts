import type { ActiveFault, Fired, FiredFaults } from '../kernel/fault-engine';
import { seededRandom } from '../kernel/random';
import type { FaultKind } from '../faults';
import type { BalanceItem, Verdict } from './balance-item';

export interface Result {
  resultType: 'REQUEST_ACCEPTED' | 'REQUEST_REJECTED';
  communicationNumber?: string;
  accountExtId?: string;
  businessUnit?: string;
  errorCode?: string;
  errorDescription?: string;
  timeElapsedMs: number;
}

export const ALREADY_USED: Verdict = {
  errorCode: 'O005',
  errorDescription: 'CommunicationNumber already used in amlyze',
};

export function resultOf(item: BalanceItem, verdict: Verdict | undefined): Result {
  return {
    resultType: verdict === undefined ? 'REQUEST_ACCEPTED' : 'REQUEST_REJECTED',
    ...(item.communicationNumber === undefined ? {} : { communicationNumber: item.communicationNumber }),
    ...(item.accountExtId === undefined ? {} : { accountExtId: item.accountExtId }),
    ...(item.businessUnit === undefined ? {} : { businessUnit: item.businessUnit }),
    ...verdict,
    timeElapsedMs: 1,
  };
}

function selected(fault: ActiveFault, result: Result): boolean {
  return fault.selects(result.accountExtId ?? '', result.communicationNumber ?? '');
}

function opposite(result: Result): Result {
  const { errorCode: _code, errorDescription: _text, ...rest } = result;
  return result.resultType === 'REQUEST_REJECTED'
    ? { ...rest, resultType: 'REQUEST_ACCEPTED' }
    : { ...rest, resultType: 'REQUEST_REJECTED', ...ALREADY_USED };
}

function shuffled(results: (Result | null)[], seed: number): (Result | null)[] {
  const random = seededRandom(seed);
  const order = [...results];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] ?? null, order[last] ?? null];
  }
  const unchanged = order.every((result, index) => result === results[index]);
  return unchanged ? order.reverse() : order;
}

/** Replaces each of the first `count` matched results by what `change` makes of it. */
function changeMatched<K extends FaultKind>(
  results: Result[],
  fired: Fired<K> | undefined,
  count: number | undefined,
  change: (result: Result) => Result[],
): Result[] {
  if (fired === undefined) return results;
  let left = count ?? 1;
  return results.flatMap((result) => {
    if (left === 0 || !selected(fired.fault, result)) return [result];
    left -= 1;
    return change(result);
  });
}

function mislabelled(result: Result, accountExtId: string): Result {
  const { accountExtId: _own, ...rest } = result;
  return accountExtId === '' ? rest : { ...rest, accountExtId };
}

/** The list as the faults leave it. */
export function distorted(results: Result[], faults: FiredFaults): (Result | null)[] {
  if (faults.none) return results;
  const omit = faults.find('omit-results');
  const double = faults.find('double-results');
  const conflict = faults.find('conflicting-results');
  const label = faults.find('mislabelled-results');
  let list = changeMatched(results, omit, omit?.action.count, () => []);
  list = changeMatched(list, double, double?.action.count, (result) => [result, { ...result }]);
  list = changeMatched(list, conflict, conflict?.action.count, (result) => [result, opposite(result)]);
  list = changeMatched(list, label, label?.action.count, (result) => [
    mislabelled(result, label?.action.accountExtId ?? 'someone-else'),
  ]);
  const stranger = faults.find('stranger-result');
  if (stranger !== undefined) {
    const communicationNumber = stranger.action.communicationNumber ?? 'stranger-1';
    list.push({ resultType: 'REQUEST_ACCEPTED', communicationNumber, accountExtId: 'stranger', timeElapsedMs: 1 });
  }
  const withNull = faults.find('null-result') === undefined ? list : [null, ...list];
  const shuffle = faults.find('shuffle-results');
  return shuffle === undefined ? withNull : shuffled(withNull, shuffle.action.seed ?? 1);
}
