import { type FaultAction, type FaultMatch, startAmlyzeSimulator } from '../../../src/simulators';
import { type Answered, record, resultsOf, type Running, running, sendBatch, sendSingle } from './support';

const ACCOUNTS = ['A-0', 'A-1', 'A-2', 'A-3', 'A-4'];
const BATCH = ACCOUNTS.map((accountExtId, index) => record(`n-${String(index)}`, { accountExtId }));
const NUMBERS = ['n-0', 'n-1', 'n-2', 'n-3', 'n-4'];

describe("faults of AMLYZE's results", () => {
  let amlyze: Running;
  let url: string;

  beforeAll(async () => {
    amlyze = await running(startAmlyzeSimulator());
    url = amlyze.simulator.url;
  });
  beforeEach(async () => {
    await amlyze.control.reset();
    await amlyze.control.putAccounts(ACCOUNTS.map((accountExtId) => ({ accountExtId })));
  });
  afterAll(() => amlyze.simulator.close());

  const faulty = async (action: FaultAction, match: FaultMatch = {}): Promise<Answered> => {
    await amlyze.control.addFault({ match: { times: 1, ...match }, do: action });
    return sendBatch(url, BATCH);
  };
  const numbersOf = (answer: Answered) => resultsOf(answer).map((result) => result?.['communicationNumber']);
  const ledger = async () => (await amlyze.control.ledger()).map((entry) => entry.communicationNumber);
  const verdicts = (answer: Answered) => resultsOf(answer).map((result) => result?.['errorCode'] ?? 'accepted');

  it('commit-part accepts the first ones and answers 500 in the documented shape', async () => {
    const answer = await faulty({ kind: 'commit-part', count: 2 });
    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({ resultType: 'REQUEST_REJECTED', status: 500, error: 'Internal Server Error' });
    expect(await ledger()).toEqual(['n-0', 'n-1']);
    expect(verdicts(await sendBatch(url, BATCH))).toEqual(['O005', 'O005', 'accepted', 'accepted', 'accepted']);
  });

  it('commit-part closes the connection instead where it is told to', async () => {
    await expect(faulty({ kind: 'commit-part', count: 3, drop: true })).rejects.toThrow();
    expect(await ledger()).toEqual(['n-0', 'n-1', 'n-2']);
  });

  it('shuffle-results gives the same results in another order, the same for the same seed', async () => {
    const once = numbersOf(await faulty({ kind: 'shuffle-results', seed: 7 }));
    const again = numbersOf(await faulty({ kind: 'shuffle-results', seed: 7 }));
    expect(once).not.toEqual(NUMBERS);
    expect([...once].sort()).toEqual(NUMBERS);
    expect(again).toEqual(once);
  });

  it('omit-results leaves results out of records that were accepted', async () => {
    expect(numbersOf(await faulty({ kind: 'omit-results', count: 2 }))).toEqual(['n-2', 'n-3', 'n-4']);
    expect(await ledger()).toEqual(NUMBERS);
  });

  it('omit-results concerns the matched account only', async () => {
    const answer = await faulty({ kind: 'omit-results' }, { account: 'A-3' });
    expect(numbersOf(answer)).toEqual(['n-0', 'n-1', 'n-2', 'n-4']);
  });

  it('double-results lists a result twice with one verdict', async () => {
    const answer = await faulty({ kind: 'double-results' }, { communicationNumber: 'n-1' });
    expect(numbersOf(answer)).toEqual(['n-0', 'n-1', 'n-1', 'n-2', 'n-3', 'n-4']);
    expect(verdicts(answer)).toEqual(Array(6).fill('accepted'));
  });

  it('conflicting-results adds the opposite verdict', async () => {
    const answer = await faulty({ kind: 'conflicting-results' }, { communicationNumber: 'n-4' });
    expect(numbersOf(answer).slice(-2)).toEqual(['n-4', 'n-4']);
    expect(verdicts(answer).slice(-2)).toEqual(['accepted', 'O005']);
  });

  it('stranger-result adds a number that nobody asked for', async () => {
    expect(numbersOf(await faulty({ kind: 'stranger-result' }))).toEqual([...NUMBERS, 'stranger-1']);
    const named = await faulty({ kind: 'stranger-result', communicationNumber: 'other' });
    expect(numbersOf(named).at(-1)).toBe('other');
  });

  it('null-result adds a null to the list', async () => {
    expect(resultsOf(await faulty({ kind: 'null-result' }))).toContain(null);
  });

  it('mislabelled-results name another account, or none', async () => {
    const other = resultsOf(await faulty({ kind: 'mislabelled-results', count: 5 }));
    expect(other.map((result) => result?.['accountExtId'])).toEqual(Array(5).fill('someone-else'));
    const none = resultsOf(await faulty({ kind: 'mislabelled-results', accountExtId: '' }));
    expect(none[0]).not.toHaveProperty('accountExtId');
    expect(none[1]).toHaveProperty('accountExtId', 'A-1');
  });

  it('reject-batch-containing answers 400 for the whole batch, and only there where the record is in it', async () => {
    await amlyze.control.addFault({
      match: { communicationNumber: 'n-2' },
      do: { kind: 'reject-batch-containing', errorCode: 'O009', errorDescription: 'Poison' },
    });
    const whole = await sendBatch(url, BATCH);
    expect([whole.status, whole.json['error']]).toEqual([400, 'Bad Request']);
    expect(await ledger()).toEqual([]);
    const [a = '', b = '', poison = ''] = BATCH;
    expect((await sendBatch(url, [a, b])).status).toBe(200);
    const single = await sendSingle(url, poison);
    expect([single.status, single.json]).toEqual([
      400,
      { resultType: 'REQUEST_REJECTED', errorCode: 'O009', errorDescription: 'Poison' },
    ]);
    expect(await ledger()).toEqual(['n-0', 'n-1']);
  });

  it('reject-items rejects the matched ones with the given words', async () => {
    const answer = await faulty(
      { kind: 'reject-items', errorCode: 'O777', errorDescription: 'Because' },
      { account: ['A-1', 'A-2'] },
    );
    expect(verdicts(answer)).toEqual(['accepted', 'O777', 'O777', 'accepted', 'accepted']);
  });

  it('failed-processing answers code 500, without or with the record in the ledger', async () => {
    const failed = await faulty({ kind: 'failed-processing' }, { account: 'A-0' });
    expect(resultsOf(failed)[0]).toMatchObject({
      errorCode: '500',
      errorDescription: 'failed processing account balance',
    });
    expect(await ledger()).toEqual(['n-1', 'n-2', 'n-3', 'n-4']);
    const kept = await faulty({ kind: 'failed-processing', afterCommit: true }, { account: 'A-0' });
    expect(verdicts(kept)[0]).toBe('500');
    expect(verdicts(await sendBatch(url, BATCH))[0]).toBe('O005');
  });

  it('already-used burns the first number of each matched account, and no later one', async () => {
    await amlyze.control.addFault({ match: { account: ['A-1', 'A-3'] }, do: { kind: 'already-used' } });
    expect(verdicts(await sendBatch(url, BATCH))).toEqual(['accepted', 'O005', 'accepted', 'O005', 'accepted']);
    expect(await ledger()).toEqual(['n-0', 'n-2', 'n-4']);
    const next = record('later', { accountExtId: 'A-1' });
    expect(verdicts(await sendBatch(url, [next]))).toEqual(['accepted']);
    expect(verdicts(await sendBatch(url, BATCH.slice(1, 2)))).toEqual(['O005']);
  });

  it('tenant-error rejects every item in the words of the vendor', async () => {
    const answer = await faulty({ kind: 'tenant-error' });
    const texts = resultsOf(answer).map((result) => result?.['errorDescription']);
    expect(texts).toEqual(Array(5).fill('Tenant ’sandbox’ business unit ’’ does not exist.'));
  });

  it('too-large answers 413 above its number of items only', async () => {
    await amlyze.control.addFault({ do: { kind: 'too-large', maxItems: 2 } });
    expect((await sendBatch(url, BATCH)).status).toBe(413);
    expect((await sendBatch(url, BATCH.slice(0, 2))).status).toBe(200);
  });
});
