import type { MappedBalance } from '../balances/balance';
import type { KeyState } from '../outbox/enqueue';
import type { AmlyzeAccount } from '../shared/amlyze-account';
import type { WaitingRun } from './waiting-accounts';
import { businessDate, businessKey, planRecord, type PlanInput, type RecordPlan } from './plan-records';

const identity = {
  installationId: '0123456789ab',
  prefix: 'obg-',
  requester: 'open-banking-gateway',
  businessUnit: undefined,
};
const SLOT = new Date('2027-03-05T12:00:00Z');

const scheduled: WaitingRun = { runId: '7', slot: SLOT, startedAt: SLOT, force: false, tries: 0 };
const manual: WaitingRun = { ...scheduled, runId: '8', slot: undefined };
const forced: WaitingRun = { ...manual, runId: '9', force: true };

const fromBank: MappedBalance = {
  balanceType: 'STATEMENT_BALANCE',
  providerType: 'ClosingBooked',
  value: '100.00',
  balanceAt: '2027-03-04T23:59:59.000Z',
  balanceAtSource: 'bank',
};
const fromFetch: MappedBalance = { ...fromBank, balanceAtSource: 'fetch', balanceAt: '2027-03-05T12:00:03.123Z' };

const unknown: KeyState = { latest: undefined, newerSentAt: undefined, account: undefined };

function input(changes: Partial<PlanInput> = {}): PlanInput {
  return {
    account: {
      accountId: '1',
      currency: 'EUR',
      accountExtId: 'ORG1',
      businessUnit: undefined,
      closed: false,
      pinnedTypes: {},
      runs: [],
    },
    balance: fromBank,
    run: scheduled,
    known: unknown,
    settingsHash: 'aaaa',
    identity,
    ...changes,
  };
}

/** What the outbox knows after this plan was written. */
function after(plan: RecordPlan, changes: Partial<KeyState> = {}): KeyState {
  if (plan.kind !== 'new') throw new Error('no record was made');
  const { revision, value, communicationNumber, settingsHash, accountExtId, businessUnit } = plan.record;
  const latest = { revision, value, communicationNumber, settingsHash, accountExtId, businessUnit };
  return { ...unknown, latest, ...changes };
}

describe('businessKey', () => {
  it("is the bank's instant where the bank gives one, whatever run reads it", () => {
    expect(businessKey(fromBank, scheduled)).toEqual(businessKey(fromBank, manual));
    expect(businessKey(fromBank, manual)).toBe('2027-03-04T23:59:59.000Z');
    expect(businessDate(fromBank, manual)).toBe('2027-03-04');
  });

  it('is the slot, or the manual run, where our fetch time stands in', () => {
    expect(businessKey(fromFetch, scheduled)).toBe('slot 2027-03-05T12:00:00.000Z');
    expect(businessDate(fromFetch, scheduled)).toBe('2027-03-05');
    const nextDay = { ...manual, startedAt: new Date('2027-03-06T01:00:00Z') };
    expect(businessKey(fromFetch, nextDay)).toBe('run 8');
    expect(businessDate(fromFetch, nextDay)).toBe('2027-03-06');
  });
});

describe('planRecord', () => {
  it('makes the first record of a key, which supersedes nothing', () => {
    const plan = planRecord(input());
    expect(plan).toMatchObject({ kind: 'new', record: { revision: 1, supersedes: undefined, value: '100.00' } });
  });

  it('makes the same number for the same key and revision, and another for another account', () => {
    const [first, again] = [planRecord(input()), planRecord(input({ run: manual }))];
    const other = planRecord(input({ account: { ...input().account, accountId: '2' } }));
    expect(after(again).latest?.communicationNumber).toBe(after(first).latest?.communicationNumber);
    expect(after(other).latest?.communicationNumber).not.toBe(after(first).latest?.communicationNumber);
  });

  it.each<[string, Partial<PlanInput> & { now?: AmlyzeAccount }, string]>([
    ['another accountExtId', { account: { ...input().account, accountExtId: 'ORG2' } }, 'ORG2'],
    ['a business unit', { account: { ...input().account, businessUnit: 'north' } }, 'ORG1 of business unit north'],
    ['a business unit for all', { identity: { ...identity, businessUnit: 'all' } }, 'ORG1 of business unit all'],
    ['another since the bank was asked', { now: { accountExtId: 'ORG2', businessUnit: undefined } }, 'ORG2'],
  ])(
    'makes a revision for the account that AMLYZE is to see, unchanged as it is: %s',
    (_, { now, ...changes }, name) => {
      const first = planRecord(input());
      const known = after(first, { account: now });
      const plan = planRecord(input({ ...changes, known, run: manual }));
      const number = after(first).latest?.communicationNumber;
      expect(plan).toMatchObject({
        record: { revision: 2, supersedes: { communicationNumber: number, reason: 'settings-changed' } },
      });
      expect(plan.steps.map(({ text }) => text)).toEqual([
        `${number} is for ORG1, and AMLYZE has this account as ${name} from now on`,
        `a new record, revision 2, supersedes ${number} (settings-changed)`,
      ]);
      expect(planRecord(input({ ...changes, known: after(plan, { account: now }), run: forced }))).toMatchObject({
        record: { revision: 3, supersedes: { reason: 'forced' } },
      });
      expect(planRecord(input({ ...changes, known: after(plan, { account: now }) }))).toMatchObject({
        kind: 'unchanged',
      });
    },
  );

  it.each(['100.00', '100.0', '100', '0100.000'.slice(1)])('makes no record for %s after 100.00', (value) => {
    const known = after(planRecord(input()));
    const plan = planRecord(input({ known, balance: { ...fromBank, value }, run: manual }));
    expect(plan).toMatchObject({ kind: 'unchanged', communicationNumber: known.latest?.communicationNumber });
  });

  it('makes a revision for another value of the same key, which names what it supersedes and why', () => {
    const known = after(planRecord(input()));
    const balance = { ...fromBank, value: '100.01' };
    const plan = planRecord(input({ known, balance }));
    expect(plan).toMatchObject({
      record: {
        revision: 2,
        supersedes: { communicationNumber: known.latest?.communicationNumber, reason: 'bank-restatement' },
      },
    });
    expect(after(plan).latest?.communicationNumber).not.toBe(known.latest?.communicationNumber);
  });

  it('says that settings changed where the value was made with other settings', () => {
    const known = after(planRecord(input()));
    const plan = planRecord(input({ known, balance: { ...fromBank, value: '90.00' }, settingsHash: 'bbbb' }));
    expect(plan).toMatchObject({ record: { supersedes: { reason: 'settings-changed' } } });
  });

  it("does not blame the bank where an operator pinned the series to another of the bank's types", () => {
    const known = after(planRecord(input()));
    const balance = { ...fromBank, value: '90.00', providerType: 'InterimAvailable' };
    expect(planRecord(input({ known, balance }))).toMatchObject({
      record: { supersedes: { reason: 'settings-changed' } },
    });
  });

  it('makes a forced revision of an unchanged balance once a run', () => {
    const first = planRecord(input());
    const second = planRecord(input({ known: after(first), run: forced }));
    expect(second).toMatchObject({ record: { revision: 2, supersedes: { reason: 'forced' } } });
    expect(planRecord(input({ known: after(second), run: forced }))).toMatchObject({ kind: 'unchanged' });
    const nextForced = { ...forced, runId: '10' };
    expect(planRecord(input({ known: after(second), run: nextForced }))).toMatchObject({ record: { revision: 3 } });
  });

  it('still knows a restatement for what it is after a forced run', () => {
    const second = planRecord(input({ known: after(planRecord(input())), run: forced }));
    const plan = planRecord(input({ known: after(second), balance: { ...fromBank, value: '99.00' } }));
    expect(plan).toMatchObject({ record: { revision: 3, supersedes: { reason: 'bank-restatement' } } });
  });

  it('makes no record of an instant older than one that AMLYZE has or is getting, not even when forced', () => {
    const known = { ...unknown, newerSentAt: new Date('2027-03-05T00:00:00Z') };
    expect(planRecord(input({ known }))).toMatchObject({ kind: 'older' });
    expect(planRecord(input({ known, run: forced }))).toMatchObject({ kind: 'older' });
  });

  it('revises the very instant that AMLYZE has newest', () => {
    const known = after(planRecord(input()), { newerSentAt: new Date(fromBank.balanceAt) });
    expect(planRecord(input({ known, balance: { ...fromBank, value: '1' } }))).toMatchObject({ kind: 'new' });
  });

  it('leaves businessUnit out unless the account or the environment names one; the account wins', () => {
    const payload = (changes: Partial<PlanInput>): unknown => {
      const plan = planRecord(input(changes));
      if (plan.kind !== 'new') throw new Error('no record');
      return JSON.parse(plan.record.payload);
    };
    expect(payload({})).not.toHaveProperty('businessUnit');
    const all = { ...identity, businessUnit: 'ALL' };
    expect(payload({ identity: all })).toMatchObject({ businessUnit: 'ALL' });
    const account = { ...input().account, businessUnit: 'OWN' };
    expect(payload({ identity: all, account })).toMatchObject({ businessUnit: 'OWN' });
  });
});
