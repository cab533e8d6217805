import { distinctRounds, type PlacedLine } from './rounds';

function placed(line: number, providerAccountId: string, accountExtId: string, businessUnit?: string): PlacedLine {
  const account = {
    consentId: '1',
    providerAccountId,
    currency: 'EUR',
    accountExtId,
    ...(businessUnit && { businessUnit }),
  };
  return { line, account, connectionId: '1', bankCode: '' };
}

const numbers = (lines: PlacedLine[]): number[][] =>
  distinctRounds(lines).map((round) => round.map(({ line }) => line));

describe('distinctRounds', () => {
  it('keeps lines without a common identity together', () => {
    expect(numbers([placed(1, 'a', 'x'), placed(2, 'b', 'y'), placed(3, 'c', 'x', 'LT')])).toEqual([[1, 2, 3]]);
    expect(numbers([])).toEqual([]);
  });

  it('puts the later of two lines with one place at the bank or one name in AMLYZE into a later round', () => {
    expect(numbers([placed(1, 'a', 'x'), placed(2, 'a', 'y'), placed(3, 'b', 'x'), placed(4, 'c', 'z')])).toEqual([
      [1, 4],
      [2, 3],
    ]);
  });

  it('never lets a line overtake an earlier one that it depends on', () => {
    expect(numbers([placed(1, 'a', 'x'), placed(2, 'a', 'y'), placed(3, 'b', 'y'), placed(4, 'b', 'w')])).toEqual([
      [1],
      [2],
      [3],
      [4],
    ]);
  });
});
