import type { ActiveFault, Fired, FiredFaults } from '../kernel/fault-engine';
import { seededRandom } from '../kernel/random';
import type { FaultKind } from '../faults';
import { ALREADY_USED } from './balance-rules';
import type { SentItem, Verdict } from './item';

export interface Result {
  resultType: 'REQUEST_ACCEPTED' | 'REQUEST_REJECTED';
  /** balances only */
  communicationNumber?: string;
  accountExtId?: string;
  /** operations only */
  operationExtId?: string;
  businessUnit?: string;
  errorCode?: string;
  errorDescription?: string;
  timeElapsedMs: number;
}

/** A result with the item that it is about; null where somebody put a null into the list. */
export interface Listed {
  readonly item: SentItem | undefined;
  readonly result: Result | null;
}

/** The results of a batch name a balance by number and account, an operation by its operationExtId alone. */
export function resultOf(item: SentItem, kind: 'balance' | 'operation', verdict: Verdict | undefined): Listed {
  const { communicationNumber, accountExtId, operationExtId, businessUnit } = item;
  const result: Result = {
    resultType: verdict === undefined ? 'REQUEST_ACCEPTED' : 'REQUEST_REJECTED',
    ...(kind === 'operation' || communicationNumber === undefined ? {} : { communicationNumber }),
    ...(accountExtId === undefined ? {} : { accountExtId }),
    ...(operationExtId === undefined ? {} : { operationExtId }),
    ...(businessUnit === undefined ? {} : { businessUnit }),
    ...verdict,
    timeElapsedMs: 1,
  };
  return { item, result };
}

function selected(fault: ActiveFault, { item }: Listed): boolean {
  return item !== undefined && fault.selects(item);
}

function opposite(result: Result): Result {
  const { errorCode: _code, errorDescription: _text, ...rest } = result;
  return result.resultType === 'REQUEST_REJECTED'
    ? { ...rest, resultType: 'REQUEST_ACCEPTED' }
    : { ...rest, resultType: 'REQUEST_REJECTED', errorCode: 'O005', errorDescription: ALREADY_USED };
}

function shuffled(results: readonly Listed[], seed: number): Listed[] {
  const random = seededRandom(seed);
  const order = [...results];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [one, two] = [order[last], order[other]];
    if (one !== undefined && two !== undefined) [order[last], order[other]] = [two, one];
  }
  const unchanged = order.every((result, index) => result === results[index]);
  return unchanged ? order.reverse() : order;
}

/** Replaces each of the first `count` matched results by what `change` makes of it. */
function changeMatched<K extends FaultKind>(
  results: Listed[],
  fired: Fired<K> | undefined,
  count: number | undefined,
  change: (result: Result) => Result[],
): Listed[] {
  if (fired === undefined) return results;
  let left = count ?? 1;
  return results.flatMap((listed) => {
    if (left === 0 || listed.result === null || !selected(fired.fault, listed)) return [listed];
    left -= 1;
    return change(listed.result).map((result) => ({ item: listed.item, result }));
  });
}

function mislabelled(result: Result, label: string): Result {
  const name = result.operationExtId === undefined ? 'accountExtId' : 'operationExtId';
  const { [name]: _own, ...rest } = result;
  return label === '' ? rest : { ...rest, [name]: label };
}

function stranger(kind: 'balance' | 'operation', name = 'stranger-1'): Listed {
  const named = kind === 'balance' ? { communicationNumber: name, accountExtId: 'stranger' } : { operationExtId: name };
  return { item: undefined, result: { resultType: 'REQUEST_ACCEPTED', ...named, timeElapsedMs: 1 } };
}

/** The list as the faults leave it. */
export function distorted(results: Listed[], kind: 'balance' | 'operation', faults: FiredFaults): (Result | null)[] {
  if (faults.none) return results.map(({ result }) => result);
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
  const added = faults.find('stranger-result');
  if (added !== undefined) list.push(stranger(kind, added.action.communicationNumber));
  if (faults.find('null-result') !== undefined) list.unshift({ item: undefined, result: null });
  const shuffle = faults.find('shuffle-results');
  return (shuffle === undefined ? list : shuffled(list, shuffle.action.seed ?? 1)).map(({ result }) => result);
}
