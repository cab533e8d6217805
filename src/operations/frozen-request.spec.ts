import { maskedRequest, operationDay, renumbered } from './frozen-request';

const FROZEN =
  '{"communicationNumber":"a-1","amount":1499.10,"operationDateTime":"2024-08-16T23:30:00-02:00","fastPayment":true,' +
  '"listOperationParty":[{"partyRole":"DEBTOR","cardNumber":"4111111111111111","cardValidTill":"2027-06-30",' +
  '"cardHolderName":"EDUARDO TESTHOLDER"},{"partyRole":"CREDITOR"}]}';

describe('a frozen request', () => {
  it('is shown with masked card fields and every other digit', () => {
    expect(maskedRequest(FROZEN)).toBe(
      '{"communicationNumber":"a-1","amount":1499.10,"operationDateTime":"2024-08-16T23:30:00-02:00","fastPayment":true,' +
        '"listOperationParty":[{"partyRole":"DEBTOR","cardNumber":"411111******1111","cardValidTill":"***",' +
        '"cardHolderName":"***"},{"partyRole":"CREDITOR"}]}',
    );
  });

  it('shows nothing of a card number that is none', () => {
    expect(maskedRequest('{"cardNumber":"41111111111111110000000"}')).toBe('{"cardNumber":"***"}');
  });

  it('gets another number and keeps every other byte', () => {
    expect(renumbered(FROZEN, 'a-1', 'b"2')).toBe(FROZEN.replace('"a-1"', '"b\\"2"'));
    expect(() => renumbered(FROZEN, 'a-2', 'b')).toThrow(TypeError);
    expect(() => renumbered('{"amount":1,"communicationNumber":"a-1"}', 'a-1', 'b')).toThrow(TypeError);
  });

  it('tells the day of its operation in UTC', () => {
    expect(operationDay(FROZEN)).toBe('2024-08-17');
    expect(() => operationDay('{}')).toThrow(TypeError);
  });
});
