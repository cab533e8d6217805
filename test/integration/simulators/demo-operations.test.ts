import { operationRules } from '../../../src/operations/classifiers';
import { buildOperationRecord } from '../../../src/operations/operation-record';
import { validateOperation } from '../../../src/operations/validate-operation';
import { Environment } from '../../../src/config/environment';
import { parseJson } from '../../../src/shared/json';
import { DEMO_BIC, demoCustomers, demoOperations, startAmlyzeSimulator } from '../../../src/simulators';
import { type Running, running, sendOperation } from './support';

const NOW = new Date('2026-01-01T00:00:00Z');
const check = (body: object) =>
  validateOperation(parseJson(JSON.stringify(body)), operationRules(new Environment(), NOW));

describe('the demo operations', () => {
  let amlyze: Running;
  beforeAll(async () => {
    amlyze = await running(startAmlyzeSimulator());
  });
  beforeEach(async () => {
    await amlyze.control.reset();
    await amlyze.control.putAccounts(demoCustomers());
    await amlyze.control.settings({ institutionBic: DEMO_BIC });
  });
  afterAll(() => amlyze.simulator.close());

  const send = (operation: Parameters<typeof buildOperationRecord>[0], operationExtId: string) =>
    sendOperation(
      amlyze.simulator.url,
      buildOperationRecord(operation, {
        communicationNumber: `number-${operationExtId}`,
        requester: 'a-test',
        channel: 'operation-single',
      }),
    );

  it('are the same every time, have names of their own, and exactly two of them are refused', () => {
    const operations = demoOperations();
    expect(demoOperations()).toEqual(operations);
    expect(new Set(operations.map(({ operationExtId }) => operationExtId)).size).toBe(operations.length);
    const refused = operations.filter(({ foreseen }) => foreseen.recordState !== 'accepted');
    expect(refused.map(({ foreseen }) => foreseen.recordState)).toEqual([undefined, 'rejected']);
  });

  it.each(
    demoOperations().map((operation) => ({ ...operation, name: `${operation.operationExtId} ${operation.kind}` })),
  )('end as foreseen by the rules of the gateway and of AMLYZE: $name', async ({ body, foreseen, operationExtId }) => {
    const checked = check(body);
    if (foreseen.recordState === undefined) {
      if (checked.ok) throw new Error('was not refused');
      expect(checked.errors.map(({ field }) => field)).toEqual([foreseen.field]);
      return;
    }
    if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
    expect(checked.dropped.map(({ field }) => field)).toEqual(
      foreseen.field === undefined ? [] : expect.arrayContaining([foreseen.field]),
    );
    expect(checked.warnings).toEqual([]);
    const { status, json } = await send(checked.operation, operationExtId);
    const said = json['errorDescription'] ?? json['resultType'];
    expect([status, said]).toEqual(foreseen.words === undefined ? [200, 'REQUEST_ACCEPTED'] : [400, foreseen.words]);
  });

  it('reach the ledger with the digits that they were given', async () => {
    for (const { body, operationExtId } of demoOperations()) {
      const checked = check(body);
      if (checked.ok) await send(checked.operation, operationExtId);
    }
    const sent = demoOperations().filter(({ foreseen }) => foreseen.recordState === 'accepted');
    const ledger = await amlyze.control.operationLedger();
    expect(ledger.map(({ operationExtId, amount }) => [operationExtId, amount])).toEqual(
      sent.map(({ operationExtId, body }) => [operationExtId, body['amount']]),
    );
  });
});
