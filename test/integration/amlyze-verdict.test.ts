import { buildAccountBalanceRecord } from '../../src/amlyze/account-balance-record';
import { AmlyzeClient } from '../../src/amlyze/amlyze.client';
import { judgeBatch, judgeSingle, type CallVerdict, type SentRecord } from '../../src/amlyze/verdict';
import { judgeOperation, judgeOperationBatch, judgePreflight } from '../../src/amlyze/operation-verdict';
import { HttpClient } from '../../src/shared/http-client';
import { SANDBOX_AMLYZE, SimulatorControl, startAmlyzeSimulator, type RunningSimulator } from '../../src/simulators';
import { operation, record } from '../fixtures/amlyze/answers';
import { operation as cardPayment } from './simulators/support';

const payload = ({ communicationNumber, accountExtId }: SentRecord): string =>
  buildAccountBalanceRecord({
    communicationNumber,
    requester: 'open-banking-gateway',
    balanceType: 'STATEMENT_BALANCE',
    accountExtId: accountExtId ?? '',
    balanceAt: '2026-01-01T06:00:00.000Z',
    value: '100.10',
  });

function words(verdict: CallVerdict): string[] | string {
  if (verdict.kind !== 'settled') return verdict.kind;
  return verdict.records.map(({ verdict: word, reason }) => (reason === undefined ? word : `${word} ${reason}`));
}

describe('verdicts on the answers of the AMLYZE simulator', () => {
  let amlyze: RunningSimulator;
  let control: SimulatorControl;
  let http: HttpClient;
  const sent = [record(1), record(2), record(3)];

  const batch = async (records: readonly SentRecord[]): Promise<CallVerdict> =>
    judgeBatch(await client().sendBatch(records.map(payload)), records, new Date());
  const single = async (one: SentRecord): Promise<CallVerdict> =>
    judgeSingle(await client().sendSingle(payload(one)), one, new Date());
  const client = (change: { token?: string; path?: string } = {}): AmlyzeClient =>
    new AmlyzeClient(http, {
      amlyzeBaseUrl: amlyze.url,
      amlyzeToken: change.token ?? SANDBOX_AMLYZE.token,
      amlyzeTimeoutMs: 5_000,
      amlyzeBatchEndpoint: { method: 'POST', path: change.path ?? '/amlyze-ws-rest/batch-account-balances' },
      amlyzeSingleEndpoint: { method: 'PUT', path: '/amlyze-ws-rest/account-balance' },
      amlyzeOperationEndpoint: { method: 'POST', path: '/amlyze-ws-rest/operation' },
      amlyzeBatchOperationsEndpoint: { method: 'POST', path: '/amlyze-ws-rest/batch-operations' },
      amlyzeValidateOperationsEndpoint: { method: 'POST', path: '/amlyze-ws-rest/validate-batch-operations' },
    });

  beforeEach(async () => {
    amlyze = await startAmlyzeSimulator();
    control = new SimulatorControl(amlyze.url);
    await control.putAccounts(sent.map(({ accountExtId }) => ({ accountExtId })));
    http = new HttpClient({ allowPrivateAddresses: true });
  });
  afterEach(async () => {
    await http.close();
    await amlyze.close();
  });

  test('accept what its ledger has, reject what it refuses, and read a second send by the doubt about the first', async () => {
    const unknown = record(9);
    expect(words(await batch([...sent, unknown]))).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'rejected BUSINESS_REJECTION',
    ]);
    expect((await control.ledger()).map(({ communicationNumber }) => communicationNumber)).toEqual([
      'obg-1',
      'obg-2',
      'obg-3',
    ]);
    expect(words(await batch(sent.map((one) => ({ ...one, inDoubtBefore: true }))))).toEqual(
      Array(3).fill('accepted replayed'),
    );
    expect(words(await batch(sent))).toEqual(Array(3).fill('held COLLISION'));
    expect(words(await single({ ...record(1), inDoubtBefore: true }))).toEqual(['accepted replayed']);
    expect(words(await single(record(1)))).toEqual(['held COLLISION']);
    expect(words(await single(unknown))).toEqual(['rejected BUSINESS_REJECTION']);
  });

  test('survive a shuffled list with null, a stranger, a double, a contradiction and a gap', async () => {
    await control.addFault(
      { do: { kind: 'shuffle-results' } },
      { do: { kind: 'null-result' } },
      { do: { kind: 'stranger-result' } },
      { do: { kind: 'double-results' }, match: { communicationNumber: 'obg-1' } },
      { do: { kind: 'conflicting-results' }, match: { communicationNumber: 'obg-2' } },
      { do: { kind: 'omit-results' }, match: { communicationNumber: 'obg-3' } },
    );
    const verdict = await batch(sent);
    expect(words(verdict)).toEqual(['accepted', 'in-doubt CONFLICTING_RESULTS', 'in-doubt MISSING_FROM_RESULTS']);
    expect(verdict).toMatchObject({
      strangers: expect.arrayContaining(['stranger-1', '(no communicationNumber)']) as unknown,
    });
  });

  test('blame the configuration for a wrong token, a wrong path and a missing tenant header', async () => {
    const judge = async (other: AmlyzeClient): Promise<string | string[]> =>
      words(judgeBatch(await other.sendBatch(sent.map(payload)), sent, new Date()));
    expect(await judge(client({ token: 'another-token' }))).toBe('configuration');
    expect(await judge(client({ path: '/amlyze-ws-rest/nowhere' }))).toBe('configuration');
    await control.settings({ tenantHeader: { name: 'X-Tenant', value: 'a' } });
    expect([words(await batch(sent)), words(await single(record(1)))]).toEqual(['configuration', 'configuration']);
  });

  test('tell of operations by their operationExtId: alone, in a batch and in the dry run', async () => {
    const operations = [operation(1), operation(2), operation(3)];
    await control.call('POST', 'used-operations', { operations: [{ operationExtId: 'op-3' }] });
    const payloads = operations.map(({ communicationNumber, operationExtId }) =>
      cardPayment(operationExtId, { communicationNumber }),
    );
    const [first] = operations;
    const [payload] = payloads;
    if (first === undefined || payload === undefined) throw new Error('there are three');
    const judged = async (changes: Partial<SentRecord> = {}): Promise<string[] | string> => {
      const answered = await client().sendOperationBatch(payloads);
      return words(
        judgeOperationBatch(
          answered,
          operations.map((one) => ({ ...one, ...changes })),
          new Date(),
        ),
      );
    };

    const dryRun = judgePreflight(await client().validateOperationBatch(payloads), operations, new Date());
    expect(dryRun).toEqual({ kind: 'checked', refused: [] });
    expect(words(judgeOperation(await client().sendOperation(payload), first, new Date()))).toEqual(['accepted']);
    expect(words(judgeOperation(await client().sendOperation(payload), first, new Date()))).toEqual(['held COLLISION']);
    await control.addFault({ do: { kind: 'shuffle-results' } });
    expect(await judged()).toEqual(['held COLLISION', 'accepted', 'held COLLISION']);
    expect(await judged({ inDoubtBefore: true })).toEqual(Array(3).fill('accepted replayed'));
    await control.addFault({ match: { operation: 'op-2' }, do: { kind: 'mislabelled-results' } });
    expect(await judged()).toEqual(['held COLLISION', 'in-doubt MISSING_FROM_RESULTS', 'held COLLISION']);
    expect((await control.operationLedger()).map(({ operationExtId }) => operationExtId)).toEqual(['op-1', 'op-2']);
  });

  test('reject an operation in the words of AMLYZE, and blame the configuration for the tenant header', async () => {
    const sent = operation(1);
    const send = async (changes: object): Promise<CallVerdict> =>
      judgeOperation(await client().sendOperation(cardPayment('op-1', { ...changes })), sent, new Date());
    expect(await send({ description: '' })).toMatchObject({
      records: [{ verdict: 'rejected', errorCode: '001', errorDescription: 'Description is mandatory.' }],
    });
    await control.settings({ tenantHeader: { name: 'X-Tenant', value: 'a' } });
    expect(words(await send({}))).toBe('configuration');
  });
});
