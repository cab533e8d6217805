import { FAILED_BELOW, judge, median, percentile, quotients, summarise, type Figure, type Target } from './figure';

const figure = (rounds: number[], target?: Target): Figure => ({
  name: 'a figure',
  unit: '',
  rounds,
  ...(target && { target }),
});

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is the mean of the two in the middle where their number is even', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('is not moved by one wild round', () => {
    expect(median([10, 11, 12, 13, 9_999])).toBe(12);
  });

  it('refuses to speak of no rounds', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])('of 1 to 100 at %d is %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  it('of one value is that value', () => {
    expect(percentile([7], 0.99)).toBe(7);
  });
});

describe('summarise', () => {
  it('names the median with the extremes', () => {
    expect(summarise(figure([3, 1, 2]))).toEqual({ median: 2, min: 1, max: 3 });
  });
});

describe('judge', () => {
  it.each([
    [6, 'met'],
    [2.5, 'missed'],
    [1.5, 'missed'],
    [1.4, 'failed'],
    [NaN, 'failed'],
  ])('says of %d where at least 6 is wanted and 2.5 was reached: %s', (value, verdict) => {
    expect(judge(figure([value], { atLeast: 6, reached: 2.5 }))).toBe(verdict);
  });

  it.each([
    [1.4, 'met'],
    [2.1, 'missed'],
    [3.4, 'missed'],
    [3.6, 'failed'],
  ])('says of %d where at most 1.4 is wanted and 2.1 was reached: %s', (value, verdict) => {
    expect(judge(figure([value], { atMost: 1.4, reached: 2.1 }))).toBe(verdict);
  });

  it.each([
    [0.9, 'met'],
    [0.89, 'missed'],
    [0.9 * FAILED_BELOW, 'missed'],
    [0.53, 'failed'],
    [NaN, 'failed'],
  ])('says of %d where at least 0.9 is wanted: %s', (value, verdict) => {
    expect(judge(figure([value], { atLeast: 0.9 }))).toBe(verdict);
  });

  it.each([
    [1.4, 'met'],
    [1.41, 'missed'],
    [2.33, 'missed'],
    [2.34, 'failed'],
    [NaN, 'failed'],
  ])('says of %d where at most 1.4 is wanted: %s', (value, verdict) => {
    expect(judge(figure([value], { atMost: 1.4 }))).toBe(verdict);
  });

  it('looks at the median, not at the best or the worst round', () => {
    expect(judge(figure([0.1, 0.95, 2], { atLeast: 0.9 }))).toBe('met');
    expect(judge(figure([0.1, 0.1, 2], { atLeast: 0.9 }))).toBe('failed');
  });

  it('has no verdict without a target', () => {
    expect(judge(figure([1]))).toBe('no target');
  });
});

describe('quotients', () => {
  it('divides each round by its own counterpart', () => {
    expect(quotients([10, 30], [2, 3])).toEqual([5, 10]);
  });

  it('refuses sides of different length', () => {
    expect(() => quotients([1], [1, 2])).toThrow(RangeError);
  });
});
