import fc from 'fast-check';
import { JsonNumber } from '../shared/json';
import { operationInput, rules, type Given } from '../../test/support/operation-input';
import { validateOperation } from './validate-operation';

const inDollar = (amount: string, euroExchangeRate: string, amountInEuro: string): Record<string, Given> => ({
  currency: 'USD',
  amount: new JsonNumber(amount),
  euroExchangeRate: new JsonNumber(euroExchangeRate),
  amountInEuro: new JsonNumber(amountInEuro),
});

function judge(changes: Record<string, Given>): { verdict: string; messages: string[] } {
  const check = validateOperation(operationInput(changes), rules());
  if (!check.ok) return { verdict: 'refused', messages: check.errors.map(({ message }) => message) };
  const messages = [...check.warnings, ...check.dropped].map(({ message }) => message);
  return { verdict: check.dropped.length > 0 ? 'dropped' : messages.length > 0 ? 'warned' : 'taken', messages };
}

describe('amountInEuro beside amount × euroExchangeRate', () => {
  it.each([
    ['100', '0.93', '93', 'taken'],
    ['100', '0.93', '93.00', 'taken'],
    ['33.33', '0.9217', '30.72', 'taken'], // 30.720261 rounded
    ['33.33', '0.9217', '30.720261', 'taken'],
    ['1', '0.005', '0.01', 'taken'], // half a cent, rounded up
    ['1', '0.0061', '0.01', 'taken'], // one yen: a cent is all that can be said
    ['1000', '1.16', '1160', 'taken'], // the vendor's samples
    ['14.5', '100', '1450', 'taken'],
    ['998', '1.14', '1140.41', 'warned'],
    ['123', '1.16', '143', 'warned'],
    ['100', '0.93', '94.86', 'warned'], // 2 % exactly
    ['100', '0.93', '91.14', 'warned'],
    ['100', '0.93', '94.8600000001', 'refused'],
    ['100', '0.93', '91.1399999999', 'refused'],
    ['100', '0.93', '94.87', 'refused'],
    ['100', '0.93', '91.13', 'refused'],
    ['100', '0.93', '9300', 'refused'],
    ['999999999999999999.9999999999', '1', '999999999999999999.9999999999', 'taken'],
    ['999999999999999999', '0.0000000001', '99999999.9999999999', 'taken'],
  ])('%s at %s given as %s is %s', (amount, rate, euro, verdict) => {
    expect(judge(inDollar(amount, rate, euro)).verdict).toBe(verdict);
  });

  it('draws the line at 2 % exactly, whatever the digits', () => {
    const cents = fc.bigInt({ min: 1_000n, max: 10n ** 15n });
    const decimal = (units: bigint): string => `${units / 100n}.${(units % 100n).toString().padStart(2, '0')}`;
    fc.assert(
      fc.property(cents, fc.boolean(), (units, above) => {
        const amount = decimal(units * 100n); // so that 2 % are whole cents
        const apart = units * 2n;
        const sign = above ? 1n : -1n;
        expect(judge(inDollar(amount, '1', decimal(units * 100n + sign * apart))).verdict).toBe('warned');
        expect(judge(inDollar(amount, '1', decimal(units * 100n + sign * (apart + 1n)))).verdict).toBe('refused');
      }),
    );
  });

  it('names the direction where amount ÷ rate fits instead', () => {
    const { verdict, messages } = judge(inDollar('100', '1.25', '80'));
    expect(verdict).toBe('refused');
    expect(messages).toEqual([
      'amountInEuro must be amount multiplied by euroExchangeRate, but is a number more than 2 % beside it; it fits amount ' +
        'divided by euroExchangeRate, but the rate must be EUR for one unit of currency, not units for one EUR',
    ]);
    expect(judge(inDollar('100', '1.25', '81.6')).messages[0]).toContain('divided by'); // 2 % beside the quotient
    expect(judge(inDollar('100', '1.25', '81.7')).messages[0]).not.toContain('divided by');
    expect(judge(inDollar('100', '1.25', '200')).messages[0]).not.toContain('divided by');
  });

  it('names the direction in the warning too, where the rate is so near 1 that both fit', () => {
    const { verdict, messages } = judge(inDollar('100', '1.005', '99.50'));
    expect(verdict).toBe('warned');
    expect(messages[0]).toContain('divided by');
  });

  it.each([
    [{ euroExchangeRate: undefined }, ['euroExchangeRate is mandatory where currency is not EUR, but is absent']],
    [{ amountInEuro: undefined }, ['amountInEuro is mandatory where currency is not EUR, but is absent']],
    [{ euroExchangeRate: 0 }, ['euroExchangeRate must be greater than 0, but is zero']],
    [{ amountInEuro: -93 }, ['amountInEuro must be greater than 0, but is a negative number']],
    [{ amountInEuro: 0 }, ['amountInEuro must be greater than 0, but is zero']],
    [{ euroExchangeRate: null }, ['euroExchangeRate must be left out where it has no value, but is null']],
  ])('demands both, greater than 0: %j', (changes, messages) => {
    expect(judge({ ...inDollar('100', '0.93', '93'), ...changes })).toEqual({ verdict: 'refused', messages });
  });
});

describe('an operation in euro', () => {
  const inEuro = (euroExchangeRate: Given, amountInEuro: Given): Record<string, Given> => ({
    amount: new JsonNumber('1499.50'),
    euroExchangeRate,
    amountInEuro,
  });

  it.each<[Given, Given]>([
    [1, new JsonNumber('1499.5')],
    [new JsonNumber('1.000'), new JsonNumber('1499.500')],
    ['1', '1499.50'],
  ])('loses a rate of 1 (%j) with the same amount (%j), and that is reported', (rate, euro) => {
    const check = validateOperation(operationInput(inEuro(rate, euro)), rules());
    expect(check).toMatchObject({ ok: true, warnings: [] });
    if (!check.ok) return;
    expect(check.dropped.map(({ field }) => field)).toEqual(['euroExchangeRate', 'amountInEuro']);
    expect(check.operation).not.toHaveProperty('euroExchangeRate');
    expect(check.operation).not.toHaveProperty('amountInEuro');
  });

  it.each<[string, Given, Given, string[]]>([
    ['another amount', 1, 1499, ['is 1', 'differs from amount']],
    ['another amount by the last digit', 1, '1499.5000000001', ['is 1', 'differs from amount']],
    ['another rate', 2, '1499.50', ['is a number other than 1', 'is given alone or beside another rate']],
    ['the rate alone', 1, undefined, ['is 1']],
    ['the amount alone', undefined, '1499.50', ['is given alone or beside another rate']],
  ])('is refused with %s', (_title, rate, euro, endings) => {
    const { verdict, messages } = judge(inEuro(rate, euro));
    expect(verdict).toBe('refused');
    expect(messages).toEqual(
      endings.map((ending) =>
        expect.stringMatching(new RegExp(`must be left out where currency is EUR, but ${ending}$`)),
      ),
    );
  });

  it('is refused once for a rate that is no number', () => {
    expect(judge(inEuro('one', 1499)).messages).toEqual([
      expect.stringContaining('euroExchangeRate must be a decimal'),
    ]);
  });
});
