import { type DemoAccount, demoAccounts, type DemoBank, demoRegistrations } from './demo';

const BANKS: DemoBank[] = ['mypos', 'onesingleview'];
const CASES = {
  mypos: [
    'overdraft',
    'several-types',
    'currency-mismatch',
    'other-account',
    'unknown-to-bank',
    'unknown-to-amlyze',
    'ambiguous',
    'invalid-amount',
    'no-eligible-type',
    'non-ascii',
    'zero',
    'number-taken',
    'many-digits',
    'exponent',
  ],
  onesingleview: [
    'overdraft',
    'credit-line-clear',
    'credit-line-unclear',
    'credit-line-excluded',
    'several-types',
    'currency-mismatch',
    'other-account',
    'unknown-to-bank',
    'unknown-to-amlyze',
    'sign-contradiction',
    'ambiguous',
    'invalid-amount',
    'no-eligible-type',
    'non-ascii',
    'zero',
    'number-taken',
    'many-digits',
  ],
} as const;

const specials = (accounts: DemoAccount[]) => accounts.filter((account) => account.kind !== 'plain');
const ibanRest = (iban: string) =>
  BigInt((iban.slice(4) + iban.slice(0, 4)).replace(/[A-Z]/g, (c) => String(c.charCodeAt(0) - 55))) % 97n;

describe.each(BANKS)('the demo accounts of %s', (bank) => {
  it('show every special case once among the first 20, and some plain ones', () => {
    const kinds = demoAccounts(bank, 20).map((account) => account.kind);
    expect(kinds.filter((kind) => kind !== 'plain').sort()).toEqual([...CASES[bank]].sort());
    expect(kinds).toContain('plain');
  });

  it('are special for 10 to 15 in a hundred beyond the first 20, every case among them', () => {
    const further = demoAccounts(bank, 1020).slice(20);
    expect(specials(further).length).toBeGreaterThanOrEqual(100);
    expect(specials(further).length).toBeLessThanOrEqual(150);
    expect(new Set(specials(further).map((account) => account.kind))).toEqual(new Set(CASES[bank]));
  });

  it('are the same every time, and the same whatever the count', () => {
    expect(demoAccounts(bank, 50)).toEqual(demoAccounts(bank, 50));
    expect(demoAccounts(bank, 500).slice(0, 50)).toEqual(demoAccounts(bank, 50));
  });

  it('have ids of their own on every side', () => {
    const accounts = demoAccounts(bank, 3000);
    expect(new Set(accounts.map((account) => account.providerAccountId)).size).toBe(3000);
    expect(new Set(accounts.map((account) => account.accountExtId)).size).toBe(3000);
  });

  it('foresee a value and a state exactly where a balance is read', () => {
    for (const { foreseen, kind } of demoAccounts(bank, 200)) {
      const isRead = foreseen.outcome === 'READ';
      expect([kind, foreseen.value !== undefined, foreseen.recordState !== undefined]).toEqual([kind, isRead, isRead]);
    }
  });

  it('are registered at the bank unless it does not know them, and at AMLYZE likewise', () => {
    const accounts = demoAccounts(bank, 200);
    const { bankAccounts, amlyzeAccounts, amlyzeFaults } = demoRegistrations(accounts);
    const count = (kind: string) => accounts.filter((account) => account.kind === kind).length;
    expect(bankAccounts).toHaveLength(200 - count('unknown-to-bank'));
    expect(amlyzeAccounts).toHaveLength(200 - count('unknown-to-amlyze'));
    const taken = accounts.filter((account) => account.kind === 'number-taken').map((account) => account.accountExtId);
    expect(amlyzeFaults).toEqual([{ match: { account: taken }, do: { kind: 'already-used' } }]);
  });
});

describe('the demo accounts', () => {
  it('carry IBANs with right check digits at myPOS', () => {
    const ibans = demoAccounts('mypos', 200).flatMap(({ simulated }) =>
      simulated !== undefined && 'iban' in simulated && simulated.iban !== undefined ? [simulated.iban] : [],
    );
    expect(ibans.length).toBeGreaterThan(150);
    expect(ibans.filter((iban) => ibanRest(iban) !== 1n)).toEqual([]);
  });

  it('take the given time as the time of the balances at OneSingleView', () => {
    const [account] = demoAccounts('onesingleview', 1, new Date('2026-01-02T03:04:05.678Z'));
    expect(account?.simulated?.balances[0]).toMatchObject({ dateTime: '2026-01-02T03:04:05.678Z' });
  });

  it('need no fault where there is no account whose number is taken', () => {
    expect(demoRegistrations(demoAccounts('mypos', 1)).amlyzeFaults).toEqual([]);
  });
});
