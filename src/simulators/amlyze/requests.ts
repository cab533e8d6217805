import { type BalanceItem, balanceItem } from './balance-item';
import { ItemFields } from './item';
import { parseKeepingNumbers } from './number-text';
import { type OperationItem, operationItem } from './operation-item';

/** An endpoint of AMLYZE: what it takes, and whether one by one or as a list. */
export interface Endpoint {
  readonly kind: 'balance' | 'operation';
  readonly form: 'single' | 'batch';
  /** stores nothing */
  readonly dryRun: boolean;
}

/** The items of a request, by the kind that its endpoint takes. */
export type Items =
  | { readonly kind: 'balance'; readonly list: readonly BalanceItem[] }
  | { readonly kind: 'operation'; readonly list: readonly OperationItem[] };

const LISTS = { balance: 'accountBalances', operation: 'operations' } as const;

/** The items of a request, or undefined where the body is no JSON of the documented form. */
export function itemsOf(body: Buffer, { kind, form }: Endpoint): Items | undefined {
  let parsed: unknown;
  try {
    parsed = parseKeepingNumbers(body.toString('utf8'));
  } catch {
    return undefined;
  }
  const whole = new ItemFields(parsed);
  if (!whole.isObject) return undefined;
  const each = form === 'single' ? [whole] : whole.list(LISTS[kind])?.map((item) => new ItemFields(item));
  if (each === undefined || each.length === 0) return undefined;
  return kind === 'balance' ? { kind, list: each.map(balanceItem) } : { kind, list: each.map(operationItem) };
}
