import { decideRead, type SubjectState } from './decide-read';

const NOW = new Date('2027-03-05T12:00:00Z');
const LATER = new Date('2027-03-05T13:00:00Z');
const MUCH_LATER = new Date('2027-03-06T11:00:00Z');
const EARLIER = new Date('2027-03-05T11:59:59.999Z');

function state(changes: Partial<SubjectState> = {}): SubjectState {
  return {
    subjectId: '1',
    epoch: '1',
    bankCode: '',
    providerAccountId: 'A1',
    consentRowId: '2',
    consentId: 'c',
    consentVersion: '1',
    sealedAccessToken: undefined,
    connectionId: '3',
    now: NOW,
    connection: { paused: false, reason: undefined },
    consent: { status: 'valid', stopped: undefined, validUntil: undefined },
    waits: [],
    used: 0,
    allowed: 4,
    nextBudgetAt: MUCH_LATER,
    repeatOf: undefined,
    ...changes,
  };
}

const OPEN = [{ closed: false }];

describe('decideRead', () => {
  it('lets the bank be asked when nothing speaks against it', () => {
    expect(decideRead(state(), OPEN)).toBeUndefined();
  });

  it('allows the last read of the window and refuses the one after it until the window has room', () => {
    expect(decideRead(state({ used: 3 }), OPEN)).toBeUndefined();
    expect(decideRead(state({ used: 4 }), OPEN)).toMatchObject({
      outcome: 'BUDGET_EXHAUSTED',
      nextReadAt: MUCH_LATER,
    });
    expect(decideRead(state({ used: 5 }), OPEN)).toMatchObject({ outcome: 'BUDGET_EXHAUSTED' });
  });

  it('asks for a subject of which one account is still open, and not when all are closed', () => {
    expect(decideRead(state(), [{ closed: true }, { closed: false }])).toBeUndefined();
    expect(decideRead(state(), [{ closed: true }, { closed: true }])).toMatchObject({ outcome: 'ACCOUNT_CLOSED' });
  });

  it('names the reason of a pause', () => {
    const denial = decideRead(state({ connection: { paused: true, reason: 'certificate expired' } }), OPEN);
    expect(denial).toEqual({ outcome: 'PAUSED', reason: 'the connection is paused: certificate expired' });
  });

  it.each(['received', 'rejected', 'partiallyAuthorised', 'revokedByPsu', 'expired', 'terminatedByTpp'])(
    'makes no call under a consent that is %s',
    (status) => {
      const denial = decideRead(state({ consent: { status, stopped: undefined, validUntil: undefined } }), OPEN);
      expect(denial).toEqual({ outcome: 'CONSENT_REQUIRED', reason: `the consent is ${status}, not valid` });
    },
  );

  it.each([
    [LATER, undefined],
    [NOW, 'CONSENT_REQUIRED'],
    [EARLIER, 'CONSENT_REQUIRED'],
  ])('under a consent valid until %s the denial is %s', (validUntil, outcome) => {
    const denial = decideRead(state({ consent: { status: 'valid', stopped: undefined, validUntil } }), OPEN);
    expect(denial?.outcome).toBe(outcome);
  });

  it.each(['CONSENT_REQUIRED', 'TOKEN_REJECTED'] as const)(
    'repeats a stop by %s in the words it was made',
    (outcome) => {
      const consent = { status: 'valid', stopped: { outcome, reason: 'as the bank said' }, validUntil: undefined };
      expect(decideRead(state({ consent }), OPEN)).toEqual({ outcome, reason: 'as the bank said' });
    },
  );

  it('waits for the longest of several waits, and for none that is over', () => {
    const waits = [
      { until: LATER, reason: 'short' },
      { until: MUCH_LATER, reason: 'long' },
      { until: EARLIER, reason: 'over' },
    ];
    expect(decideRead(state({ waits }), OPEN)).toEqual({
      outcome: 'RATE_LIMITED',
      reason: 'long',
      nextReadAt: MUCH_LATER,
    });
    expect(decideRead(state({ waits: [{ until: NOW, reason: 'over' }] }), OPEN)).toBeUndefined();
  });

  it('names the most lasting obstacle where there are several', () => {
    const all = state({
      connection: { paused: true, reason: 'x' },
      consent: { status: 'expired', stopped: { outcome: 'TOKEN_REJECTED', reason: 'x' }, validUntil: EARLIER },
      waits: [{ until: LATER, reason: 'x' }],
      used: 4,
    });
    const outcomes: (string | undefined)[] = [decideRead(all, [{ closed: true }])?.outcome];
    outcomes.push(decideRead(all, OPEN)?.outcome);
    all.connection.paused = false;
    outcomes.push(decideRead(all, OPEN)?.outcome);
    all.consent = { status: 'expired', stopped: undefined, validUntil: EARLIER };
    outcomes.push(decideRead(all, OPEN)?.outcome);
    all.consent = { status: 'valid', stopped: undefined, validUntil: undefined };
    outcomes.push(decideRead(all, OPEN)?.outcome);
    all.waits = [];
    outcomes.push(decideRead(all, OPEN)?.outcome);
    expect(outcomes).toEqual([
      'ACCOUNT_CLOSED',
      'PAUSED',
      'TOKEN_REJECTED',
      'CONSENT_REQUIRED',
      'RATE_LIMITED',
      'BUDGET_EXHAUSTED',
    ]);
  });
});
