import { demoAccounts, type DemoAccount } from '../simulators';
import { findDifferences, matchAccounts, type Difference } from './compare';
import type { Seen, SeenReading, SeenRecord } from './first-sync';

const accounts = demoAccounts('mypos', 20);
const of = (kind: string): DemoAccount => {
  const account = accounts.find((each) => each.kind === kind);
  if (!account) throw new Error(`no ${kind} in the demo`);
  return account;
};
const PLAIN = of('plain');
const MISMATCH = of('currency-mismatch');
const REJECTED = of('unknown-to-amlyze');

const readingOf = ({ accountExtId, foreseen }: DemoAccount, id: number): SeenReading => ({
  id: String(id),
  accountId: String(id),
  accountExtId,
  runId: '1',
  // The demo names outcomes as the gateway does.
  outcome: foreseen.outcome as SeenReading['outcome'],
  reason: null,
  ...(foreseen.value === undefined ? {} : { communicationNumber: `n-${id}` }),
});

const recordOf = ({ accountExtId, foreseen }: DemoAccount, id: number): SeenRecord => ({
  communicationNumber: `n-${id}`,
  accountExtId,
  state: foreseen.recordState ?? 'pending',
  reason: null,
  errorCode: null,
  errorDescription: null,
  value: foreseen.value ?? null,
});

const entryOf = ({ communicationNumber, value }: SeenRecord): Seen['ledger'][number] => ({
  communicationNumber,
  value: value ?? '',
});

/** A run in which everything comes as foreseen. */
function asForeseen(): Seen {
  const records = accounts.flatMap((account, id) =>
    account.foreseen.value === undefined ? [] : recordOf(account, id),
  );
  return {
    readings: accounts.map(readingOf),
    records,
    ledger: records.filter(({ state }) => state === 'accepted').map(entryOf),
    seconds: 1,
    runId: '1',
  };
}

const differences = (seen: Seen): Difference[] => findDifferences(matchAccounts(accounts, seen), seen);
const change = <T extends object>(items: T[], which: (item: T) => boolean, to: Partial<T>): void =>
  items.filter(which).forEach((item) => Object.assign(item, to));
const about =
  ({ accountExtId }: DemoAccount) =>
  (item: { accountExtId: string | null }) =>
    item.accountExtId === accountExtId;

describe('foreseen and seen', () => {
  let seen: Seen;
  beforeEach(() => (seen = asForeseen()));

  it('do not differ when everything comes as foreseen', () => {
    expect(differences(seen)).toEqual([]);
  });

  it('differ in an account that was not read', () => {
    seen.readings = seen.readings.filter((reading) => !about(MISMATCH)(reading));
    expect(differences(seen)).toEqual([
      { about: MISMATCH.accountExtId, what: 'outcome', foreseen: 'CURRENCY_MISMATCH', seen: 'none' },
    ]);
  });

  it('differ in another outcome, whose reason is shown', () => {
    change(seen.readings, about(MISMATCH), { outcome: 'BANK_ERROR', reason: 'status 418' });
    expect(differences(seen)).toEqual([
      { about: MISMATCH.accountExtId, what: 'outcome', foreseen: 'CURRENCY_MISMATCH', seen: 'BANK_ERROR: status 418' },
    ]);
  });

  it('differ in a value of other digits, even where it is the same number', () => {
    const value = `${PLAIN.foreseen.value ?? ''}0`;
    change(seen.records, about(PLAIN), { value });
    const number = seen.records.find(about(PLAIN))?.communicationNumber;
    change(seen.ledger, (entry) => entry.communicationNumber === number, { value });
    expect(differences(seen)).toEqual([
      { about: PLAIN.accountExtId, what: 'value', foreseen: PLAIN.foreseen.value, seen: value },
    ]);
  });

  it('differ in a record of another state, whose reason is shown', () => {
    change(seen.records, about(REJECTED), { state: 'exhausted', reason: 'ATTEMPTS' });
    expect(differences(seen)).toEqual([
      { about: REJECTED.accountExtId, what: 'record', foreseen: 'rejected', seen: 'exhausted: ATTEMPTS' },
    ]);
  });

  it('differ in a record of an account whose balance nobody can tell', () => {
    seen.records.push({ ...recordOf(MISMATCH, 99), state: 'rejected', value: '0' });
    expect(differences(seen)).toEqual([
      { about: MISMATCH.accountExtId, what: 'record without a balance', foreseen: 'none', seen: '0' },
    ]);
  });

  it.each<[string, (seen: Seen, number: string) => void, Partial<Difference>]>([
    [
      'accepts in our log what its ledger does not have',
      (all, number) => (all.ledger = all.ledger.filter((entry) => entry.communicationNumber !== number)),
      { seen: 'none' },
    ],
    [
      'has a record twice',
      (all, number) => all.ledger.push(...all.ledger.filter((entry) => entry.communicationNumber === number)),
      { seen: `${PLAIN.foreseen.value ?? ''} and ${PLAIN.foreseen.value ?? ''}` },
    ],
    [
      'has other digits',
      (all, number) => change(all.ledger, (entry) => entry.communicationNumber === number, { value: '1' }),
      { seen: '1' },
    ],
  ])('differ where AMLYZE %s', (_title, spoil, expected) => {
    const number = seen.records.find(about(PLAIN))?.communicationNumber ?? '';
    spoil(seen, number);
    expect(differences(seen)).toEqual([
      { about: number, what: "AMLYZE's ledger", foreseen: PLAIN.foreseen.value, ...expected },
    ]);
  });

  it('differ where AMLYZE has a record that our log calls rejected, or one that nobody here has sent', () => {
    seen.ledger.push(...seen.records.filter(about(REJECTED)).map(entryOf));
    seen.ledger.push(entryOf({ ...recordOf(PLAIN, 77), value: '5' }));
    expect(differences(seen)).toEqual([
      expect.objectContaining({ what: "AMLYZE's ledger", foreseen: 'none', seen: REJECTED.foreseen.value }),
      { about: 'n-77', what: "AMLYZE's ledger", foreseen: 'none', seen: '5' },
    ]);
  });

  it('count the first run that read an account, and of a repeated read the last answer', () => {
    const [first] = seen.readings.filter(about(PLAIN));
    if (!first) throw new Error('the plain account was read');
    seen.readings = seen.readings.filter((reading) => reading !== first);
    seen.readings.push(
      { ...first, id: '203', runId: '2', outcome: 'BANK_ERROR' },
      { ...first, id: '202' },
      { ...first, id: '201', outcome: 'BANK_UNAVAILABLE' },
      { ...first, id: '200', runId: '3', outcome: 'ALREADY_READ' },
    );
    expect(differences(seen)).toEqual([]);
  });
});
