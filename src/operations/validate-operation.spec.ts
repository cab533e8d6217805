import { JsonNumber, type JsonValue } from '../shared/json';
import { CREDITOR, DEBTOR, operationInput, rules, type Given } from '../../test/support/operation-input';
import type { Finding, Operation, OperationRules } from './operation';
import { validateOperation } from './validate-operation';

function accepted(input: JsonValue, changes: Partial<OperationRules> = {}) {
  const check = validateOperation(input, rules(changes));
  if (!check.ok) throw new Error(`refused: ${check.errors.map(({ message }) => message).join('; ')}`);
  return check;
}

function errorsOf(input: JsonValue, changes: Partial<OperationRules> = {}): Finding[] {
  const check = validateOperation(input, rules(changes));
  return check.ok ? [] : check.errors;
}

/** The message of the only error. */
function faultOf(changes: Record<string, Given>, ruleChanges: Partial<OperationRules> = {}): string {
  const errors = errorsOf(operationInput(changes), ruleChanges);
  expect(errors).toHaveLength(1);
  return errors[0]?.message ?? '';
}

const MANDATORY = [
  'operationExtId',
  'operationType',
  'cardOperationSubType',
  'riskManagementCategory',
  'operationStatus',
  'operationDateTime',
  'sourceCountry',
  'destinationCountry',
  'currency',
  'amount',
  'financialFlowDirection',
  'description',
  'listOperationParty',
];

const x = (length: number): string => 'x'.repeat(length);

describe('validateOperation', () => {
  it("takes the example of AMLYZE's page without a remark", () => {
    const { operation, warnings, dropped, young } = accepted(operationInput());
    expect({ warnings, dropped, young }).toEqual({ warnings: [], dropped: [], young: false });
    const { sourceOfRiskLevel, ...rest } = operationInput() as Record<string, unknown>;
    expect(sourceOfRiskLevel).toBe('IMPORT');
    expect(operation).toEqual({ ...rest, amount: '1499', listOperationParty: [CREDITOR, DEBTOR] });
  });

  it.each(MANDATORY)('demands %s: absent, null, empty and blank are refused', (name) => {
    expect(faultOf({ [name]: undefined })).toBe(`${name} is mandatory, but is absent`);
    expect(faultOf({ [name]: null })).toBe(`${name} is mandatory, but is null`);
    if (name === 'listOperationParty') return;
    expect(faultOf({ [name]: '' })).toBe(`${name} is mandatory, but is an empty text`);
    expect(faultOf({ [name]: ' \t' })).toBe(`${name} is mandatory, but is a text of blanks`);
  });

  it('can do without every other field, and wants an absent key rather than an empty one', () => {
    const optional = Object.keys(operationInput()).filter((name) => !MANDATORY.includes(name));
    accepted(operationInput(Object.fromEntries(optional.map((name) => [name, undefined]))));
    for (const name of optional.filter((name) => name !== 'sourceOfRiskLevel')) {
      expect(faultOf({ [name]: null })).toBe(`${name} must be left out where it has no value, but is null`);
      expect(faultOf({ [name]: '' })).toBe(`${name} must be left out where it has no value, but is an empty text`);
    }
  });

  it.each<[string, number]>([
    ['communicationNumber', 255],
    ['requester', 100],
    ['businessUnit', 255],
    ['operationExtId', 255],
    ['description', 550],
    ['terminalExtId', 255],
    ['terminalCode', 255],
    ['merchantExtId', 255],
    ['merchantCode', 255],
    ['merchantDescription', 1000],
    ['merchantName', 1000],
    ['salesPointExtId', 255],
    ['salesPointCode', 255],
  ])('takes %s up to %d characters and not one more', (name, max) => {
    accepted(operationInput({ [name]: x(max) }), { callerNumbers: true });
    const message = faultOf({ [name]: x(max + 1) }, { callerNumbers: true });
    expect(message).toMatch(
      new RegExp(`^${name} must be a text of 1 to ${max} characters.*, but is a text of ${max + 1}`),
    );
  });

  const TYPES: [string, Given[]][] = [
    ['operationExtId', [5, true, ['a'], { a: 1 }, ' a', 'a ', 'a\nb', 'a\u0000']],
    ['requester', [5, ' a', 'a\tb']],
    ['operationType', ['SEPA', 'card_payment', 1]],
    ['cardOperationSubType', ['CARD_CASH', 'CARD_PURCHASE ', 3]],
    ['riskManagementCategory', ['OP_UNKNOWN', false]],
    ['operationStatus', ['DONE', 'executed', 'NULL', 1, ['EXECUTED']]],
    ['riskLevel', ['low', 'VERY_HIGH', 3]],
    ['financialFlowDirection', ['NULL', 'incoming', 'INTERNAL', true]],
    ['operationDateTime', ['2024-08-16', '2024-08-16T13:00:00', '2024-08-16 13:00:00Z', '2024-02-30T13:00:00Z']],
    ['operationDateTime', ['2024-08-16T24:00:00Z', '2024-08-16T13:60:00Z', '2024-08-16T13:00:60Z', 1723813200]],
    ['operationDateTime', ['2024-08-16T13:00:00+0200', '2024-08-16T13:00:00+19:00', '2024-08-16t13:00:00z']],
    ['dateAuthorized', ['2024-08-16', 5]],
    ['dateSettled', ['yesterday']],
    ['fastPayment', ['yes', 1]],
    ['sourceCountry', ['LTU', 'lt', 'XX', 'UK', 'EU', 'L', 3]],
    ['destinationCountry', ['LTU', 'Lithuania', 'ZZ']],
    ['ipAddressCountry', ['XK', 'QQ']],
    ['merchantCountryCode', ['ESP', 'QQ']],
    ['currency', ['eur', 'EURO', 'XXX', 'XAU', 'BTC', '978', 978]],
    ['amount', [0, '0', '0.00', -1, '-0.01', 'a', '1,50', '1 000', '+1', '', ' ', true, [1], '.5', '1.']],
    ['amount', [new JsonNumber('1234567890123456789'), new JsonNumber('0.00000000001'), new JsonNumber('1e99999')]],
    ['description', [5, ['a'], { a: 'b' }, 'a\u0007b']],
    ['merchantName', [5, 'a\u001bb']],
    ['terminalCode', [57455]],
    ['initializeScreeningProcesses', ['PEP', [], ['PEP', 'PEP'], ['pep'], ['FRAUD'], [1], { PEP: true }]],
  ];
  it.each(TYPES.flatMap(([name, values]) => values.map((value): [string, Given] => [name, value])))(
    'refuses %s %j with one message that names the field, the rule and the class of the value, not the value',
    (name, value) => {
      const message = faultOf({ [name]: value });
      expect(message).toMatch(new RegExp(`^${name} (must (be|not) .+|is mandatory), but is [a-z ]+`));
      if (typeof value === 'string' && value.trim().length > 3) {
        expect(message.replace(/such as \S+|: [A-Z_, ]+/g, '')).not.toContain(value);
      }
    },
  );

  const RIGHT: [string, Given[]][] = [
    [
      'cardOperationSubType',
      ['CARD_PURCHASE', 'CARD_ACCOUNT_FUNDING_TRANSACTION', 'CARD_PAYMENT_CREDIT', 'CARD_REFUND'],
    ],
    ['riskManagementCategory', ['OP_TRANSFER', 'OP_DEFAULT']],
    ['operationStatus', ['EXECUTED', 'REJECTED']],
    ['riskLevel', ['NONE', 'LOW', 'MEDIUM', 'HIGH', 'EXTREME']],
    ['operationDateTime', ['2024-08-16T15:00:00+02:00', '2024-02-29T00:00:00.123456789Z', '2024-08-16T00:00:00-11:00']],
    ['dateAuthorized', ['2024-08-16T15:00:00+02:00']],
    ['fastPayment', [true, false]],
    ['sourceCountry', ['LT', 'ZW', 'AX']],
    ['description', ['Invoice 2,\nsecond line\t€']],
    ['ipAddress', ['2001:db8::1', '198.51.100.1']],
    ['initializeScreeningProcesses', [['PEP'], ['PEP', 'ADVERSE_MEDIA', 'SANCTIONS', 'INTERNAL_LIST']]],
  ];
  it.each(RIGHT.flatMap(([name, values]) => values.map((value): [string, Given] => [name, value])))(
    'takes %s %j as it is and without a remark',
    (name, value) => {
      const { operation, warnings } = accepted(operationInput({ [name]: value }));
      expect(operation[name as keyof Operation]).toEqual(value);
      expect(warnings).toEqual([]);
    },
  );

  it.each([
    [new JsonNumber('1499.00'), '1499.00'],
    [new JsonNumber('0.0000000001'), '0.0000000001'],
    [new JsonNumber('123456789012345678.1234567890'), '123456789012345678.1234567890'],
    [new JsonNumber('1.5E3'), '1500'],
    ['1499.00', '1499.00'],
    ['007.10', '7.10'],
  ])('keeps every digit of the amount %j', (given, kept) => {
    expect(accepted(operationInput({ amount: given })).operation.amount).toBe(kept);
  });

  it.each(['text', null, true, [], new JsonNumber('1')].map((input): [JsonValue] => [input]))(
    'refuses %j, which is no operation',
    (input) => {
      expect(errorsOf(input)).toEqual([
        { field: '', message: expect.stringMatching(/^the operation must be one JSON obj/) },
      ]);
    },
  );

  it('names all faults of a line at once', () => {
    const errors = errorsOf(operationInput({ amount: 0, currency: undefined, riskLevel: 'X', listOperationParty: [] }));
    expect(errors.map(({ field }) => field).sort()).toEqual(['amount', 'currency', 'listOperationParty', 'riskLevel']);
  });

  it('refuses sourceOfRiskLevel EVALUATE and says why; IMPORT and nothing mean the same', () => {
    expect(faultOf({ sourceOfRiskLevel: 'EVALUATE' })).toMatch(
      /^sourceOfRiskLevel must be IMPORT or left out: .*without monitoring, .* EVALUATE needs its monitoring/,
    );
    expect(faultOf({ sourceOfRiskLevel: null })).toMatch(/but it is null$/);
    const without = accepted(operationInput({ sourceOfRiskLevel: undefined })).operation;
    expect(without).toEqual(accepted(operationInput()).operation);
  });

  it('refuses action UPDATE, which replaces all data; CREATE and nothing mean the same', () => {
    expect(faultOf({ action: 'UPDATE' })).toMatch(/^action must be CREATE or left out: UPDATE replaces all data/);
    expect(accepted(operationInput({ action: 'CREATE' })).operation).toEqual(accepted(operationInput()).operation);
  });

  it("refuses a caller's communicationNumber unless that is configured", () => {
    expect(faultOf({ communicationNumber: 'ComNr_01_TEST' })).toMatch(
      /must be left out: .*OPERATIONS_CALLER_NUMBERS=true/,
    );
    const { operation } = accepted(operationInput({ communicationNumber: 'ComNr_01_TEST' }), { callerNumbers: true });
    expect(operation.communicationNumber).toBe('ComNr_01_TEST');
  });

  it("puts the configured business unit where the caller names none, and leaves the caller's", () => {
    const own = { defaultBusinessUnit: 'UNIT_A' };
    expect(accepted(operationInput(), own).operation.businessUnit).toBe('UNIT_A');
    expect(accepted(operationInput({ businessUnit: 'UNIT_B' }), own).operation.businessUnit).toBe('UNIT_B');
    expect(accepted(operationInput()).operation).not.toHaveProperty('businessUnit');
  });

  it('lets the countries be absent where they are not required', () => {
    const none = operationInput({ sourceCountry: undefined, destinationCountry: undefined });
    expect(errorsOf(none).map(({ field }) => field)).toEqual(['sourceCountry', 'destinationCountry']);
    expect(accepted(none, { countriesRequired: false }).warnings).toEqual([]);
  });

  it('demands amountInEquivalent and exchangeRate together', () => {
    expect(faultOf({ amountInEquivalent: 5 })).toBe(
      'exchangeRate is mandatory beside amountInEquivalent, but is absent',
    );
    expect(faultOf({ exchangeRate: 5 })).toBe('amountInEquivalent is mandatory beside exchangeRate, but is absent');
    accepted(operationInput({ exchangeRate: 5, amountInEquivalent: 7 }));
  });
});

describe('codes that are not in their list', () => {
  const UNKNOWN: [string, string][] = [
    ['cardOperationSubType', 'CARD_OTHER'],
    ['riskManagementCategory', 'OP_OTHER'],
    ['sourceCountry', 'XK'],
    ['currency', 'XAU'],
    ['businessUnit', 'UNIT_B'],
  ];
  const classifiers = { ...rules().classifiers, businessUnit: ['UNIT_A'] };
  const inEuro = { euroExchangeRate: 2, amountInEuro: 2998 };

  it.each(UNKNOWN)('are refused by default: %s', (name, code) => {
    const changes = { [name]: code, ...(name === 'currency' ? inEuro : {}) };
    expect(faultOf(changes, { classifiers })).toMatch(new RegExp(`^${name} must be one of the configured`));
  });

  it.each(UNKNOWN)('are passed on with a warning where that is configured: %s', (name, code) => {
    const changes = { [name]: code, ...(name === 'currency' ? inEuro : {}) };
    const { warnings, operation } = accepted(operationInput(changes), { classifiers, unknownCodes: 'pass' });
    expect(operation[name as keyof Operation]).toBe(code);
    expect(warnings).toEqual([{ field: name, message: expect.stringContaining('passed on') }]);
  });

  it.each([
    ['sourceCountry', 'LTU'],
    ['currency', 'euro'],
    ['operationType', 'SEPA'],
  ])('are refused even then where %s is %s: no such code, or another kind of operation', (name, code) => {
    expect(errorsOf(operationInput({ [name]: code }), { unknownCodes: 'pass' }).map(({ field }) => field)).toContain(
      name,
    );
  });

  it('are not known where no list is configured', () => {
    accepted(operationInput({ businessUnit: 'ANY' }));
  });
});

describe('the age of an operation', () => {
  it.each([
    ['2026-03-09T11:59:59Z', false],
    ['2026-03-09T12:00:00Z', false],
    ['2026-03-09T12:00:01Z', true],
    ['2026-03-09T13:00:00+02:00', false],
    ['2026-03-10T12:00:00Z', true],
  ])('is young, below 24 hours, at %s: %s', (operationDateTime, young) => {
    expect(accepted(operationInput({ operationDateTime })).young).toBe(young);
  });

  it('is warned of where it lies in the future', () => {
    const { warnings } = accepted(operationInput({ operationDateTime: '2026-03-10T12:00:01Z' }));
    expect(warnings.map(({ message }) => message)).toEqual(['operationDateTime lies in the future']);
  });
});

describe('unknown fields', () => {
  it.each([
    ['riskLEvel', 'riskLevel'],
    ['iPAddress', 'ipAddress'],
    ['amountInEur', 'amountInEuro'],
    ['operationExternalId', 'operationExtId'],
    ['listOperationParties', 'listOperationParty'],
  ])('are refused with the nearest known name: %s', (name, nearest) => {
    expect(faultOf({ [name]: 'x' })).toBe(`${name} is no field of AMLYZE here: the nearest known name is ${nearest}`);
  });

  it('are refused without a proposal where none is near', () => {
    expect(faultOf({ colour: 'red' })).toBe('colour is no field of AMLYZE here: remove it');
  });

  it.each(['cardNumber', 'cardValidTill', 'cardHolderName', 'partyRole'])('are sent to the party: %s', (name) => {
    expect(faultOf({ [name]: 'x' })).toContain(`it belongs in a party, as listOperationParty[n].${name}`);
  });

  it('do not fill the answer, however many there are', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`unknownField${index}`, 1]));
    const errors = errorsOf(operationInput(many));
    expect(errors).toHaveLength(11);
    expect(errors.at(-1)?.message).toContain('490 more');
  });

  it('have the names that the sender gave them, so those are masked and cut', () => {
    const [error] = errorsOf(operationInput({ [`4111111111111111${x(500)}\u202e`]: 1 }));
    expect(error?.field.length).toBeLessThan(80);
    expect(JSON.stringify(error)).not.toContain('4111111111111111');
  });
});
