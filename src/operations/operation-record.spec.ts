import fc from 'fast-check';
import { operationInput, rules, withParties } from '../../test/support/operation-input';
import { isJsonObject, JsonNumber, parseJson, type JsonObject, type JsonValue } from '../shared/json';
import { ENTITY_TYPES, FLOW_DIRECTIONS, RISK_LEVELS, SCREENING_PROCESSES, type Operation } from './operation';
import { contentOf } from './operation-content';
import { buildOperationRecord, checkOperationRecord, type OperationAddress } from './operation-record';
import { validateOperation } from './validate-operation';

const SINGLE: OperationAddress = { communicationNumber: 'obg-1', requester: 'gateway', channel: 'operation-single' };
const BATCH: OperationAddress = { ...SINGLE, channel: 'operation-batch' };

function valid(input: JsonValue): Operation {
  const check = validateOperation(input, rules({ cardData: 'encrypt', callerNumbers: true, countriesRequired: false }));
  if (!check.ok) throw new Error(check.errors.map(({ message }) => message).join('; '));
  return check.operation;
}

describe('buildOperationRecord', () => {
  it("writes the example of AMLYZE's page in its order of fields", () => {
    expect(buildOperationRecord(valid(operationInput()), SINGLE)).toBe(
      '{"communicationNumber":"obg-1","requester":"gateway","operationExtId":"Op_01_CARD_TEST",' +
        '"operationType":"CARD_PAYMENT","cardOperationSubType":"CARD_PURCHASE","riskManagementCategory":"OP_TRANSFER",' +
        '"sourceOfRiskLevel":"IMPORT","operationStatus":"EXECUTED","riskLevel":"LOW",' +
        '"operationDateTime":"2024-08-16T13:00:00Z","sourceCountry":"LT","destinationCountry":"LT","currency":"EUR",' +
        '"amount":1499,"financialFlowDirection":"INCOMING","initializeScreeningProcesses":["PEP","ADVERSE_MEDIA"],' +
        '"description":"Invoice \'02\'","ipAddress":"192.0.2.7","ipAddressCountry":"LT","terminalExtId":"t_extid_145",' +
        '"terminalCode":"57455","merchantExtId":"External_0112","merchantCode":"5541",' +
        '"merchantDescription":"Ecommerce merchants","merchantName":"Costco","merchantCountryCode":"ES",' +
        '"salesPointExtId":"S_extid_0145","salesPointCode":"54574","listOperationParty":[' +
        '{"partyRole":"CREDITOR","entityType":"INDIVIDUAL","accountNumber":"LT121000011101001000","bic":"AGBLLT2X",' +
        '"country":"LT","firstName":"Eduardo","lastName":"Rodrigues"},' +
        '{"partyRole":"DEBTOR","entityType":"ORGANIZATION","accountNumber":"ES9121000418450200051332","title":"Costco Iberia"}]}',
    );
  });

  it('leaves sourceOfRiskLevel out of the batch form and changes nothing else', () => {
    const operation = valid(operationInput({ initializeScreeningProcesses: undefined }));
    const single = buildOperationRecord(operation, SINGLE);
    expect(buildOperationRecord(operation, BATCH)).toBe(single.replace('"sourceOfRiskLevel":"IMPORT",', ''));
  });

  it('refuses to strip an operation of its screening', () => {
    expect(() => buildOperationRecord(valid(operationInput()), BATCH)).toThrow(/screening cannot go through the batch/);
  });

  it("takes the caller's requester before the configured one, and the given number before the caller's", () => {
    const operation = valid(operationInput({ requester: 'Core', communicationNumber: 'caller-1' }));
    expect(buildOperationRecord(operation, SINGLE)).toMatch(/^\{"communicationNumber":"obg-1","requester":"Core",/);
  });

  it('has the card number in full: it is the bytes that AMLYZE gets', () => {
    const operation = valid(withParties({ cardNumber: '4720582145647937', cardValidTill: '2025-06-07' }));
    expect(buildOperationRecord(operation, SINGLE)).toContain(
      '"cardNumber":"4720582145647937","cardValidTill":"2025-06-07"',
    );
  });

  it.each(['1e3', '-1', '01', '1.', '', '1,"x":1', 'NaN'])('throws for the amount %s', (amount) => {
    expect(() => buildOperationRecord({ ...valid(operationInput()), amount }, SINGLE)).toThrow(TypeError);
  });
});

describe('checkOperationRecord', () => {
  const operation = valid(withParties({ cardNumber: '4720582145647937' }));
  const record = buildOperationRecord(operation, SINGLE);

  it.each([
    ['another digit', record.replace('1499', '1498')],
    ['another scale', record.replace('1499', '1499.0')],
    ['a number as a text', record.replace('1499', '"1499"')],
    ['another text', record.replace('Costco', 'Costko')],
    ['a field that is missing', record.replace('"riskLevel":"LOW",', '')],
    ['a field too many', record.replace('"riskLevel"', '"x":1,"riskLevel"')],
    ['a field twice', record.replace('"riskLevel"', '"amount":1,"riskLevel"')],
    [
      'another order',
      record.replace(
        '"sourceCountry":"LT","destinationCountry":"LT"',
        '"destinationCountry":"LT","sourceCountry":"LT"',
      ),
    ],
    ['a list entry less', record.replace('"PEP",', '')],
    ['another card number', record.replace('4720582145647937', '4111111111111111')],
    ['a masked card number', record.replace('4720582145647937', '472058******7937')],
    ['a list around it', `[${record}]`],
    ['half of it', record.slice(0, 200)],
  ])('throws for %s, and its message has no content', (_title, tampered) => {
    expect(tampered).not.toBe(record);
    let message = '';
    try {
      checkOperationRecord(tampered, operation, SINGLE);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/Error|JsonProblem/);
    expect(message).not.toMatch(/47205|411111|Costko|1498/);
  });
});

// ---- any valid operation ----

const text = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((value) => {
    return (
      value.length <= max && value === value.trim() && value !== '' && !/\p{Cc}/u.test(value) && value.isWellFormed()
    );
  });
const number = fc
  .tuple(
    fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }),
    fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 10 }),
  )
  .map(([integer, fraction]) => new JsonNumber(fraction === '' ? `${integer}` : `${integer}.${fraction}`));
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const instant = fc
  .tuple(
    fc.date({ min: new Date('1990-01-01'), max: new Date('2026-01-01'), noInvalidDate: true }),
    fc.constantFrom('Z', '+02:00', '-11:30'),
  )
  .map(([date, offset]) => date.toISOString().replace('Z', offset));
const country = fc.constantFrom('LT', 'ES', 'ZW');

const party = (partyRole: string): fc.Arbitrary<JsonObject> =>
  fc.record(
    {
      partyRole: fc.constant(partyRole),
      entityType: fc.constantFrom(...ENTITY_TYPES.slice(0, 2)),
      accountNumber: text(255),
      accountExtId: text(255),
      currency: fc.constantFrom('EUR', 'USD'),
      bankTitle: text(1000),
      address: text(1000),
      country,
      title: text(1000),
      identifier: text(255),
      cardNumber: fc.constantFrom('4720582145647937', '378282246310005'),
      cardHolderName: text(1000),
    },
    { requiredKeys: ['partyRole', 'entityType', 'accountNumber', 'accountExtId', 'title'] },
  );

const operations: fc.Arbitrary<JsonObject> = fc
  .tuple(
    fc.record({
      operationExtId: text(255),
      requester: optional(text(100)),
      businessUnit: optional(text(255)),
      riskLevel: optional(fc.constantFrom(...RISK_LEVELS)),
      operationDateTime: instant,
      dateSettled: optional(instant),
      sourceCountry: optional(country),
      amount: number,
      financialFlowDirection: fc.constantFrom(...FLOW_DIRECTIONS),
      description: text(550),
      merchantName: optional(text(1000)),
      fastPayment: optional(fc.boolean()),
      initializeScreeningProcesses: optional(fc.subarray([...SCREENING_PROCESSES], { minLength: 1 })),
    }),
    fc.boolean(),
    party('CREDITOR'),
    party('DEBTOR'),
    fc.array(party('ULTIMATE_DEBTOR'), { maxLength: 2 }),
  )
  .map(([fields, foreign, creditor, debtor, others]) => {
    const rate = foreign ? { currency: 'USD', euroExchangeRate: '1.00', amountInEuro: fields.amount } : {};
    const input = operationInput(rate);
    Object.assign(input, fields, { listOperationParty: [creditor, ...others, debtor] });
    for (const key of Object.keys(input)) if (input[key] === undefined) delete input[key];
    return input;
  });

describe('any operation that is valid', () => {
  it('comes out of the frozen bytes with the same content, digit for digit', () => {
    fc.assert(
      fc.property(operations, (input) => {
        const operation = valid(input);
        const record = parseJson(buildOperationRecord(operation, SINGLE));
        if (!isJsonObject(record)) throw new Error('no object');
        const given = input['amount'];
        expect(record['amount']).toEqual(new JsonNumber(given instanceof JsonNumber ? given.source : ''));
        delete record['communicationNumber'];
        delete record['requester'];
        expect(contentOf(valid(record))).toBe(contentOf(operation));
        for (const [key, value] of Object.entries(input)) {
          if (key !== 'euroExchangeRate' && key !== 'initializeScreeningProcesses' && key !== 'requester') {
            expect([key, record[key]]).toEqual([key, value]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('says in the batch what it says alone, the risk level source aside', () => {
    fc.assert(
      fc.property(operations, (input) => {
        delete input['initializeScreeningProcesses'];
        const operation = valid(input);
        const alone = parseJson(buildOperationRecord(operation, SINGLE)) as JsonObject;
        delete alone['sourceOfRiskLevel'];
        expect(parseJson(buildOperationRecord(operation, BATCH))).toEqual(alone);
      }),
    );
  });
});
