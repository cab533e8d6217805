import type { MappedBalance, MappingInput, MappingResult } from './balance';
import { agreeOnOne, checkBalance } from './check-balance';
import { equivalentValue } from './equivalent-value';
import { Refusal } from './outcome';
import { selectBalances } from './select-balance';
import { count, MAX_SHOWN_ITEMS, showAll } from './show';
import { amlyzeTypesOf, isMapped } from './type-map';
import { stepOf, type Step } from './step';

const outcome = stepOf('outcome');
const selection = stepOf('selection');

/**
 * From the balances a bank reports to the balances AMLYZE gets. Pure: no clock, no database, no log; the same input
 * gives the same result and the same explanation, at the read, in a preview and years later.
 *
 * Each AMLYZE balance type of the map is mapped for itself. The first that fails names the outcome and the balances of
 * the others stay. One that the bank does not report at all fails the reading only if nothing else could be mapped, or
 * if earlier records promised a series (the account is pinned).
 */
export function mapBalances(input: MappingInput): MappingResult {
  const steps: Step[] = [];
  const balances: MappedBalance[] = [];
  let failure: Refusal | undefined;
  let absence: Refusal | undefined;
  explainUnmapped(input, steps);
  for (const code of amlyzeTypesOf(input.settings.balanceTypes, input.settings.typePrefix)) {
    const pinned = pinOf(input, code);
    const mapped = mapType(code, pinned, input, steps);
    if (!(mapped instanceof Refusal)) {
      balances.push(mapped);
      continue;
    }
    steps.push(outcome`Nothing is sent as ${code} (${mapped.outcome}): ${mapped.reason}`);
    if (mapped.outcome === 'NO_ELIGIBLE_BALANCE' && pinned === undefined) absence ??= mapped;
    else failure ??= mapped;
  }
  if (balances.length === 0) {
    failure ??= absence ?? new Refusal('NO_ELIGIBLE_BALANCE', 'The connection maps no balance type.');
  }
  if (failure === undefined) return { outcome: 'READ', steps, balances };
  return { outcome: failure.outcome, reason: failure.reason, steps, balances };
}

function mapType(
  code: string,
  pinned: string | undefined,
  input: MappingInput,
  steps: Step[],
): MappedBalance | Refusal {
  const { reported, currency, settings } = input;
  const { balanceTypes: map, typePrefix } = settings;
  const selected = selectBalances({ reported, code, map, typePrefix, currency, pinned }, steps);
  if (selected instanceof Refusal) return selected;

  const checked = selected.balances.map((balance) => checkBalance(balance, input));
  for (const each of checked.slice(0, MAX_SHOWN_ITEMS)) steps.push(...each.steps);
  const agreed = agreeOnOne(checked, steps);
  if (agreed instanceof Refusal) return agreed;

  const { value, balanceAt } = agreed;
  const mapped: MappedBalance = {
    balanceType: code,
    providerType: selected.providerType,
    value,
    balanceAt,
    balanceAtSource: settings.balanceTime,
  };
  if (input.equivalent !== undefined) {
    const money = { value, currency, on: balanceAt.slice(0, 10) };
    const equivalent = equivalentValue(money, input.equivalent, steps);
    if (equivalent !== undefined) mapped.equivalentValue = equivalent;
  }
  steps.push(outcome`${code} is ${value} ${currency} at ${balanceAt}.`);
  return mapped;
}

/** Types outside the map are no fault: banks report many, and the operator chose which of them AMLYZE gets. */
function explainUnmapped({ reported, settings }: MappingInput, steps: Step[]): void {
  const { balanceTypes, typePrefix } = settings;
  const outside = reported.filter(({ type }) => typeof type !== 'string' || !isMapped(balanceTypes, type, typePrefix));
  if (outside.length === 0) return;
  const types = showAll(outside.map(({ type }) => type));
  steps.push(selection`${count(outside.length, 'reported balance')} of a type outside the map: ${types}; not sent.`);
}

function pinOf({ pinnedTypes }: MappingInput, code: string): string | undefined {
  return Object.hasOwn(pinnedTypes, code) ? pinnedTypes[code] : undefined;
}
