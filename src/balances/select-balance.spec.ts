import { creditLine, listOf, mappingInput } from '../../test/support/mapping';
import type { ReportedBalance } from './balance';
import { mapBalances } from './map-balances';

/** What would be sent, and else the outcome. */
function sent(elements: ReportedBalance[], changes: Parameters<typeof mappingInput>[1] = {}): string {
  const { outcome, balances } = mapBalances(mappingInput(elements, changes));
  return [outcome, ...balances.map((balance) => `${balance.providerType} ${balance.value}`)].join(', ');
}

function reason(elements: ReportedBalance[], changes: Parameters<typeof mappingInput>[1] = {}): string | undefined {
  return mapBalances(mappingInput(elements, changes)).reason;
}

describe('selection', () => {
  const unreadable = { amount: 'NaN', creditDebitIndicator: 'Maybe', dateTime: 'yesterday', creditLines: 'all' };

  it.each<[string, Partial<ReportedBalance>[], string]>([
    ['sends the one balance of a mapped type and the currency', [{}], 'READ, ClosingBooked 7896.21'],
    ['compares types without prefix', [{ type: 'ClosingBooked' }], 'READ, ClosingBooked 7896.21'],
    ['compares types without case', [{ type: 'ksaob.CLOSINGBOOKED' }], 'READ, ClosingBooked 7896.21'],
    ['takes the prefix off once', [{ type: 'KSAOB.KSAOB.ClosingBooked' }], 'NO_ELIGIBLE_BALANCE'],
    [
      'prefers the first type of the map, wherever it stands in the list',
      [{ type: 'InterimBooked', amount: '1' }, { amount: '2' }],
      'READ, ClosingBooked 2',
    ],
    [
      'takes a later type of the map where the first is absent',
      [{ type: 'InterimBooked' }],
      'READ, InterimBooked 7896.21',
    ],
    [
      'takes a later type of the map where the first is in another currency',
      [{ currency: 'USD' }, { type: 'InterimBooked', amount: '2' }],
      'READ, InterimBooked 2',
    ],
    ['sends no type outside the map', [{ type: 'KSAOB.Expected' }], 'NO_ELIGIBLE_BALANCE'],
    ['finds nothing in an empty list', [], 'NO_ELIGIBLE_BALANCE'],
    ['takes a type that is no text for none', [{ type: null }, { type: ['ClosingBooked'] }], 'NO_ELIGIBLE_BALANCE'],
    ['does not convert: another currency is a mismatch', [{ currency: 'USD' }], 'CURRENCY_MISMATCH'],
    ['compares currencies exactly', [{ currency: 'sar' }], 'CURRENCY_MISMATCH'],
    ['takes a currency that is no text for none', [{ currency: null }], 'CURRENCY_MISMATCH'],
    ['is not disturbed by an element of another type', [unreadable, {}].map(other), 'READ, ClosingBooked 7896.21'],
    [
      'is not disturbed by an element of another currency',
      [{ ...unreadable, currency: 'USD' }, {}],
      'READ, ClosingBooked 7896.21',
    ],
    [
      'is not disturbed by an element later in the map',
      [{ ...unreadable, type: 'InterimBooked' }, {}],
      'READ, ClosingBooked 7896.21',
    ],
    [
      'does not fall back to the next type after an unreadable amount',
      [{ amount: null }, { type: 'InterimBooked' }],
      'INVALID_PAYLOAD',
    ],
    [
      'does not fall back to the next type after a contradiction of signs',
      [{ amount: '-1' }, { type: 'InterimBooked' }],
      'SIGN_CONTRADICTION',
    ],
    [
      'does not fall back to the next type after an unclear credit line',
      [{ creditLines: [creditLine(), creditLine()] }, { type: 'InterimBooked' }],
      'CREDIT_LINE_UNCLEAR',
    ],
    [
      'does not fall back to the next type after an ambiguity',
      [{}, { amount: '1' }, { type: 'InterimBooked' }],
      'AMBIGUOUS_BALANCE',
    ],
  ])('%s', (_title, elements, expected) => {
    expect(sent(listOf(...elements))).toBe(expected);
  });

  function other(element: Partial<ReportedBalance>): Partial<ReportedBalance> {
    return element === unreadable ? { ...element, type: 'KSAOB.Expected' } : element;
  }

  it('takes XXX for no currency, even where the account says the same', () => {
    expect(sent(listOf({ currency: 'XXX' }), { currency: 'XXX' })).toBe('CURRENCY_MISMATCH');
  });

  it('names what it found and what it wanted', () => {
    expect(reason(listOf({ type: 'KSAOB.Expected' }))).toBe(
      'The bank reports "KSAOB.Expected", but STATEMENT_BALANCE is made of ClosingBooked, InterimBooked.',
    );
    expect(reason(listOf({ currency: 'USD' }))).toBe(
      `The account's currency is SAR, but the bank reports its STATEMENT_BALANCE types in "USD".`,
    );
    expect(reason([])).toContain('The bank reports no balance at all');
  });

  it('names the type as the map spells it first, since the account is pinned by that name', () => {
    const balanceTypes = ['closingBooked', 'KSAOB.ClosingBooked'].map((type) => ({ type, code: 'STATEMENT_BALANCE' }));
    expect(sent(listOf({}), { settings: { balanceTypes } })).toBe('READ, closingBooked 7896.21');
  });

  it('takes an AMLYZE code for a mere name, also where JavaScript objects have a member of that name', () => {
    const balanceTypes = [{ type: 'ClosingBooked', code: 'constructor' }];
    expect(sent(listOf({}), { settings: { balanceTypes } })).toBe('READ, ClosingBooked 7896.21');
  });

  it('fails where the connection maps nothing', () => {
    expect(sent(listOf({}), { settings: { balanceTypes: [] } })).toBe('NO_ELIGIBLE_BALANCE');
  });
});

describe('selection with a pinned type', () => {
  const pinnedTypes = { STATEMENT_BALANCE: 'InterimBooked' };

  it.each<[string, Partial<ReportedBalance>[], string]>([
    ['the pinned type before the map', [{}, { type: 'KSAOB.InterimBooked', amount: '2' }], 'READ, InterimBooked 2'],
    ['nothing where the pinned type is missing', [{}], 'NO_ELIGIBLE_BALANCE'],
    [
      'nothing where it is in another currency',
      [{}, { type: 'InterimBooked', currency: 'USD' }],
      'NO_ELIGIBLE_BALANCE',
    ],
    ['nothing where no mapped type is there', [{ type: 'Expected' }], 'NO_ELIGIBLE_BALANCE'],
    ['a mismatch where nothing is in the currency', [{ currency: 'USD' }], 'CURRENCY_MISMATCH'],
    ['the failure of the pinned type', [{}, { type: 'InterimBooked', amount: '' }], 'INVALID_PAYLOAD'],
  ])('gives %s', (_title, elements, expected) => {
    expect(sent(listOf(...elements), { pinnedTypes })).toBe(expected);
  });

  it('says that the pin is the reason', () => {
    expect(reason(listOf({}), { pinnedTypes })).toContain(
      `The account's STATEMENT_BALANCE is pinned to "InterimBooked"`,
    );
    expect(reason(listOf({ type: 'Expected' }), { pinnedTypes })).toContain('is pinned to "InterimBooked"');
  });

  it.each<[string, Partial<ReportedBalance>[], string]>([
    ['InterimBooked', [{}], 'which the bank does not report'],
    ['InterimBooked', [{}, { type: 'KSAOB.InterimBooked', currency: 'USD' }], 'which the bank reports in "USD" only'],
    ['ClosingAvailable', [{}, { type: 'ClosingAvailable' }], "which the connection's balanceTypes do not hold"],
  ])('says of the pinned %s (%j) why it is not sent', (pinned, elements, why) => {
    expect(reason(listOf(...elements), { pinnedTypes: { STATEMENT_BALANCE: pinned } })).toBe(
      `The account's STATEMENT_BALANCE is pinned to "${pinned}", ${why}; "KSAOB.ClosingBooked" would start another series.`,
    );
  });

  it('compares the pinned type without case and prefix', () => {
    const pin = { pinnedTypes: { STATEMENT_BALANCE: 'KSAOB.INTERIMBOOKED' } };
    expect(sent(listOf({}, { type: 'InterimBooked', amount: '2' }), pin)).toBe('READ, InterimBooked 2');
  });

  it('sends nothing where the pinned type has left the map', () => {
    const pin = { pinnedTypes: { STATEMENT_BALANCE: 'ClosingAvailable' } };
    expect(sent(listOf({}, { type: 'ClosingAvailable' }), pin)).toBe('NO_ELIGIBLE_BALANCE');
  });
});

describe('selection of a type that is listed twice', () => {
  it.each<[string, Partial<ReportedBalance>[], string]>([
    ['different amounts', [{}, { amount: '1' }], 'AMBIGUOUS_BALANCE'],
    ['different sides', [{}, { creditDebitIndicator: 'Debit' }], 'AMBIGUOUS_BALANCE'],
    ['different times', [{}, { dateTime: '2026-03-10T10:40:01Z' }], 'AMBIGUOUS_BALANCE'],
    ['different lines', [{}, { creditLines: [creditLine()] }], 'AMBIGUOUS_BALANCE'],
    ['different amounts, one line unclear', [{}, { amount: '1', creditLines: 'all' }], 'AMBIGUOUS_BALANCE'],
    ['one of two amounts unreadable', [{}, { amount: 'NaN' }], 'INVALID_PAYLOAD'],
    ['one amount unreadable, the other contradictory', [{ amount: '-1' }, { amount: 'NaN' }], 'INVALID_PAYLOAD'],
    ['one of two times unreadable', [{}, { dateTime: null }], 'INVALID_PAYLOAD'],
    ['one of two lines unclear', [{}, { creditLines: 'all' }], 'CREDIT_LINE_UNCLEAR'],
    ['the same twice', [{}, {}], 'READ, ClosingBooked 7896.21'],
    ['the same instant written twice', [{}, { dateTime: '2026-03-10T13:40:00+03:00' }], 'READ, ClosingBooked 7896.21'],
    ['the same number written twice', [{ amount: '100.0' }, { amount: '100.00' }], 'READ, ClosingBooked 100.00'],
    ['the same in two currencies', [{ amount: '1', currency: 'USD' }, {}], 'READ, ClosingBooked 7896.21'],
  ])('%s', (_title, elements, expected) => {
    expect(sent(listOf(...elements))).toBe(expected);
    expect(sent(listOf(...elements.toReversed()))).toBe(expected);
  });

  it('names both elements', () => {
    expect(reason(listOf({}, { type: 'Expected' }, { amount: '1' }))).toBe(
      'Balances no. 1, 3 have the same type and currency, but different amounts; which one holds is not said.',
    );
  });
});
