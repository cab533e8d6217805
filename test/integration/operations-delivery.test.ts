import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually';
import { Outside, TestGateway, type Json } from '../support/gateway';
import { CREDITOR, DEBTOR, EXAMPLE } from '../support/operation-input';
import { cardOperation, operation, TEST_CARD_NUMBERS, WITH_CARDS } from '../support/operations';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

interface Scene {
  testDatabase: TestDatabase;
  outside: Outside;
  gateway: TestGateway;
}

/** For a block of tests: a gateway with a database and an outside world of its own. */
function useGateway(variables: NodeJS.ProcessEnv): Scene {
  // Filled before the first test of the block runs.
  const scene = {} as Scene;
  beforeAll(async () => {
    scene.testDatabase = await createTestDatabase();
    scene.outside = await Outside.start();
    scene.gateway = await TestGateway.start(scene.testDatabase, scene.outside, variables);
  }, 60_000);
  afterAll(async () => {
    await scene.gateway.close();
    await scene.outside.close();
    await scene.testDatabase.drop();
  });
  return scene;
}

describe.each(['single', 'batch'] as const)('operations on their way to AMLYZE, OPERATIONS_DELIVERY=%s', (delivery) => {
  const scene = useGateway({ ...WITH_CARDS, OPERATIONS_DELIVERY: delivery });

  const records = async (ids: readonly string[]): Promise<Json[]> => {
    const all = await scene.gateway.delivered();
    return ids.map((id) => all.find((record: Json) => record.operationExtId === id));
  };

  it('delivers each operation once, digit for digit', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `op-${i}`);
    const body = ids.map((id, i) => operation(id, { amount: `${i + 1}.500` }));
    await scene.gateway.ok('POST', '/admin/operations', body);
    const seen = await records(ids);
    expect(seen.map((record) => record.state)).toEqual(ids.map(() => 'accepted'));
    const ledger = await scene.outside.amlyze.operationLedger();
    const sent = ledger.filter((entry) => ids.includes(entry.operationExtId));
    expect(sent).toHaveLength(ids.length);
    expect(new Set(sent.map((entry) => entry.communicationNumber)).size).toBe(ids.length);
    const explanation = await scene.gateway.ok('GET', `/admin/records/${seen[7].communicationNumber}`);
    expect(explanation.frozenRequest).toContain('"amount":8.500');
    expect(explanation).toMatchObject({ kind: 'operation', operationExtId: 'op-7', balanceType: null, value: null });
  });

  it("shows AMLYZE's words where AMLYZE refuses one operation, and delivers the others", async () => {
    const ids = ['good-1', 'bad-1', 'good-2'];
    await scene.outside.amlyze.addFault({
      match: { operation: 'bad-1' },
      do: {
        kind: 'reject-items',
        errorCode: '404',
        errorDescription: 'RiskManagementCategory does not support Operation.',
      },
    });
    await scene.gateway.ok(
      'POST',
      '/admin/operations',
      ids.map((id) => operation(id)),
    );
    const seen = await records(ids);
    expect(seen.map((record) => record.state)).toEqual(['accepted', 'rejected', 'accepted']);
    expect(seen[1]).toMatchObject({ errorDescription: 'RiskManagementCategory does not support Operation.' });
  });

  it('sends the card number that nothing of ours shows', async () => {
    const [number] = TEST_CARD_NUMBERS;
    const answer = await scene.gateway.ok('POST', '/admin/operations', cardOperation('card-1', number));
    const [record] = await records(['card-1']);
    expect(record.state).toBe('accepted');
    const explanation = JSON.stringify(await scene.gateway.ok('GET', `/admin/records/${record.communicationNumber}`));
    expect(explanation + JSON.stringify(answer)).not.toContain(number);
    expect(explanation).toContain('411111******1111');
    const [stored] = await scene.testDatabase.database.query<{ payload: string }>(
      `select payload from record_with_state where operation_ext_id = 'card-1'`,
    );
    expect(stored?.payload).not.toContain(number);
  });

  it('takes an operation that AMLYZE already has after a lost answer for delivered', async () => {
    await scene.outside.amlyze.addFault({ match: { path: 'operation', times: 1 }, do: { kind: 'drop-after-commit' } });
    await scene.gateway.ok('POST', '/admin/operations', operation('lost-1'));
    const [record] = await records(['lost-1']);
    expect(record).toMatchObject({ state: 'accepted', reason: 'replayed', inDoubt: false });
    const ledger = (await scene.outside.amlyze.operationLedger()).filter((entry) => entry.operationExtId === 'lost-1');
    expect(ledger).toHaveLength(1);
  });

  it('keeps every record through an outage of AMLYZE and charges none an attempt', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `out-${i}`);
    await scene.outside.amlyze.addFault({ match: { times: 2 }, do: { kind: 'status', status: 503 } });
    await scene.gateway.ok(
      'POST',
      '/admin/operations',
      ids.map((id) => operation(id)),
    );
    const seen = await records(ids);
    expect(seen.map((record) => record.state)).toEqual(ids.map(() => 'accepted'));
    expect(
      await scene.testDatabase.database.query(
        `select max(attempts) as charged from record_with_state where operation_ext_id like 'out-%'`,
      ),
    ).toEqual([{ charged: 0 }]);
    await scene.outside.amlyze.clearFaults();
  }, 60_000);
});

describe('operations in batches with AMLYZE_BATCH_SIZE=1', () => {
  const scene = useGateway({ ...WITH_CARDS, OPERATIONS_DELIVERY: 'batch', AMLYZE_BATCH_SIZE: '1' });

  it('go one in a call, to the batch endpoint', async () => {
    const ids = Array.from({ length: 6 }, (_, i) => `alone-${i}`);
    await scene.gateway.ok(
      'POST',
      '/admin/operations',
      ids.map((id) => operation(id)),
    );
    expect((await scene.gateway.delivered()).map((record) => record.state)).toEqual(ids.map(() => 'accepted'));
    const calls = (await scene.outside.amlyze.accessLog()).map(({ path, items }) => `${path} ${items}`);
    expect(calls).toEqual(ids.map(() => '/amlyze-ws-rest/batch-operations 1'));
  });
});

describe('an operation that AMLYZE answers 400 for in every batch', () => {
  const scene = useGateway({ ...WITH_CARDS, OPERATIONS_DELIVERY: 'batch', AMLYZE_MAX_ATTEMPTS: '2' });

  const said = JSON.stringify({
    resultType: 'REQUEST_REJECTED',
    errorCode: 'O042',
    errorDescription: 'not acceptable',
  });

  it.each<[string, string | undefined, Json]>([
    ["is rejected with AMLYZE's reason", said, { state: 'rejected', errorCode: 'O042' }],
    [
      'is charged its attempts where there is no reason',
      undefined,
      { state: 'exhausted', reason: 'ATTEMPTS_EXHAUSTED' },
    ],
  ])('%s, never in doubt, and the others get through', async (_what, body, expected) => {
    const guilty = body === undefined ? 'bare' : 'said';
    await scene.outside.amlyze.addFault({
      match: { operation: guilty },
      do: { kind: 'status', status: 400, ...(body !== undefined && { body }) },
    });
    const ids = Array.from({ length: 8 }, (_, i) => (i === 5 ? guilty : `with-${guilty}-${i}`));
    await scene.gateway.ok(
      'POST',
      '/admin/operations',
      ids.map((id) => operation(id)),
    );
    // Others keep coming, as they do in life: what they get through shows who is to blame.
    let more = 0;
    await eventually('all are settled', async () => {
      more += 1;
      await scene.gateway.ok('POST', '/admin/operations', operation(`more-${guilty}-${more}`));
      const [row] = await scene.testDatabase.database.query<{ open: boolean }>(
        `select settled_at is null as open from record_with_state where operation_ext_id = $1`,
        [guilty],
      );
      return row?.open === false;
    });
    const records = await scene.gateway.delivered();
    const found = (id: string): Json => records.find(({ operationExtId }: Json) => operationExtId === id);
    expect(found(guilty)).toMatchObject({ ...expected, inDoubt: false });
    expect(ids.filter((id) => id !== guilty).map((id) => found(id).state)).toEqual(Array(7).fill('accepted'));
    const { attemptLog } = await scene.gateway.ok('GET', `/admin/records/${found(guilty).communicationNumber}`);
    expect(new Set((attemptLog as Json[]).map(({ verdict }) => verdict))).toEqual(
      new Set(body === undefined ? ['refused'] : ['refused', 'rejected']),
    );
  });
});

describe.each(['single', 'batch'] as const)(
  'an operation under a key that is gone, OPERATIONS_DELIVERY=%s',
  (delivery) => {
    let testDatabase: TestDatabase;
    let outside: Outside;

    beforeAll(async () => {
      testDatabase = await createTestDatabase();
      outside = await Outside.start();
    }, 60_000);

    afterAll(async () => {
      await outside.close();
      await testDatabase.drop();
    });

    it('is charged its attempts as not sent, and the others go on', async () => {
      const variables = { ...WITH_CARDS, OPERATIONS_DELIVERY: delivery, AMLYZE_MAX_ATTEMPTS: '2' };
      const gateway = await TestGateway.start(testDatabase, outside, variables);
      const other = await TestGateway.start(testDatabase, outside, {
        ...variables,
        // Nobody listens there.
        AMLYZE_BASE_URL: 'http://127.0.0.1:1',
        CARD_DATA_KEYS: `gone:${randomBytes(32).toString('base64')}`,
      });
      const errors: Json[] = [];
      gateway.app.useLogger({
        log: () => undefined,
        warn: () => undefined,
        error: (line: Json) => void errors.push(line),
      });
      await other.ok('POST', '/admin/operations', cardOperation('sealed', TEST_CARD_NUMBERS[0]));
      await other.close();
      try {
        const ids = Array.from({ length: 8 }, (_, i) => (i === 5 ? 'card' : `plain-${i}`));
        await gateway.ok(
          'POST',
          '/admin/operations',
          ids.map((id) => (id === 'card' ? cardOperation(id, TEST_CARD_NUMBERS[1]) : operation(id))),
        );
        let more = 0;
        await eventually('the sealed one is settled', async () => {
          more += 1;
          await gateway.ok('POST', '/admin/operations', operation(`more-${more}`));
          const open = await testDatabase.database.query(
            `select from record_with_state where operation_ext_id = 'sealed' and settled_at is null`,
          );
          return open.length === 0;
        });
        const records = await gateway.delivered();
        const found = (id: string): Json => records.find(({ operationExtId }: Json) => operationExtId === id);
        expect(found('sealed')).toMatchObject({ state: 'exhausted', inDoubt: false });
        expect(ids.map((id) => found(id).state)).toEqual(ids.map(() => 'accepted'));
        const { attemptLog } = await gateway.ok('GET', `/admin/records/${found('sealed').communicationNumber}`);
        expect((attemptLog as Json[]).at(-1)).toMatchObject({
          verdict: 'not-sent',
          reason: expect.stringContaining('CARD_DATA_KEYS'),
        });
        expect(await testDatabase.database.query('select from amlyze_endpoint where pause is not null')).toEqual([]);
        expect(errors).toEqual([
          expect.objectContaining({
            msg: 'operations are not sent and are charged attempts: they do not open',
            detail: expect.stringContaining('CARD_DATA_KEYS'),
          }),
        ]);
      } finally {
        await gateway.close();
      }
    });

    it('neither keeps up a pause nor stands in the way of the others, where several are all that is due', async () => {
      const variables = { ...WITH_CARDS, OPERATIONS_DELIVERY: delivery, AMLYZE_MAX_ATTEMPTS: '2' };
      const before = await TestGateway.start(testDatabase, outside, {
        ...variables,
        AMLYZE_BASE_URL: 'http://127.0.0.1:1',
        CARD_DATA_KEYS: `gone:${randomBytes(32).toString('base64')}`,
      });
      const sealed = ['sealed-a', 'sealed-b', 'sealed-c'];
      await before.ok(
        'POST',
        '/admin/operations',
        sealed.map((id) => cardOperation(id, TEST_CARD_NUMBERS[0])),
      );
      await eventually('delivery is paused', async () => {
        const rows = await testDatabase.database.query(`select from amlyze_endpoint where pause = 'backoff'`);
        return rows.length > 0;
      });
      await before.close();

      const gateway = await TestGateway.start(testDatabase, outside, variables);
      try {
        await gateway.ok('POST', '/admin/operations', operation('behind-them'));
        const records = await gateway.delivered();
        const states = (ids: readonly string[]): Json[] =>
          ids.map((id) => records.find(({ operationExtId }: Json) => operationExtId === id).state);
        expect(states(['behind-them'])).toEqual(['accepted']);
        expect(states(sealed)).toEqual(['exhausted', 'exhausted', 'exhausted']);
        expect(await testDatabase.database.query('select from amlyze_endpoint where pause is not null')).toEqual([]);
      } finally {
        await gateway.close();
      }
    });
  },
);

describe('the pre-flight, OPERATIONS_PREFLIGHT=true', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside, { ...WITH_CARDS, OPERATIONS_PREFLIGHT: 'true' });
  }, 60_000);

  afterEach(() => outside.amlyze.clearFaults());

  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  it("refuses by line what AMLYZE's validation refuses, in its words, and takes the others", async () => {
    await outside.amlyze.addFault({
      match: { path: 'validate-batch-operations', operation: 'unfit' },
      do: {
        kind: 'reject-items',
        errorCode: '404',
        errorDescription: 'RiskManagementCategory does not support Operation.',
      },
    });
    const answer = await gateway.ok('POST', '/admin/operations', [operation('fit'), operation('unfit')]);
    expect(answer).toMatchObject({
      taken: 1,
      refused: [
        {
          line: 2,
          errors: [
            { message: "was refused by AMLYZE's validation: 404 RiskManagementCategory does not support Operation." },
          ],
        },
      ],
    });
    const records = (await gateway.delivered()).filter((record: Json) => /^(?:un)?fit$/.test(record.operationExtId));
    expect(records.map((record: Json) => [record.operationExtId, record.state])).toEqual([['fit', 'accepted']]);
  });

  it("lets the vendor page's own example through", async () => {
    await gateway.ok('POST', '/admin/operations', { ...EXAMPLE, listOperationParty: [CREDITOR, DEBTOR] });
    const record = (await gateway.delivered()).find((each) => each.operationExtId === EXAMPLE['operationExtId']);
    expect(record).toMatchObject({ state: 'accepted', kind: 'operation', errorDescription: null });
  });

  it('takes operations unvalidated where the validation does not answer', async () => {
    await outside.amlyze.addFault({
      match: { path: 'validate-batch-operations' },
      do: { kind: 'status', status: 404 },
    });
    expect(await gateway.ok('POST', '/admin/operations', [operation('later')])).toMatchObject({ taken: 1 });
  });
});
