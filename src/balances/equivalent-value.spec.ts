import type { Rate } from './balance';
import { equivalentValue, latestRate } from './equivalent-value';
import type { Step } from './step';

const rate = (changes: Partial<Rate> = {}): Rate => ({
  base: 'EUR',
  quote: 'SAR',
  rateDate: '2026-03-10',
  rate: '4.0812',
  source: 'central bank',
  ...changes,
});

function equivalent(value: string, rates: readonly Rate[], currency = 'SAR', steps: Step[] = []): string | undefined {
  const wanted = {
    currency: 'EUR',
    rate: (from: string, on: string): Rate | undefined => latestRate(rates, from, 'EUR', on),
  };
  return equivalentValue({ value, currency, on: '2026-03-10' }, wanted, steps);
}

describe('equivalentValue', () => {
  it('is the value itself in the same currency, digit for digit, and needs no rate', () => {
    expect(equivalent('4.200', [], 'EUR')).toBe('4.200');
  });

  it('divides by a rate that is quoted the other way round', () => {
    expect(equivalent('100.00', [rate()])).toBe('24.50');
  });

  it('multiplies by a rate of this direction', () => {
    expect(equivalent('100.00', [rate({ base: 'SAR', quote: 'EUR', rate: '0.2450' })])).toBe('24.50');
  });

  it('keeps the sign, and rounds half to even', () => {
    const half = rate({ base: 'SAR', quote: 'EUR', rate: '0.5' });
    expect(equivalent('-0.25', [half])).toBe('-0.12');
    expect(equivalent('-0.27', [half])).toBe('-0.14');
    expect(equivalent('-0.01', [half])).toBe('0.00');
  });

  it('is left out where no rate is known, and says so', () => {
    const steps: Step[] = [];
    expect(equivalent('100.00', [], 'SAR', steps)).toBeUndefined();
    expect(steps[0]?.text).toContain('No rate of SAR and EUR');
  });

  it('is left out where the rate that is offered is of other currencies, too old or from the future', () => {
    for (const offered of [
      rate({ quote: 'USD' }),
      rate({ rateDate: '2026-03-02' }),
      rate({ rateDate: '2026-03-11' }),
      rate({ rate: 'NaN' }),
      rate({ rate: '0.000' }),
    ]) {
      const wanted = { currency: 'EUR', rate: () => offered };
      expect(equivalentValue({ value: '1', currency: 'SAR', on: '2026-03-10' }, wanted, [])).toBeUndefined();
    }
  });

  it('explains itself with the rate, its date and its source', () => {
    const steps: Step[] = [];
    equivalent('100.00', [rate({ rateDate: '2026-03-06' })], 'SAR', steps);
    expect(steps).toMatchObject([
      {
        rule: 'equivalent-value',
        text: 'equivalentValue is 100.00 SAR ÷ 4.0812 = 24.50 EUR, by the rate 1 EUR = 4.0812 SAR of 2026-03-06 (central bank).',
      },
    ]);
  });
});

describe('latestRate', () => {
  const dates = (...rateDates: string[]): Rate[] => rateDates.map((rateDate) => rate({ rateDate }));
  const latest = (rates: readonly Rate[]): string | undefined =>
    latestRate(rates, 'SAR', 'EUR', '2026-03-10')?.rateDate;

  it('takes the latest that is not after the date, in any order', () => {
    expect(latest(dates('2026-03-05', '2026-03-09', '2026-03-11', '2026-03-08'))).toBe('2026-03-09');
    expect(latest(dates('2026-03-10', '2026-03-09'))).toBe('2026-03-10');
  });

  it('takes a rate of 7 days before and none of 8, over the end of a month too', () => {
    expect(latest(dates('2026-03-03'))).toBe('2026-03-03');
    expect(latest(dates('2026-03-02'))).toBeUndefined();
    expect(latestRate(dates('2026-02-22'), 'SAR', 'EUR', '2026-03-01')?.rateDate).toBe('2026-02-22');
  });

  it('of two of one date takes the one of this direction, in any order', () => {
    const both = [rate(), rate({ base: 'SAR', quote: 'EUR', rate: '0.25' })];
    expect(latestRate(both, 'SAR', 'EUR', '2026-03-10')?.base).toBe('SAR');
    expect(latestRate(both.toReversed(), 'SAR', 'EUR', '2026-03-10')?.base).toBe('SAR');
  });

  it('does not chain two rates over a third currency', () => {
    const chain = [rate({ base: 'USD', quote: 'SAR' }), rate({ base: 'EUR', quote: 'USD' })];
    expect(latestRate(chain, 'SAR', 'EUR', '2026-03-10')).toBeUndefined();
  });
});
