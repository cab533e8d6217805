import { SimulatorControl, startAmlyzeSimulator, type FaultRule, type RunningSimulator } from '../../src/simulators';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimDue, type ClaimRequest } from '../../src/outbox/claim';
import { takeBackExpired } from '../../src/outbox/settle';
import { eventually } from '../support/eventually';
import { DeliveryBench } from '../support/delivery-bench';
import { OutboxRows, type RecordState } from '../support/outbox-rows';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const BATCH_PATH = 'batch-account-balances';
const SINGLE_PATH = '/amlyze-ws-rest/account-balance';

describe('delivery', () => {
  let testDatabase: TestDatabase;
  let simulator: RunningSimulator;
  let amlyze: SimulatorControl;
  let rows: OutboxRows;
  let bench: DeliveryBench;
  const opened: DeliveryBench[] = [];

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    simulator = await startAmlyzeSimulator();
    amlyze = new SimulatorControl(simulator.url);
  });

  beforeEach(async () => {
    rows = await OutboxRows.clear(testDatabase.database);
    await amlyze.reset();
    await amlyze.call('DELETE', 'faults');
    bench = await startBench();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  afterAll(async () => {
    await simulator.close();
    await testDatabase.drop();
  });

  async function startBench(variables: NodeJS.ProcessEnv = {}, url = simulator.url): Promise<DeliveryBench> {
    const one = await DeliveryBench.start(testDatabase, url, variables);
    opened.push(one);
    return one;
  }

  /** Records of accounts that AMLYZE knows; their numbers. */
  async function enqueue(count: number, prefix = 'A'): Promise<string[]> {
    const accounts = await rows.accounts(count, prefix);
    await amlyze.putAccounts(Array.from({ length: count }, (_, index) => ({ accountExtId: `${prefix}${index + 1}` })));
    return rows.enqueue(accounts);
  }

  const fault = (rule: FaultRule): Promise<void> => amlyze.addFault(rule);
  const once = (action: FaultRule['do']): Promise<void> => fault({ match: { times: 1 }, do: action });

  /** A send that AMLYZE never saw, so that what follows is "with doubt". */
  async function doubt(): Promise<void> {
    await once({ kind: 'status', status: 503 });
    expect(await bench.turn()).toBe('sent');
    expect((await rows.all()).every((record) => record.in_doubt && record.state === 'pending')).toBe(true);
    await bench.endPauseTime();
  }

  /** The sends that AMLYZE saw: size of the batch, or `single`. */
  async function sends(): Promise<(number | 'single')[]> {
    return (await amlyze.accessLog()).map((entry) => (entry.path === SINGLE_PATH ? 'single' : entry.items));
  }

  const verdicts = async (): Promise<[string, string | null][]> =>
    (await rows.log()).map(({ verdict, reason }) => [verdict, reason]);

  async function ledgerNumbers(): Promise<string[]> {
    return (await amlyze.ledger()).map((entry) => entry.communicationNumber).sort();
  }

  describe('of one record is settled', () => {
    const ACCEPTED: Partial<RecordState> = { state: 'accepted', reason: null, in_doubt: false };

    test('accepted, where AMLYZE says so', async () => {
      const [number] = await enqueue(1);
      expect(await bench.drain()).toEqual({ sent: 1, end: 'idle' });
      expect(await rows.one()).toMatchObject({ ...ACCEPTED, attempts: 0, epoch: '1' });
      expect(await verdicts()).toEqual([['accepted', null]]);
      expect(await rows.attempts()).toEqual([
        expect.objectContaining({ records: 1, http_status: 200, outcome: 'answered' }),
      ]);
      expect(await ledgerNumbers()).toEqual([number]);
      expect(await bench.pause()).toMatchObject({ pause: null, failures: 0 });
    });

    test('accepted, where AMLYZE says so after a doubtful send', async () => {
      await enqueue(1);
      await doubt();
      await bench.drain();
      expect(await rows.one()).toMatchObject(ACCEPTED);
      expect((await verdicts()).map(([verdict]) => verdict)).toEqual(['in-doubt', 'accepted']);
    });

    test('held as a collision, where its number is used and no send of ours may have done that', async () => {
      await enqueue(1);
      await fault({ do: { kind: 'already-used' } });
      await bench.drain();
      expect(await rows.one()).toMatchObject({
        state: 'held',
        reason: 'COLLISION',
        in_doubt: false,
        error_code: 'O005',
        error_description: 'CommunicationNumber already used in amlyze',
      });
      expect(await verdicts()).toEqual([['held', 'COLLISION']]);
      expect(await ledgerNumbers()).toEqual([]);
    });

    test('held as consumed, where its number is used after a rejection of our own', async () => {
      await enqueue(1);
      await amlyze.settings({ rejectedConsumesNumber: true });
      await once({ kind: 'reject-items', errorCode: '404', errorDescription: 'no such account' });
      await bench.drain();
      expect(await rows.one()).toMatchObject({ state: 'rejected', reason: 'BUSINESS_REJECTION' });
      await requeue();
      await bench.drain();
      expect(await rows.one()).toMatchObject({ state: 'held', reason: 'NUMBER_CONSUMED', in_doubt: false });
      expect((await verdicts()).map(([verdict]) => verdict)).toEqual(['rejected', 'held']);
    });

    test('accepted as replayed, where its number is used and a send of ours may have arrived', async () => {
      const [number] = await enqueue(1);
      await once({ kind: 'drop-after-commit' });
      await bench.turn();
      expect(await rows.one()).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0 });
      await bench.endPauseTime();
      await bench.drain();
      expect(await rows.one()).toMatchObject({ state: 'accepted', reason: 'replayed', in_doubt: false });
      expect((await verdicts()).at(-1)).toEqual(['accepted', 'replayed']);
      expect(await ledgerNumbers()).toEqual([number]);
      expect(await amlyze.stats()).toMatchObject({ replays: 1, replaysWithOtherContent: 0 });
    });

    test("rejected with AMLYZE's words, where the reason is the business's", async () => {
      await rows.enqueue(await rows.accounts(1));
      await bench.drain();
      expect(await rows.one()).toMatchObject({
        state: 'rejected',
        reason: 'BUSINESS_REJECTION',
        in_doubt: false,
        error_code: '404',
        error_description: 'Account with given extId does not exist',
        attempts: 0,
      });
      const [entry] = await rows.log();
      expect(JSON.parse(entry?.answer ?? '')).toMatchObject({ resultType: 'REQUEST_REJECTED', errorCode: '404' });
    });

    test('rejected but still in doubt, where an earlier send may have arrived', async () => {
      await rows.enqueue(await rows.accounts(1));
      await doubt();
      await bench.drain();
      expect(await rows.one()).toMatchObject({ state: 'rejected', reason: 'REJECTED_AFTER_DOUBT', in_doubt: true });
    });

    async function requeue(): Promise<void> {
      await testDatabase.database.query(
        `update amlyze_record set state = 'pending', reason = null, settled_at = null, next_attempt_at = now()`,
      );
    }
  });

  describe('of one record tries again with the same bytes', () => {
    test.each<[string, FaultRule['do'], string]>([
      ['failed processing', { kind: 'failed-processing' }, 'PROCESSING_FAILED'],
      ['no result', { kind: 'omit-results' }, 'MISSING_FROM_RESULTS'],
      ['two results that contradict each other', { kind: 'conflicting-results' }, 'CONFLICTING_RESULTS'],
      ["another account's result", { kind: 'mislabelled-results' }, 'OTHER_ACCOUNT'],
    ])('after %s, and charges the record an attempt', async (_what, action, reason) => {
      const numbers = await enqueue(3);
      await fault({ match: { times: 1, account: 'A2' }, do: action });
      await bench.turn();
      const doubtful = await rows.one(numbers[1]);
      expect(doubtful).toMatchObject({ state: 'pending', in_doubt: true, attempts: 1 });
      expect(Number(doubtful.due_in_ms)).toBeGreaterThan(500);
      expect(Number(doubtful.due_in_ms)).toBeLessThanOrEqual(2_000);
      expect(await rows.states()).toEqual({ accepted: 2, pending: 1 });
      expect((await rows.log()).find((entry) => entry.record_id === doubtful.id)).toMatchObject({
        verdict: 'in-doubt',
        reason,
      });
      expect(await bench.turn()).toBe('idle');

      await rows.makeDue();
      await bench.drain();
      expect(await rows.one(numbers[1])).toMatchObject({ state: 'accepted', in_doubt: false });
      expect(await ledgerNumbers()).toEqual(numbers);
      expect(await amlyze.stats()).toMatchObject({ replaysWithOtherContent: 0 });
    });

    test('until its attempts are used up, and then it is exhausted, not forgotten', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_MAX_ATTEMPTS: '3' });
      const numbers = await enqueue(2);
      await fault({ match: { account: 'A1' }, do: { kind: 'failed-processing' } });
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await bench.drain();
        await rows.makeDue();
      }
      expect(await rows.one(numbers[0])).toMatchObject({
        state: 'exhausted',
        reason: 'ATTEMPTS_EXHAUSTED',
        in_doubt: true,
        attempts: 3,
      });
      expect((await rows.log()).filter(({ verdict }) => verdict === 'in-doubt')).toHaveLength(3);
      expect(await rows.one(numbers[1])).toMatchObject({ state: 'accepted' });
    });
  });

  test.each<[string, FaultRule['do']]>([
    ['in another order', { kind: 'shuffle-results' }],
    ['with every result twice', { kind: 'double-results', count: 5 }],
    ['with a null among them', { kind: 'null-result' }],
    ['with a stranger among them', { kind: 'stranger-result' }],
    ['without account names', { kind: 'mislabelled-results', count: 5, accountExtId: '' }],
  ])('accepts all of a batch whose results come %s', async (_what, action) => {
    const numbers = await enqueue(5);
    await fault({ do: action });
    await bench.drain();
    expect(await rows.states()).toEqual({ accepted: 5 });
    expect(await ledgerNumbers()).toEqual(numbers);
    expect(await rows.log()).toHaveLength(5);
  });

  test('gives each record of a shuffled list its own verdict', async () => {
    const numbers = await enqueue(4);
    await fault({
      match: { account: 'A3' },
      do: { kind: 'reject-items', errorCode: 'X1', errorDescription: 'not this one' },
    });
    await fault({ do: { kind: 'shuffle-results' } });
    await bench.drain();
    const states = await Promise.all(numbers.map(async (number) => (await rows.one(number)).state));
    expect(states).toEqual(['accepted', 'accepted', 'rejected', 'accepted']);
  });

  test('with a batch that AMLYZE took half of before it failed has each record in the ledger once', async () => {
    const numbers = await enqueue(10);
    await once({ kind: 'commit-part', count: 4 });
    await bench.turn();
    expect(await rows.states()).toEqual({ pending: 10 });
    expect(await bench.pause()).toMatchObject({ pause: 'backoff', failures: 1 });
    await bench.endPauseTime();
    await bench.drain();
    const reasons = (await rows.all()).map(({ state, reason }) => [state, reason]);
    expect(reasons.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => ['accepted', 'replayed']));
    expect(reasons.slice(4)).toEqual(Array.from({ length: 6 }, () => ['accepted', null]));
    expect(await ledgerNumbers()).toEqual(numbers);
  });

  test('after a connection that broke behind the commit accepts the whole batch as replayed, and AMLYZE has each once', async () => {
    const numbers = await enqueue(20);
    await once({ kind: 'drop-after-commit' });
    await bench.turn();
    await bench.endPauseTime();
    await bench.drain();
    expect((await rows.all()).every(({ state, reason }) => state === 'accepted' && reason === 'replayed')).toBe(true);
    expect(await ledgerNumbers()).toEqual(numbers);
    expect(await amlyze.stats()).toMatchObject({ replays: 20, replaysWithOtherContent: 0 });
  });

  test.each<[string, FaultRule['do']]>([
    ['a 429', { kind: 'retry-after' }],
    ['a 401', { kind: 'status', status: 401 }],
    ['a 413', { kind: 'too-large', maxItems: 1 }],
    ['a 400', { kind: 'reject-batch-containing' }],
  ])('keeps the doubt of an earlier send through %s', async (_what, refusal) => {
    const numbers = await enqueue(4);
    await once({ kind: 'drop-after-commit' });
    await bench.turn();
    await once(refusal);
    await bench.endPauseTime();
    await bench.turn();
    expect((await rows.all()).map(({ state, in_doubt }) => [state, in_doubt])).toEqual(
      numbers.map(() => ['pending', true]),
    );
    await bench.endPauseTime();
    await bench.drain();
    expect((await rows.all()).map(({ state, reason }) => [state, reason])).toEqual(
      numbers.map(() => ['accepted', 'replayed']),
    );
    expect(await ledgerNumbers()).toEqual(numbers);
  });

  describe('while the endpoint fails as a whole', () => {
    test.each<[string, FaultRule['do'], string]>([
      ['503', { kind: 'status', status: 503 }, '503'],
      ['500 after the commit', { kind: 'status', status: 500, afterCommit: true }, '500'],
      ['a login page under 200', { kind: 'html' }, 'JSON'],
      ['a login page that calls itself JSON', { kind: 'html-as-json' }, 'JSON'],
      ['JSON without results', { kind: 'status', status: 200, body: '{"timeElapsedMs":1}' }, '200'],
      [
        'an error code beside the results',
        { kind: 'status', status: 200, body: '{"errorCode":"E1","results":[]}' },
        'E1',
      ],
      ['418', { kind: 'status', status: 418 }, '418'],
      ['a broken connection', { kind: 'drop-before-read' }, 'connection-lost'],
      ['a cut answer', { kind: 'truncate' }, 'truncated'],
    ])('with %s pauses, charges nobody, and one good probe ends it', async (_what, action, words) => {
      await enqueue(3);
      await once(action);
      expect(await bench.turn()).toBe('sent');
      for (const record of await rows.all()) {
        expect(record).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0, whole_failures: 1 });
      }
      const pause = await bench.pause();
      expect(pause).toMatchObject({ pause: 'backoff', failures: 1 });
      expect(pause.reason).toContain(words);
      expect(pause.forMs).toBeGreaterThan(0);
      expect(pause.forMs).toBeLessThanOrEqual(1_000);
      expect(await bench.turn()).toBe('closed');

      await bench.endPauseTime();
      expect((await bench.drain()).end).toBe('idle');
      expect(await rows.states()).toEqual({ accepted: 3 });
      expect(await bench.pause()).toMatchObject({ pause: null, reason: null, failures: 0 });
    });

    test('by never answering in time is no different', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_TIMEOUT_MS: '1000' });
      await enqueue(1);
      await once({ kind: 'latency', ms: 3_000 });
      await bench.turn();
      expect(await rows.one()).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0 });
      expect(await bench.pause()).toMatchObject({ pause: 'backoff' });
      await bench.endPauseTime();
      await bench.drain();
      expect(await rows.one()).toMatchObject({ state: 'accepted', reason: 'replayed' });
    });

    test('by refusing connections leaves no doubt', async () => {
      await bench.close();
      bench = await startBench({}, 'http://127.0.0.1:9');
      await enqueue(1);
      await bench.turn();
      expect(await rows.one()).toMatchObject({ state: 'pending', in_doubt: false, attempts: 0 });
      expect(await verdicts()).toEqual([['not-sent', expect.stringContaining('refused')]]);
      expect(await bench.pause()).toMatchObject({ pause: 'backoff' });
    });

    test('waits twice as long after each failed probe, up to 30 s, whatever its length and without a charge', async () => {
      await enqueue(2);
      await fault({ do: { kind: 'status', status: 503 } });
      const waitsMs: number[] = [];
      for (let probe = 0; probe < 14; probe += 1) {
        expect(await bench.turn()).toBe('sent');
        expect(await bench.turn()).toBe('closed');
        waitsMs.push(Math.ceil((await bench.pause()).forMs / 1_000) * 1_000);
        await bench.endPauseTime();
      }
      expect(waitsMs).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, ...Array.from({ length: 9 }, () => 30_000)]);
      expect((await rows.all()).map(({ state, attempts }) => [state, attempts])).toEqual([
        ['pending', 0],
        ['pending', 0],
      ]);
      await amlyze.clearFaults();
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 2 });
    });

    test('counts calls that were under way together once', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_BATCH_SIZE: '2' });
      await enqueue(8);
      await fault({ do: { kind: 'latency', ms: 100 } });
      await fault({ do: { kind: 'status', status: 503 } });
      expect(await Promise.all([bench.turn(), bench.turn(), bench.turn(), bench.turn()])).toEqual([
        'sent',
        'sent',
        'sent',
        'sent',
      ]);
      expect(await bench.pause()).toMatchObject({ pause: 'backoff', failures: 1 });
    });

    test('is probed by one batch at a time, of other records than the one that failed', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_BATCH_SIZE: '2' });
      const numbers = await enqueue(6);
      await fault({ match: { account: 'A1' }, do: { kind: 'drop-before-read' } });
      await bench.turn();
      await bench.endPauseTime();
      await fault({ match: { times: 1 }, do: { kind: 'latency', ms: 100 } });
      const turns = await Promise.all([bench.turn(), bench.turn(), bench.turn()]);
      expect(turns.sort()).toEqual(['closed', 'closed', 'sent']);
      expect(await bench.pause()).toMatchObject({ pause: null });
      expect(await ledgerNumbers()).toEqual(numbers.slice(2, 4));
    });

    test('never charges a record that had a doubtful answer long before the outage', async () => {
      await enqueue(2);
      await once({ kind: 'failed-processing' });
      await bench.turn();
      await rows.makeDue();
      await fault({ do: { kind: 'status', status: 503 } });
      for (let probe = 0; probe < 6; probe += 1) {
        expect(await bench.turn()).toBe('sent');
        expect((await bench.pause()).pause).toBe('backoff');
        await bench.endPauseTime();
      }
      expect((await rows.all()).map(({ attempts, batch_group }) => [attempts, batch_group])).toEqual([
        [1, null],
        [1, null],
      ]);
    });

    test('never charges or cuts further what failed beside successes before the outage', async () => {
      const numbers = await enqueue(2);
      await fault({ match: { account: 'A1' }, do: { kind: 'drop-before-read' } });
      await bench.turn();
      await enqueue(1, 'B');
      await bench.endPauseTime();
      await bench.turn();
      expect(await rows.states()).toEqual({ accepted: 1, pending: 2 });
      await bench.turn();
      expect(await groupCount()).toBe(2);

      // From here on nothing works any more, for hours.
      await fault({ do: { kind: 'drop-before-read' } });
      for (let probe = 0; probe < 30; probe += 1) {
        await bench.turn();
        expect((await bench.pause()).pause).toBe('backoff');
        await bench.endPauseTime();
      }
      const [first, second] = [await rows.one(numbers[0]), await rows.one(numbers[1])];
      expect([first.attempts + second.attempts, first.state, second.state]).toEqual([0, 'pending', 'pending']);
      await amlyze.clearFaults();
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 3 });
    });
  });

  describe('with one batch that fails as a whole while others get through', () => {
    test('halves it until the guilty record is alone, and charges that one only', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_BATCH_SIZE: '8', AMLYZE_MAX_ATTEMPTS: '3' });
      const numbers = await enqueue(8);
      await fault({ match: { account: 'A6' }, do: { kind: 'drop-before-read' } });
      for (let round = 0; round < 80 && (await rows.one(numbers[5])).state !== 'exhausted'; round += 1) {
        // Others keep coming, as they do in life.
        await enqueue(1, `other-${round}-`);
        await bench.turn();
        await bench.endPauseTime();
        await rows.makeDue();
      }
      await bench.drain();
      expect(await rows.one(numbers[5])).toMatchObject({ state: 'exhausted', in_doubt: true, attempts: 3 });
      const others = (await rows.all()).filter((record) => record.communication_number !== numbers[5]);
      expect(others.every(({ state, attempts }) => state === 'accepted' && attempts === 0)).toBe(true);
    });

    test('gets its good records through even where nothing else is due', async () => {
      const numbers = await enqueue(8);
      await fault({ match: { account: 'A1' }, do: { kind: 'drop-before-read' } });
      await bench.turn();
      await enqueue(1, 'B');
      for (let round = 0; round < 40 && (await rows.states())['accepted'] !== 8; round += 1) {
        await bench.endPauseTime();
        await bench.turn();
      }
      expect(await rows.states()).toEqual({ accepted: 8, pending: 1 });
      expect(await rows.one(numbers[0])).toMatchObject({ state: 'pending', in_doubt: true });
    });
  });

  describe('told to wait by 429', () => {
    test.each<[string, { value?: string; dateInSeconds?: number }, number, number]>([
      ['in seconds', { value: '120' }, 119_000, 120_000],
      ['until a date', { dateInSeconds: 120 }, 117_000, 121_000],
      ['not at all', {}, 0, 1_000],
      ['for an absurd time', { value: '86400' }, 899_000, 900_000],
      ['for a negative time', { value: '-5' }, 0, 1_000],
    ])('%s waits within its bounds, without doubt', async (_what, retryAfter, leastMs, mostMs) => {
      await enqueue(2);
      await once({ kind: 'retry-after', ...retryAfter });
      await bench.turn();
      const pause = await bench.pause();
      expect(pause).toMatchObject({ pause: 'rate-limit' });
      expect(pause.forMs).toBeGreaterThan(leastMs);
      expect(pause.forMs).toBeLessThanOrEqual(mostMs);
      expect((await rows.all()).map(({ in_doubt, attempts, state }) => [in_doubt, attempts, state])).toEqual([
        [false, 0, 'pending'],
        [false, 0, 'pending'],
      ]);
    });

    test('waits over a restart, in every replica', async () => {
      await enqueue(1);
      await once({ kind: 'retry-after', value: '120' });
      await bench.turn();
      const other = await startBench();
      expect(await other.turn()).toBe('closed');
      expect((await other.pause()).forMs).toBeGreaterThan(110_000);
      expect(await sends()).toEqual([1]);
    });

    test('is not talked out of it by an answer to a call that was under way before', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_BATCH_SIZE: '1' });
      await enqueue(2);
      await fault({ match: { account: 'A2' }, do: { kind: 'latency', ms: 300 } });
      await fault({ match: { account: 'A1' }, do: { kind: 'retry-after', value: '120' } });
      await Promise.all([bench.turn(), bench.turn()]);
      expect(await rows.states()).toEqual({ accepted: 1, pending: 1 });
      expect(await bench.pause()).toMatchObject({ pause: 'rate-limit' });
      expect(await bench.turn()).toBe('closed');
    });

    test('doubles the wait where no time is given', async () => {
      await enqueue(1);
      await fault({ do: { kind: 'retry-after' } });
      const waitsMs: number[] = [];
      for (let n = 0; n < 4; n += 1) {
        await bench.turn();
        waitsMs.push(Math.ceil((await bench.pause()).forMs / 1_000) * 1_000);
        await bench.endPauseTime();
      }
      expect(waitsMs).toEqual([1_000, 2_000, 4_000, 8_000]);
    });
  });

  describe('refused for a setting of ours', () => {
    test.each<[string, FaultRule['do']]>([
      ['401', { kind: 'status', status: 401 }],
      ['403', { kind: 'status', status: 403 }],
      ['404 of the path', { kind: 'status', status: 404 }],
      ['one unknown business unit for every record', { kind: 'tenant-error' }],
    ])('by %s keeps the records pending without doubt and probes after 5 minutes', async (_what, action) => {
      await enqueue(3);
      await fault({ match: { times: 1 }, do: action });
      await bench.turn();
      expect((await rows.all()).map(({ state, in_doubt, attempts }) => [state, in_doubt, attempts])).toEqual(
        Array.from({ length: 3 }, () => ['pending', false, 0]),
      );
      const pause = await bench.pause();
      expect(pause).toMatchObject({ pause: 'operator' });
      expect(pause.forMs).toBeGreaterThan(290_000);
      expect(await bench.turn()).toBe('closed');
      await bench.endPauseTime();
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 3 });
    });

    test('goes on at once when the token file is overwritten', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'token-'));
      const file = join(folder, 'token');
      await writeFile(file, 'expired-token');
      await bench.close();
      bench = await startBench({ AMLYZE_TOKEN: '', AMLYZE_TOKEN_FILE: file });
      await enqueue(1);
      await bench.turn();
      await bench.open();
      expect(await bench.turn()).toBe('closed');
      await writeFile(file, 'sandbox-amlyze-token');
      // Looked into once a second at most; the process looks at every poll.
      await eventually('the new token is noticed', async () => {
        await bench.open();
        return (await bench.turn()) === 'sent';
      });
      expect(await rows.states()).toEqual({ accepted: 1 });
      await rm(folder, { recursive: true });
    });

    test('goes on at once with another configuration, and not with the same', async () => {
      await amlyze.call('POST', 'tokens', {
        tokens: [{ token: 'sandbox-amlyze-token', revoked: true }, { token: 'renewed-token' }],
      });
      await enqueue(1);
      await bench.turn();
      await bench.open();
      expect(await bench.turn()).toBe('closed');
      const renewed = await startBench({ AMLYZE_TOKEN: 'renewed-token' });
      expect((await renewed.drain()).sent).toBe(1);
      expect(await rows.states()).toEqual({ accepted: 1 });
      expect(await renewed.pause()).toMatchObject({ pause: null });
    });
  });

  describe('with a poison record in a batch that AMLYZE answers 400', () => {
    test('isolates it in at most 19 sends out of 500, and rejects it with the words of the single endpoint', async () => {
      const numbers = await enqueue(500);
      await fault({
        match: { account: 'A321' },
        do: { kind: 'reject-batch-containing', errorCode: 'B042', errorDescription: 'balance is not acceptable' },
      });
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 499, rejected: 1 });
      expect(await rows.one(numbers[320])).toMatchObject({
        state: 'rejected',
        reason: 'BUSINESS_REJECTION',
        in_doubt: false,
        error_code: 'B042',
        error_description: 'balance is not acceptable',
        attempts: 0,
      });
      expect((await rows.all()).every(({ attempts, in_doubt }) => attempts === 0 && !in_doubt)).toBe(true);
      const sent = await sends();
      expect(sent.length).toBeLessThanOrEqual(19);
      expect(sent.filter((size) => size === 'single').length).toBeLessThanOrEqual(2);
      expect(await ledgerNumbers()).toEqual(numbers.filter((_, index) => index !== 320));
    });

    test('asks the single endpoint at once where the batch has one record', async () => {
      await enqueue(1);
      await fault({ do: { kind: 'reject-batch-containing' } });
      await bench.drain();
      expect(await rows.one()).toMatchObject({ state: 'rejected', error_code: '001' });
      expect(await sends()).toEqual([1, 'single']);
    });

    test('asks with one record whether anything is alive where nothing succeeds down to three levels, and pauses', async () => {
      await enqueue(64);
      await fault({ do: { kind: 'status', status: 400 } });
      const { sent, end } = await bench.drain();
      expect(end).toBe('closed');
      expect((await sends()).filter((size) => size === 'single')).toHaveLength(1);
      expect(sent).toBeLessThanOrEqual(16);
      expect(await bench.pause()).toMatchObject({ pause: 'backoff' });
      expect(await rows.states()).toEqual({ pending: 64 });
      const doubtful = (await rows.all()).filter(({ attempts, in_doubt }) => attempts > 0 || in_doubt);
      // The single endpoint's bare 400 is in no table, so what was sent there is in doubt; the rest is not.
      expect(doubtful.map(({ attempts }) => attempts)).toEqual([0]);

      await amlyze.clearFaults();
      await bench.endPauseTime();
      await rows.makeDue();
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 64 });
    });

    test('goes on where that one record gets a verdict, and rejects every record that is to blame', async () => {
      await enqueue(16);
      await fault({ do: { kind: 'reject-batch-containing', errorCode: 'B1', errorDescription: 'none of these' } });
      for (let round = 0; round < 5; round += 1) {
        await bench.drain();
        await rows.makeDue();
      }
      expect(await rows.states()).toEqual({ rejected: 16 });
      expect(await bench.pause()).toMatchObject({ pause: null });
    });

    test('does not hold up the others where it is the probe', async () => {
      await enqueue(4);
      await once({ kind: 'status', status: 503 });
      await bench.turn();
      await fault({ match: { account: 'A1' }, do: { kind: 'reject-batch-containing' } });
      await bench.endPauseTime();
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 3, rejected: 1 });
      expect(await bench.pause()).toMatchObject({ pause: null });
    });
  });

  describe('with batches that are too large', () => {
    test('halves what it sends until it gets through, and grows again', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_BATCH_SIZE: '64' });
      await enqueue(160);
      await fault({ match: { times: 2 }, do: { kind: 'too-large', maxItems: 20 } });
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 160 });
      expect((await sends()).slice(0, 5)).toEqual([64, 32, 16, 20, 25]);
      expect((await rows.all()).every(({ attempts }) => attempts === 0)).toBe(true);
    });

    test('halves once for calls that were under way together', async () => {
      await bench.close();
      bench = await startBench({ AMLYZE_BATCH_SIZE: '16' });
      await enqueue(64);
      await fault({ do: { kind: 'latency', ms: 100 } });
      await fault({ match: { times: 4 }, do: { kind: 'too-large', maxItems: 10 } });
      await Promise.all([bench.turn(), bench.turn(), bench.turn(), bench.turn()]);
      expect(await bench.pause()).toMatchObject({ batchLimit: 8, pause: null });
    });

    test('does not lose the probe', async () => {
      await enqueue(8);
      await once({ kind: 'status', status: 503 });
      await bench.turn();
      await fault({ match: { times: 1 }, do: { kind: 'too-large', maxItems: 4 } });
      await bench.endPauseTime();
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 8 });
    });
  });

  describe('that is interrupted', () => {
    test('between claim and send sends again, in doubt, and AMLYZE has the record once', async () => {
      const numbers = await enqueue(2);
      await claimAndDie();
      expect(await bench.turn()).toBe('idle');
      expect(await takeBackExpired(testDatabase.database)).toBe(0);
      await rows.expireLeases();
      await takeBackExpired(testDatabase.database);
      await bench.drain();
      expect((await rows.all()).map(({ state, reason }) => [state, reason])).toEqual([
        ['accepted', null],
        ['accepted', null],
      ]);
      expect(await ledgerNumbers()).toEqual(numbers);
    });

    test("between answer and settle takes AMLYZE's refusal of the number as its acceptance", async () => {
      const numbers = await enqueue(2);
      await bench.drain();
      await forgetTheSettle();
      await rows.expireLeases();
      await takeBackExpired(testDatabase.database);
      await bench.drain();
      expect((await rows.all()).map(({ state, reason }) => [state, reason])).toEqual([
        ['accepted', 'replayed'],
        ['accepted', 'replayed'],
      ]);
      expect(await ledgerNumbers()).toEqual(numbers);
    });

    test('by a takeover while its call is under way changes nothing any more', async () => {
      const [number] = await enqueue(1);
      await fault({ match: { times: 1 }, do: { kind: 'latency', ms: 400 } });
      const slow = bench.turn();
      await eventuallySeen();
      await rows.expireLeases();
      await takeBackExpired(testDatabase.database);
      const other = await startBench();
      await other.drain();
      const stands = await rows.one();
      expect(stands).toMatchObject({ state: 'accepted', reason: 'replayed' });
      await slow;
      expect(await rows.one()).toEqual(stands);
      expect((await rows.log()).map(({ verdict, late }) => [verdict, late])).toEqual([
        ['in-doubt', false],
        ['accepted', true],
        ['accepted', false],
      ]);
      expect(await ledgerNumbers()).toEqual([number]);
    });

    test('by a shutdown gives back what is under way, in doubt and due at once, parts of a cut batch as such', async () => {
      const numbers = await enqueue(4);
      await fault({ match: { account: 'A1' }, do: { kind: 'reject-batch-containing' } });
      await bench.turn();
      await amlyze.clearFaults();
      await fault({ match: { times: 1 }, do: { kind: 'latency', ms: 400 } });
      const slow = bench.turn();
      await eventuallySeen();
      expect(await bench.service.giveBackInFlight()).toBe(1);
      const given = (await rows.all()).slice(0, 2);
      for (const record of given) {
        expect(record).toMatchObject({ state: 'pending', in_doubt: true, attempts: 0, lease_in_ms: null });
        expect(record.batch_group).not.toBeNull();
        expect(Number(record.due_in_ms)).toBeLessThanOrEqual(0);
      }
      expect((await rows.attempts()).map(({ outcome }) => outcome)).toEqual(['refused', 'given-back']);
      await slow;
      expect((await rows.all()).slice(0, 2).map(({ state }) => state)).toEqual(['pending', 'pending']);
      await bench.drain();
      expect(await rows.states()).toEqual({ accepted: 4 });
      expect(await ledgerNumbers()).toEqual(numbers);
    });

    /** A claim whose worker dies before it sends anything. */
    async function claimAndDie(): Promise<void> {
      const { channel, endpoint } = bench.lane;
      const dead: ClaimRequest = { channel, endpoint, replica: 'dead', limit: 10, leaseSeconds: 30 };
      expect((await claimDue(testDatabase.database, dead))?.records).toHaveLength(2);
    }

    /** The rows as a claim leaves them, while AMLYZE has the records already. */
    async function forgetTheSettle(): Promise<void> {
      await testDatabase.database.query(
        `with a as (insert into delivery_attempt (endpoint, records, replica) values ('balances', 2, 'dead') returning id)
update amlyze_record set state = 'sending', in_doubt = true, epoch = epoch + 1, lease_until = now() + interval '30 s', settled_at = null,
  attempt_id = (select id from a)`,
      );
    }

    async function eventuallySeen(): Promise<void> {
      const before = (await sends()).length;
      for (const end = performance.now() + 5_000; performance.now() < end;) {
        if ((await ledgerNumbers()).length > 0 || (await sends()).length > before) return;
      }
      throw new Error('AMLYZE saw nothing');
    }
  });

  async function groupCount(): Promise<number> {
    const [row] = await testDatabase.database.query<{ n: number }>(
      'select count(distinct batch_group)::int as n from amlyze_record where batch_group is not null',
    );
    return row?.n ?? 0;
  }

  test('sends every attempt to the batch endpoint unless one record of a cut batch is left', async () => {
    await enqueue(3);
    await bench.drain();
    expect((await amlyze.accessLog({ path: BATCH_PATH })).map(({ items }) => items)).toEqual([3]);
  });
});
