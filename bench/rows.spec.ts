import { differences, ledgerProblem, type Contents } from './rows';

const gateway: Contents = {
  amlyze_record: { rows: 10, bytesPerRow: 400 },
  delivery_result: { rows: 10, bytesPerRow: 200 },
};

describe('differences', () => {
  it('finds none where rows are as many and as large', () => {
    expect(differences(gateway, gateway)).toEqual([]);
  });

  it('names a table in which the reference has a row less', () => {
    const reference = { ...gateway, delivery_result: { rows: 9, bytesPerRow: 200 } };
    expect(differences(gateway, reference)).toEqual(["delivery_result has 9 rows, the gateway's 10"]);
  });

  it('names a table in which it has a row more', () => {
    const reference = { ...gateway, amlyze_record: { rows: 11, bytesPerRow: 400 } };
    expect(differences(gateway, reference)).toHaveLength(1);
  });

  it('names a table that it does not write at all', () => {
    const { amlyze_record } = gateway;
    expect(differences(gateway, amlyze_record ? { amlyze_record } : {})).toHaveLength(1);
  });

  it('names a table of thinner rows, and lets a difference of a few bytes pass', () => {
    const thin = { ...gateway, amlyze_record: { rows: 10, bytesPerRow: 300 } };
    expect(differences(gateway, thin)).toEqual(["rows of amlyze_record have 300 bytes, the gateway's 400"]);
    const close = { ...gateway, amlyze_record: { rows: 10, bytesPerRow: 390 } };
    expect(differences(gateway, close)).toEqual([]);
  });
});

describe('ledgerProblem', () => {
  const ledger = (...numbers: string[]): { communicationNumber: string }[] =>
    numbers.map((communicationNumber) => ({ communicationNumber }));

  it('is none where every number is there once, in whatever order', () => {
    expect(ledgerProblem(ledger('b', 'a'), ['a', 'b'])).toBeUndefined();
  });

  it('tells of a number that is missing', () => {
    expect(ledgerProblem(ledger('a'), ['a', 'b'])).toBe('AMLYZE does not have b');
  });

  it('tells of one that is there twice', () => {
    expect(ledgerProblem(ledger('a', 'b', 'a'), ['a', 'b'])).toBe('AMLYZE has a twice');
  });

  it('tells of one that nobody sent', () => {
    expect(ledgerProblem(ledger('a', 'b', 'c'), ['a', 'b'])).toBe('AMLYZE has 3 records instead of 2');
  });
});
