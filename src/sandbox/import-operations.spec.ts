import { demoOperations, type ShownOperation } from '../simulators';
import { operationDifferences, type ImportedOperations, type OperationResult } from './import-operations';
import { operationLines } from './operations-report';
import { plain } from './terminal';

const OPERATIONS = demoOperations();

/** What comes back where all is well. */
function asForeseen(): ImportedOperations {
  const results = OPERATIONS.map((operation): OperationResult => {
    const { recordState, field, words } = operation.foreseen;
    const kind = recordState === undefined ? 'refused' : 'dropped';
    return {
      operation,
      finding: field === undefined ? undefined : { kind, fields: [field], message: `${field} is odd` },
      record: recordState && {
        communicationNumber: `n-${operation.operationExtId}`,
        accountExtId: null,
        state: recordState,
        value: null,
        reason: recordState === 'rejected' ? 'BUSINESS_REJECTION' : null,
        errorCode: words === undefined ? null : 'O006',
        errorDescription: words ?? null,
      },
    };
  });
  const summary = {
    importId: '1',
    source: 'ndjson',
    status: 'finished',
    lines: results.length,
    taken: results.length - 1,
    unchanged: 0,
    refused: 1,
    warned: 1,
    nextLine: results.length + 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:00.000Z',
    warnings: [],
  };
  const accepted = OPERATIONS.filter(({ foreseen }) => foreseen.recordState === 'accepted');
  return {
    summary,
    results,
    ledger: accepted.map(({ operationExtId, body }) => entry(operationExtId, body['amount'])),
  };
}

function entry(operationExtId: string, amount: unknown): ShownOperation {
  return {
    position: 0,
    kind: 'operation',
    communicationNumber: `n-${operationExtId}`,
    businessUnit: undefined,
    operationExtId,
    operationType: 'CARD_PAYMENT',
    sourceOfRiskLevel: 'IMPORT',
    operationDateTime: '2024-08-16T13:00:00.000Z',
    currency: 'EUR',
    amount: String(amount),
    euroExchangeRate: undefined,
    amountInEuro: undefined,
    financialFlowDirection: 'OUTGOING',
    description: 'Order',
    screenings: undefined,
    accountNumbers: [],
    cardNumbers: undefined,
    at: '2026-01-01T00:00:00.000Z',
    requestNo: 0,
  };
}

/** The import with one operation's result replaced. */
function withResult(kind: string, change: (result: OperationResult) => OperationResult): ImportedOperations {
  const imported = asForeseen();
  const results = imported.results.map((result) => (result.operation.kind === kind ? change(result) : result));
  return { ...imported, results };
}

describe('the differences of the import', () => {
  test('are none where every operation ended as foreseen and AMLYZE has the accepted ones with their digits', () => {
    expect(operationDifferences(asForeseen())).toEqual([]);
  });

  test('name an operation that was taken although it should have been refused, and the words that are missing', () => {
    const taken = withResult('rate-upside-down', (result) => ({
      ...result,
      finding: undefined,
      record: asForeseen().results[0]?.record,
    }));
    const about = 'CARD-000008';
    expect(operationDifferences(taken)).toEqual([
      { about, what: 'record', foreseen: 'none', seen: 'accepted' },
      { about, what: 'field', foreseen: 'amountInEuro', seen: 'none' },
      { about, what: "AMLYZE's ledger", foreseen: '1000.00', seen: 'none' },
    ]);
    const silent = withResult('other-entity-type', ({ operation, finding }) => ({
      operation,
      finding,
      record: undefined,
    }));
    expect(operationDifferences(silent).map(({ what }) => what)).toEqual(['record', "AMLYZE's words"]);
  });

  test('name a digit that was lost, an operation that came twice and one that nobody sent', () => {
    const imported = asForeseen();
    const [, ...rest] = imported.ledger;
    const ledger = [entry('CARD-000001', '1499'), ...rest, entry('CARD-000002', '12.5'), entry('X', '1')];
    expect(operationDifferences({ ...imported, ledger })).toEqual([
      { about: 'CARD-000001', what: "AMLYZE's ledger", foreseen: '1499.00', seen: '1499' },
      { about: 'CARD-000002', what: "AMLYZE's ledger", foreseen: '12.5', seen: '12.5 and 12.5' },
      { about: 'X', what: "AMLYZE's ledger", foreseen: 'none', seen: 'an operation' },
    ]);
  });

  test('leave the ledger alone where a kept database had its verdicts from another AMLYZE', () => {
    const imported = asForeseen();
    expect(operationDifferences({ ...imported, summary: { ...imported.summary, unchanged: 9 }, ledger: [] })).toEqual(
      [],
    );
  });
});

test('the report shows what was taken, what the gateway refused in its words, and what AMLYZE rejected in its own', () => {
  const lines = operationLines(asForeseen(), plain).join('\n');
  expect(lines).toMatch(
    /^Card payments: 10 operations imported without monitoring, 9 taken, 1 refused before sending$/m,
  );
  expect(lines).toMatch(/^ {2}CARD-000001 +1499\.00 EUR accepted {4}\S/m);
  expect(lines).toMatch(/^ {2}CARD-000008 +1000\.00 GBP refused .*\n +the gateway says amountInEuro is odd$/m);
  expect(lines).toMatch(/^ {2}CARD-000009 +780\.00 EUR rejected .*\n +AMLYZE says O006 "entityType mismatch in /m);
  expect(lines).toMatch(/^Foreseen and seen: no difference in 10 operations\.$/m);
});
