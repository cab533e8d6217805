import { JsonNumber, type JsonObject, type JsonValue } from '../shared/json';
import { CREDITOR, DEBTOR, operationInput, rules, withParties, type Given } from '../../test/support/operation-input';
import { contentOf } from './operation-content';
import { validateOperation } from './validate-operation';

function content(input: JsonValue): string {
  const check = validateOperation(input, rules({ cardData: 'encrypt', callerNumbers: true }));
  if (!check.ok) throw new Error(check.errors.map(({ message }) => message).join('; '));
  return contentOf(check.operation);
}

const of = (changes: Record<string, Given>): string => content(operationInput(changes));
const dollar = { currency: 'USD', euroExchangeRate: '0.50', amountInEuro: '749.5' };

describe('contentOf', () => {
  it('does not depend on the order of keys', () => {
    const input = operationInput();
    const reversed = Object.create(null) as JsonObject;
    for (const key of Object.keys(input).reverse()) reversed[key] = input[key] ?? null;
    expect(content(reversed)).toBe(content(input));
  });

  it.each<[string, Record<string, Given>, Record<string, Given>]>([
    ['another spelling of the amount', { amount: 1499 }, { amount: new JsonNumber('1499.00') }],
    ['an exponent', { amount: 1500 }, { amount: new JsonNumber('1.5e3') }],
    ['the amount as a text', { amount: 1499 }, { amount: '1499' }],
    ['another spelling of the rate', dollar, { ...dollar, euroExchangeRate: '0.5', amountInEuro: '749.50' }],
    ['the same instant elsewhere', {}, { operationDateTime: '2024-08-16T15:00:00.000+02:00' }],
    ['another number and requester', {}, { communicationNumber: 'c', requester: 'r' }],
    ['what is dropped', {}, { euroExchangeRate: 1, amountInEuro: 1499 }],
    ['another order of the screening', {}, { initializeScreeningProcesses: ['ADVERSE_MEDIA', 'PEP'] }],
    ['what can have one value only', {}, { action: 'CREATE', sourceOfRiskLevel: undefined }],
  ])('is the same with %s', (_title, one, other) => {
    expect(of(other)).toBe(of(one));
  });

  it.each<[string, Record<string, Given>]>([
    ['one digit', { amount: new JsonNumber('1499.01') }],
    ['ten times the amount', { amount: 14990 }],
    ['a text with other digits', { terminalCode: '57455.0' }],
    ['another instant', { operationDateTime: '2024-08-16T13:00:00.001Z' }],
    ['a field less', { riskLevel: undefined }],
    ['a field more', { fastPayment: false }],
    ['a text in another field', { terminalExtId: '57455', terminalCode: 't_extid_145' }],
    ['parties in another order', { listOperationParty: [DEBTOR, CREDITOR] }],
    ['another business unit', { businessUnit: 'B' }],
  ])('differs with %s', (_title, changes) => {
    expect(of(changes)).not.toBe(of({}));
  });

  it('differs with another card number of the same mask: the keyed hash must see it whole', () => {
    const [one, other] = ['4111111111111111', '4111110000091111'];
    expect(content(withParties({ cardNumber: one }))).not.toBe(content(withParties({ cardNumber: other })));
  });
});
