import { fixture } from '../../../test/support/fixture';
import type { BalanceQuestion } from '../provider';
import { toOneSingleViewBalances } from './onesingleview.mapper';

const ASKED: BalanceQuestion = {
  requestId: 'df797efb-b588-4234-8ae1-5cb748559830',
  bankCode: 'SVMB01',
  providerAccountId: '100004000000000000000002',
  consentId: 'urn:SVMB01:kac-1',
};

describe('toOneSingleViewBalances', () => {
  it("takes the vendor's sample apart, credit line and indicator untouched", () => {
    expect(toOneSingleViewBalances(fixture('onesingleview/vendor-sample.json'), ASKED)).toMatchObject({
      kind: 'parsed',
      reported: [
        {
          index: 0,
          type: 'ClosingBooked',
          currency: 'SAR',
          amount: '7896.21',
          creditDebitIndicator: 'Debit',
          dateTime: '2024-12-31T07:40:00.123Z',
          creditLines: [{ included: true, type: 'New_Line', amount: { amount: '5000.00', currency: 'SAR' } }],
        },
      ],
    });
  });

  it('leaves prefixed words and a contradicting minus to the mapping', () => {
    const prefixed = toOneSingleViewBalances(fixture('onesingleview/prefixed-several-types.json'), ASKED);
    expect(prefixed).toMatchObject({
      reported: [
        { type: 'KSAOB.InterimAvailable', creditDebitIndicator: 'KSAOB.Credit' },
        { type: 'KSAOB.ClosingBooked', creditDebitIndicator: 'KSAOB.Debit' },
        { type: 'KSAOB.ClosingBooked', currency: 'USD', amount: '75.000' },
      ],
    });
    const contradiction = toOneSingleViewBalances(fixture('onesingleview/sign-contradiction.json'), ASKED);
    expect(contradiction).toMatchObject({ reported: [{ amount: '-12.00', creditDebitIndicator: 'Debit' }] });
  });

  it('hands over an element that is no object, or has no amount object, without a figure', () => {
    const balance = '[7, {"type":"ClosingBooked","amount":"12.00"}]';
    const body = `{"success":true,"payload":[{"data":{"balance":${balance}}}]}`;
    expect(toOneSingleViewBalances(body, ASKED)).toMatchObject({
      kind: 'parsed',
      reported: [
        { index: 0, type: undefined, amount: undefined },
        { index: 1, type: 'ClosingBooked', amount: undefined, currency: undefined },
      ],
    });
  });

  it.each([
    ['another accountId', fixture('onesingleview/another-account.json')],
    ['another bank', fixture('onesingleview/another-bank.json')],
    ['two payload elements', fixture('onesingleview/two-elements.json')],
    ['no payload element', '{"success":true,"payload":[]}'],
    ['an accountId that is no text', '{"success":true,"payload":[{"data":{"accountId":{},"balance":[]}}]}'],
  ])('refuses %s as ACCOUNT_MISMATCH', (_what, body) => {
    expect(toOneSingleViewBalances(body, ASKED)).toMatchObject({ kind: 'refused', outcome: 'ACCOUNT_MISMATCH' });
  });

  it.each([
    ['success: false', fixture('onesingleview/error-success-false.json')],
    ['status FAILURE', fixture('onesingleview/error-failure.json')],
    ['success as a text', '{"success":"true","payload":[]}'],
    ['a list at the top', '[]'],
  ])('refuses %s as BANK_ERROR', (_what, body) => {
    expect(toOneSingleViewBalances(body, ASKED)).toMatchObject({ kind: 'refused', outcome: 'BANK_ERROR' });
  });

  it.each([
    ['HTML', '<!doctype html><title>Sign in</title>'],
    ['a payload that is an object', '{"success":true,"payload":{}}'],
    ['an element without data', '{"success":true,"payload":[{"code":"SVMB01"}]}'],
    ['a balance that is an object', '{"success":true,"payload":[{"data":{"balance":{}}}]}'],
    ['an element that is null', '{"success":true,"payload":[null]}'],
  ])('refuses %s as INVALID_PAYLOAD', (_what, body) => {
    expect(toOneSingleViewBalances(body, ASKED)).toMatchObject({ kind: 'refused', outcome: 'INVALID_PAYLOAD' });
  });
});
