import type { MappingInput, MappingSettings, ReportedBalance } from '../../src/balances/balance';
import type { JsonValue } from '../../src/shared/json';

export const FETCHED_AT = new Date('2026-03-10T12:00:00.000Z');

/** OneSingleView's way: types with a prefix, unsigned amount with indicator, credit lines, the bank's own time. */
export const INDICATOR_SETTINGS: MappingSettings = {
  balanceTypes: [
    { type: 'ClosingBooked', code: 'STATEMENT_BALANCE' },
    { type: 'InterimBooked', code: 'STATEMENT_BALANCE' },
  ],
  signing: 'indicator',
  balanceTime: 'bank',
  typePrefix: 'KSAOB.',
  creditLine: 'own-funds',
};

/** myPOS's way: one type, a signed number, no time. */
export const SIGNED_SETTINGS: MappingSettings = {
  balanceTypes: [{ type: 'available', code: 'STATEMENT_BALANCE' }],
  signing: 'signed-amount',
  balanceTime: 'fetch',
};

/** A complete element as OneSingleView reports it, 7896.21 SAR Credit; a test changes what it is about. */
export function reported(changes: Partial<ReportedBalance> = {}): ReportedBalance {
  return {
    index: 0,
    type: 'KSAOB.ClosingBooked',
    currency: 'SAR',
    amount: '7896.21',
    creditDebitIndicator: 'KSAOB.Credit',
    dateTime: '2026-03-10T10:40:00.000Z',
    ...changes,
  };
}

/** Elements in the order of the bank's list. */
export function listOf(...elements: Partial<ReportedBalance>[]): ReportedBalance[] {
  return elements.map((changes, index) => reported({ index, ...changes }));
}

export function mappingInput(
  elements: readonly ReportedBalance[],
  changes: Partial<Omit<MappingInput, 'settings'>> & { settings?: Partial<MappingSettings> } = {},
): MappingInput {
  return {
    reported: elements,
    currency: 'SAR',
    pinnedTypes: {},
    fetchedAt: FETCHED_AT,
    ...changes,
    settings: { ...INDICATOR_SETTINGS, ...changes.settings },
  };
}

/** A credit line as the bank reports it, 5000.00 SAR and included. */
export function creditLine(
  changes: { included?: JsonValue; amount?: JsonValue; currency?: JsonValue } = {},
): JsonValue {
  const { included = true, amount = '5000.00', currency = 'SAR' } = changes;
  return { included, type: 'KSAOB.Available', amount: { amount, currency } };
}
