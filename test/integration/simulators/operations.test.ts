import { type FaultAction, startAmlyzeSimulator } from '../../../src/simulators';
import {
  type Answered,
  operation,
  parties,
  record,
  resultsOf,
  type Running,
  running,
  sendBatch,
  sendOperation,
  sendOperations,
  VALIDATION,
} from './support';

const USED = 'CommunicationNumber already used in amlyze';
const EXISTS = { errorCode: 'O005', errorDescription: 'Operation with given OperationExtId already exists' };
const CUSTOMER = { accountExtId: 'A-1', accountNumber: 'C-1', entityType: 'ORGANIZATION' };

describe('the operation endpoints of the AMLYZE simulator', () => {
  let amlyze: Running;
  let url: string;

  beforeAll(async () => {
    amlyze = await running(startAmlyzeSimulator());
    url = amlyze.simulator.url;
  });
  beforeEach(() => amlyze.control.reset());
  afterAll(() => amlyze.simulator.close());

  const said = ({ json }: Answered): unknown => json['errorDescription'] ?? json['resultType'];
  const ledger = async () => (await amlyze.control.operationLedger()).map(({ operationExtId }) => operationExtId);

  it('take a complete operation and keep its digits', async () => {
    const changes = { currency: 'GBP', listOperationParty: parties({ cardNumber: '4720582145647937' }) };
    const text = operation('op-1', changes, '1000.00').replace(/}$/, ',"euroExchangeRate":1.160,"amountInEuro":1160}');
    const answer = await sendOperation(url, text);
    expect([answer.status, answer.json]).toEqual([200, { resultType: 'REQUEST_ACCEPTED' }]);
    expect(await amlyze.control.operationLedger()).toEqual([
      {
        position: 0,
        kind: 'operation',
        communicationNumber: 'number-op-1',
        operationExtId: 'op-1',
        operationType: 'CARD_PAYMENT',
        sourceOfRiskLevel: 'IMPORT',
        operationDateTime: '2024-08-16T13:00:00Z',
        currency: 'GBP',
        amount: '1000.00',
        euroExchangeRate: '1.160',
        amountInEuro: '1160',
        financialFlowDirection: 'INCOMING',
        description: 'Invoice 02',
        accountNumbers: ['C-1', 'D-1'],
        cardNumbers: ['4720582145647937'],
        at: expect.any(String) as string,
        requestNo: 0,
      },
    ]);
  });

  it('answer a batch 200 with one result per operation, named by operationExtId and unit and by no number', async () => {
    const sent = [operation('b-1', { businessUnit: 'vilnius' }), operation('b-2', { description: '' })];
    const answer = await sendOperations(url, sent);
    expect(answer.status).toBe(200);
    expect(resultsOf(answer)).toEqual([
      { resultType: 'REQUEST_ACCEPTED', operationExtId: 'b-1', businessUnit: 'vilnius', timeElapsedMs: 1 },
      {
        resultType: 'REQUEST_REJECTED',
        operationExtId: 'b-2',
        errorCode: '001',
        errorDescription: 'Description is mandatory.',
        timeElapsedMs: 1,
      },
    ]);
    expect(await ledger()).toEqual(['b-1']);
  });

  it('know no number and no operationExtId twice, and a unit apart is another operation', async () => {
    await sendOperation(url, operation('x'));
    const again = await sendOperation(url, operation('x'));
    expect([again.status, again.json]).toEqual([
      400,
      { resultType: 'REQUEST_REJECTED', errorCode: 'O001', errorDescription: USED },
    ]);
    const renumbered = await sendOperation(url, operation('x', { communicationNumber: 'new' }));
    expect(renumbered.json).toMatchObject(EXISTS);
    const batch = [operation('x'), operation('x', { communicationNumber: 'newer', businessUnit: 'riga' })];
    expect(resultsOf(await sendOperations(url, batch))).toMatchObject([
      { errorCode: 'O005', errorDescription: USED },
      { resultType: 'REQUEST_ACCEPTED' },
    ]);
    expect(await amlyze.control.stats()).toMatchObject({ accepted: 2, operations: 2, replays: 2 });
  });

  it('share their numbers with the balances', async () => {
    await amlyze.control.putAccounts([{ accountExtId: 'A-1' }]);
    await sendBatch(url, [record('number-s')]);
    expect(said(await sendOperation(url, operation('s')))).toBe(USED);
    await sendOperation(url, operation('t'));
    expect(resultsOf(await sendBatch(url, [record('number-t')]))[0]).toMatchObject({ errorDescription: USED });
  });

  it('treat operations as there that somebody else registered', async () => {
    await amlyze.control.call('POST', 'used-operations', { operations: [{ operationExtId: 'theirs' }] });
    expect((await sendOperation(url, operation('theirs'))).json).toMatchObject(EXISTS);
    expect(await ledger()).toEqual([]);
  });

  it('screen on the single endpoint only, and imply IMPORT in a batch', async () => {
    const asking = { initializeScreeningProcesses: ['PEP'], sourceOfRiskLevel: undefined };
    expect(said(await sendOperation(url, operation('p', asking)))).toMatch(/^SourceOfRiskLevel is mandatory/);
    await sendOperation(url, operation('q', { ...asking, sourceOfRiskLevel: 'IMPORT' }));
    await sendOperations(url, [operation('r', asking)]);
    const [single, batch] = await amlyze.control.operationLedger();
    expect([single?.screenings, single?.sourceOfRiskLevel]).toEqual([['PEP'], 'IMPORT']);
    expect([batch?.screenings, batch?.sourceOfRiskLevel]).toEqual([undefined, 'IMPORT']);
  });

  it('check in a dry run what the operations say, and store nothing', async () => {
    await sendOperation(url, operation('known'));
    const sent = [operation('known'), operation('new'), operation('bad', { operationStatus: 'MAYBE' })];
    expect(resultsOf(await sendOperations(url, sent, VALIDATION)).map((result) => result?.['resultType'])).toEqual([
      'REQUEST_ACCEPTED',
      'REQUEST_ACCEPTED',
      'REQUEST_REJECTED',
    ]);
    expect(await ledger()).toEqual(['known']);
    expect(await amlyze.control.stats()).toMatchObject({ accepted: 1, rejected: 0 });
  });

  const own = (changes: object): object => ({ listOperationParty: parties(changes) });
  const roles = (...given: string[]): object => ({
    listOperationParty: given.map((partyRole, n) => ({ ...parties()[n === 0 ? 0 : 1], partyRole })),
  });
  const SETTINGS = {
    countries: ['LT', 'ES'],
    currencies: ['EUR', 'GBP'],
    riskManagementCategories: ['OP_TRANSFER'],
    institutionBic: 'EXAMLT2X',
  };

  const refused: [changes: object, words: string, customer?: object][] = [
    [
      { destinationCountry: 'XX' },
      'DestinationCountry is mandatory, check country classifier codes for allowed values.',
    ],
    [{ sourceCountry: undefined }, 'SourceCountry is mandatory, check country classifier codes for allowed values.'],
    [{ currency: 'GBX' }, 'Currency is mandatory, check Currency classifier codes for allowed values.'],
    [{ amount: 0 }, 'Amount is mandatory and must be greater than 0.'],
    [{ amount: -1 }, 'Amount is mandatory and must be greater than 0.'],
    [{ amountInEuro: 1 }, 'Despite currency = EUR, AmountInEur differs from Amount.'],
    [{ currency: 'GBP', euroExchangeRate: 1.16 }, 'AmountInEur is mandatory and must be greater than 0.'],
    [{ currency: 'GBP', amountInEuro: 5 }, 'EuroExchangeRate is mandatory and must be greater than 0.'],
    [{ financialFlowDirection: 'NULL' }, 'For non-INTERNAL operation, financialFlowDirection value cannot be ‘NULL’.'],
    [{ description: null }, 'Description is mandatory.'],
    [{ merchantCountryCode: 'QQ' }, 'Invalid MerchantCountryCode.'],
    [{ riskManagementCategory: undefined }, 'RiskManagementCategory is mandatory.'],
    [{ riskManagementCategory: 'OP_OTHER' }, 'RiskManagementCategory does not exist in Amlyze.'],
    [{ riskManagementCategory: 'CUSTOMER_DEFAULT' }, 'RiskManagementCategory does not support Operation.'],
    [
      {},
      'Account registered to your institution; Account found in Amlyze, but customer not found in Amlyze.',
      { ...CUSTOMER, customerKnown: false },
    ],
    [
      {},
      'entityType mismatch in operationParty[0]: Amlyze customer has different entity type to operation one.',
      { ...CUSTOMER, entityType: 'INDIVIDUAL' },
    ],
    [roles('DEBTOR', 'CREDITOR'), 'For INCOMING operation, your customer party role must be CREDITOR.', CUSTOMER],
    [
      { financialFlowDirection: 'OUTGOING' },
      'For OUTGOING operation, your customer party role must be DEBTOR.',
      CUSTOMER,
    ],
    [
      { operationType: 'BARTER' },
      'operationType BARTER is not defined in Amlyze. Check Operation type classifier for available values.',
    ],
    [own({ entityType: undefined }), 'Problem with operation party (index: 0).'],
    [{ listOperationParty: parties({}, { lastName: undefined }) }, 'Problem with operation party (index: 1).'],
    [
      roles('DEBTOR', 'CREDITOR'),
      'Invalid FinancialFlowDirection: Your institution DEBTOR found for INCOMING operation.',
    ],
    [
      { financialFlowDirection: 'OUTGOING' },
      'Invalid FinancialFlowDirection: Your institution CREDITOR found for OUTGOING operation.',
    ],
    [{ listOperationParty: parties(null) }, 'OperationParties must contain CREDITOR.'],
    [{ listOperationParty: parties({}, null) }, 'OperationParties must contain DEBTOR.'],
    [{ listOperationParty: [] }, 'Invalid operation party count. Range: min 1, max 4.'],
    [{ listOperationParty: [...parties(), ...parties(), {}] }, 'Invalid operation party count. Range: min 1, max 4.'],
    [roles('CREDITOR', 'DEBTOR', 'DEBTOR'), 'Invalid count of operation parties for CARD_PAYMENT operationType.'],
    [{ operationType: 'PIS' }, 'For ‘PIS’ operation, only creditor can be provided.'],
    [own({ bic: 'ELSELT2X' }), 'No operation party account related to your institution BIC, or Customer.'],
    [
      { listOperationParty: parties({}, { bic: 'EXAMLT2X' }) },
      'Invalid count of your institution operation parties for CARD_PAYMENT operationType.',
    ],
    [{ communicationNumber: undefined }, 'CommunicationNumber is mandatory.'],
    [{ requester: undefined }, 'Requester is mandatory.'],
    [{ sourceOfRiskLevel: 'GUESS' }, 'SourceOfRiskLevel is mandatory, allowed values: IMPORT / EVALUATE.'],
    [{ operationExtId: undefined }, 'OperationExtId is mandatory.'],
    [{ operationType: undefined }, 'OperationType is mandatory.'],
    [
      { operationType: 'SEPA', ...own({ bic: undefined }) },
      'Problem with OperationType (SEPA): Problem with OperationParties. No operation party account related to your institution BIC or Customer.',
    ],
    [
      { operationType: 'SEPA', listOperationParty: parties({}, { bic: 'EXAMLT2X' }) },
      'Problem with OperationType (SEPA): Invalid count of your institution operation parties for SEPA operationType.',
    ],
    [{ description: 'd'.repeat(551) }, 'Description is longer than 550 characters'],
    [{ communicationNumber: 'n'.repeat(256) }, 'CommunicationNumber is longer than 255 characters'],
    [{ amount: '12.50' }, 'amount is not of its documented type'],
    [{ action: 'UPDATE' }, 'Action UPDATE is not simulated'],
  ];

  it.each(refused.map(([changes, words, customer]) => ({ changes, words, customers: customer ? [customer] : [] })))(
    'reject $changes: $words',
    async ({ changes, words: errorDescription, customers }) => {
      await amlyze.control.settings(SETTINGS);
      await amlyze.control.putAccounts(customers);
      const answer = await sendOperation(url, operation('op', { ...changes }));
      expect([answer.status, answer.json]).toEqual([
        400,
        { resultType: 'REQUEST_REJECTED', errorCode: expect.any(String) as string, errorDescription },
      ]);
      expect(await ledger()).toEqual([]);
    },
  );

  it('take an amountInEuro that is the amount of an operation in euro, however it is spelt', async () => {
    expect(said(await sendOperation(url, operation('eur', { amountInEuro: 1499.1 }, '1499.100')))).toBe(
      'REQUEST_ACCEPTED',
    );
  });

  it('reject an unknown type in a batch in the longer form of the words', async () => {
    expect(resultsOf(await sendOperations(url, [operation('i', { operationType: 'INVALID' })]))[0]).toMatchObject({
      errorDescription:
        'Problem with OperationType (INVALID): INVALID is not defined in Amlyze. Check Operation type classifier for available values.',
    });
  });

  it('demand tenant header and business unit where they are told to', async () => {
    await amlyze.control.settings({ businessUnits: ['vilnius'] });
    expect(said(await sendOperation(url, operation('u')))).toBe('Business unit is mandatory.');
    expect(said(await sendOperation(url, operation('u', { businessUnit: 'riga' })))).toBe(
      'Tenant ’sandbox’ business unit ’riga’ does not exist.',
    );
    await amlyze.control.settings({ tenantHeader: { name: 'X-Tenant', value: 'bank-1' } });
    expect(said(await sendOperation(url, operation('u')))).toBe('Tenant header ’x-tenant’ is mandatory.');
  });

  it('take an operation without asking whose BIC it is where none is set', async () => {
    const both = { listOperationParty: parties({ bic: 'ANYBLT2X' }, { bic: 'ELSELT2X' }) };
    expect(said(await sendOperation(url, operation('any', both)))).toBe('REQUEST_ACCEPTED');
    const nobody = { listOperationParty: parties({ bic: undefined }) };
    expect(said(await sendOperation(url, operation('none', nobody)))).toMatch(/^No operation party account/);
  });

  const faulty = async (action: FaultAction, name = 'f-1'): Promise<Answered> => {
    await amlyze.control.addFault({ match: { operation: name }, do: action });
    return sendOperations(url, [operation('f-0'), operation('f-1'), operation('f-2')]);
  };
  const verdicts = (answer: Answered) => resultsOf(answer).map((result) => result?.['errorCode'] ?? 'accepted');
  const names = (answer: Answered) => resultsOf(answer).map((result) => result?.['operationExtId']);

  it('reject whatever a rule names, in words of its own', async () => {
    const action = { kind: 'reject-items', errorCode: 'O006.Ot02.Op04', errorDescription: 'no' } as const;
    expect(verdicts(await faulty(action))).toEqual(['accepted', 'O006.Ot02.Op04', 'accepted']);
    expect((await sendOperation(url, operation('f-1'))).json).toMatchObject({ errorDescription: 'no' });
    expect(await ledger()).toEqual(['f-0', 'f-2']);
  });

  it('fail while they accept', async () => {
    expect(verdicts(await faulty({ kind: 'failed-processing', afterCommit: true }))).toEqual([
      'accepted',
      '500',
      'accepted',
    ]);
    expect(await ledger()).toEqual(['f-0', 'f-1', 'f-2']);
  });

  it('give numbers of named operations to somebody else', async () => {
    expect(verdicts(await faulty({ kind: 'already-used' }))).toEqual(['accepted', 'O005', 'accepted']);
    expect(await ledger()).toEqual(['f-0', 'f-2']);
  });

  it('omit, double, contradict and mislabel results, and add strangers', async () => {
    expect(names(await faulty({ kind: 'omit-results' }))).toEqual(['f-0', 'f-2']);
    await amlyze.control.reset();
    expect(names(await faulty({ kind: 'double-results' }))).toEqual(['f-0', 'f-1', 'f-1', 'f-2']);
    await amlyze.control.reset();
    expect(verdicts(await faulty({ kind: 'conflicting-results' }))).toEqual([
      'accepted',
      'accepted',
      'O005',
      'accepted',
    ]);
    await amlyze.control.reset();
    expect(names(await faulty({ kind: 'mislabelled-results' }))).toEqual(['f-0', 'someone-else', 'f-2']);
    await amlyze.control.reset();
    expect(names(await faulty({ kind: 'stranger-result' }))).toEqual(['f-0', 'f-1', 'f-2', 'stranger-1']);
  });

  it('accept a part and answer 500, or nothing and say so with a status', async () => {
    expect((await faulty({ kind: 'commit-part', count: 2 })).status).toBe(500);
    expect(await ledger()).toEqual(['f-0', 'f-1']);
    expect((await faulty({ kind: 'status', status: 503 }, 'f-2')).status).toBe(503);
    expect(await ledger()).toEqual(['f-0', 'f-1']);
  });
});
