import { RECORD_STATES } from '../outbox/record-state';
import { decideIdentity, keyText, type Decision, type KnownOperation } from './identity';

const KNOWN: KnownOperation = {
  revision: 1,
  contentHash: Buffer.of(0),
  communicationNumber: 'obg-1',
  recordId: '1',
  channel: 'operation-single',
  state: 'accepted',
  reason: null,
  inDoubt: false,
  shredded: false,
  payloadDigest: null,
};

const decide = (known: Partial<KnownOperation> | undefined, sameContent: boolean, numberUsed = false): Decision =>
  decideIdentity({ known: known && { ...KNOWN, ...known }, numberUsed }, sameContent);

describe('the identity of an operation', () => {
  it('takes a key that is not known, unless the number brought along is used', () => {
    expect([decide(undefined, false), decide(undefined, false, true)]).toEqual(['new', 'number-used']);
  });

  it('lets the first result stand for the same content, whatever became of it', () => {
    for (const state of RECORD_STATES) {
      expect([decide({ state }, true), decide({ state }, true, true)]).toEqual(['unchanged', 'unchanged']);
    }
  });

  it('takes other content only after a definite rejection', () => {
    const revised = RECORD_STATES.filter((state) => decide({ state }, false) === 'revise');
    expect(revised).toEqual(['rejected']);
    expect(decide({ state: 'rejected', inDoubt: true }, false)).toBe('conflict');
    expect(decide({ state: 'rejected' }, false, true)).toBe('number-used');
  });

  it('takes shredded bytes back where AMLYZE has not accepted them', () => {
    const restored = RECORD_STATES.filter((state) => decide({ state, shredded: true }, true) === 'restore');
    expect(restored).toEqual(RECORD_STATES.filter((state) => state !== 'accepted'));
  });

  it('tells a key without business unit from every other', () => {
    const texts = [
      keyText({ businessUnit: undefined, operationExtId: 'a' }),
      keyText({ businessUnit: 'a', operationExtId: '' }),
      keyText({ businessUnit: 'a","', operationExtId: 'a' }),
    ];
    expect(new Set(texts).size).toBe(3);
  });
});
