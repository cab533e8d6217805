import { fixture } from '../../../test/support/fixture';
import { JsonNumber } from '../../shared/json';
import type { BalanceQuestion } from '../provider';
import { toMyposBalances } from './mypos.mapper';

function questionAbout(providerAccountId: string): BalanceQuestion {
  return { requestId: 'a552babc-7081-44e7-9361-61eb17e0bfd9', bankCode: '', providerAccountId, consentId: 'c-1' };
}

const ASKED = questionAbout('50044620073');

describe('toMyposBalances', () => {
  it("takes the vendor's sample apart and keeps its three decimals", () => {
    const parsed = toMyposBalances(fixture('mypos/available.json'), ASKED);
    expect(parsed).toMatchObject({
      kind: 'parsed',
      reported: [{ index: 0, type: 'available', currency: 'PLN', amount: new JsonNumber('4.200') }],
    });
  });

  it('hands over every element in the order of the bank, also one that is no object', () => {
    const parsed = toMyposBalances(fixture('mypos/several-types-and-currencies.json'), ASKED);
    expect(parsed).toMatchObject({
      kind: 'parsed',
      reported: [
        { index: 0, type: 'expected' },
        { index: 1, type: 'available', amount: new JsonNumber('4.20') },
        { index: 2, currency: 'EUR', amount: new JsonNumber('12345678901234567.89') },
        { index: 3, type: undefined, currency: undefined, amount: undefined },
      ],
    });
  });

  it('parses an empty list: that no balance is eligible is for the mapping to say', () => {
    expect(toMyposBalances(fixture('mypos/no-balances.json'), ASKED)).toMatchObject({ kind: 'parsed', reported: [] });
  });

  it('accepts an answer that echoes no account at all', () => {
    expect(toMyposBalances(fixture('mypos/no-account.json'), ASKED).kind).toBe('parsed');
  });

  it('refuses an answer about another account number, whatever its IBAN', () => {
    expect(toMyposBalances(fixture('mypos/another-account.json'), ASKED)).toMatchObject({
      kind: 'refused',
      outcome: 'ACCOUNT_MISMATCH',
    });
  });

  it.each<[string, string, string, 'parsed' | 'refused']>([
    [
      'accepts the IBAN where the account was registered by it',
      'BG57INTF40015004462007',
      '{"accountNumber":"1","iban":"BG57 INTF 4001 5004 4620 07"}',
      'parsed',
    ],
    [
      'refuses another IBAN where the account was registered by its IBAN',
      'BG57INTF40015004462007',
      '{"iban":"BG57INTF40015004462008"}',
      'refused',
    ],
    ['does not compare the IBAN with an account number', '50044620073', '{"iban":"BG57INTF40015004462008"}', 'parsed'],
    [
      'refuses an account number that is not readable as one',
      '50044620073',
      '{"accountNumber":{"id":"50044620073"}}',
      'refused',
    ],
    ['refuses an account number that differs in case', 'ab1', '{"accountNumber":"AB1"}', 'refused'],
    ['takes null for no echo', '50044620073', '{"accountNumber":null}', 'parsed'],
  ])('%s', (_claim, asked, account, kind) => {
    const body = `{"account":${account},"balances":[]}`;
    expect(toMyposBalances(body, questionAbout(asked)).kind).toBe(kind);
  });

  it.each([
    ['HTML', '<html><body>Log in</body></html>'],
    ['a cut text', '{"balances":[{"amount":4.2'],
    ['a doubled key', '{"balances":[{"amount":1,"amount":2}]}'],
    ['no balances', '{"account":{}}'],
    ['balances that are an object', '{"balances":{"amount":1}}'],
    ['balances that are null', '{"balances":null}'],
    ['a list at the top', '[]'],
    ['an account that is a text', '{"account":"50044620073","balances":[]}'],
    ['nothing', ''],
  ])('refuses %s as INVALID_PAYLOAD', (_what, body) => {
    expect(toMyposBalances(body, ASKED)).toMatchObject({ kind: 'refused', outcome: 'INVALID_PAYLOAD' });
  });
});
