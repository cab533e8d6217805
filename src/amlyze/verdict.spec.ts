import type { Answer, CallFailure, FailureCause } from '../shared/http-client';
import { isJsonObject, parseJson } from '../shared/json';
import { hear } from './hear';
import { wordsOf } from './saying';
import { judgeBatch, judgeSingle, type CallVerdict, type RecordVerdict, type SentRecord } from './verdict';
import { findRow, VERDICT_TABLE } from './verdict-table';

const NOW = new Date('2026-01-01T00:00:00.000Z');
const REJECTED = 'REQUEST_REJECTED';
const USED = 'CommunicationNumber already used in amlyze';

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const contentType = typeof body === 'string' ? 'text/html' : 'application/json';
  return {
    kind: 'answer',
    status,
    headers,
    contentType,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    latencyMs: 5,
  };
}

function failure(cause: FailureCause, bytesMayHaveLeft: boolean, status?: number): CallFailure {
  return {
    kind: 'failure',
    cause,
    bytesMayHaveLeft,
    detail: 'amlyze.example',
    latencyMs: 5,
    ...(status === undefined ? {} : { status }),
  };
}

function record(n: number, past: Partial<SentRecord> = {}): SentRecord {
  return {
    id: `${n}`,
    communicationNumber: `obg-${n}`,
    accountExtId: `ext-${n}`,
    inDoubtBefore: false,
    rejectedBefore: false,
    ...past,
  };
}

const entry = (n: number, said: object): object => ({
  communicationNumber: `obg-${n}`,
  accountExtId: `ext-${n}`,
  ...said,
});
const results = (...entries: unknown[]): Answer => answer(200, { results: entries, timeElapsedMs: 4 });
const pathNotFound = {
  timestamp: '2024-05-26T16:49:50.237+00:00',
  status: 404,
  error: 'Not Found',
  path: '/amlyze-ws-rest/x',
};

type RecordExpectation = Pick<RecordVerdict, 'verdict' | 'inDoubt'> & { reason?: string };
type Expectation = RecordExpectation | { kind: CallVerdict['kind']; doubt?: boolean };

interface Example {
  row: string;
  on: 'batch' | 'item' | 'single';
  result?: Answer | CallFailure;
  /** For items: what the entry says, and under which status. */
  says?: object;
  status?: number;
  clear: Expectation;
  doubted?: Expectation;
  clearAfterRejection?: Expectation;
  doubtedAfterRejection?: Expectation;
}

const accepted: RecordExpectation = { verdict: 'accepted', inDoubt: false };
const rejected: RecordExpectation = { verdict: 'rejected', inDoubt: false, reason: 'BUSINESS_REJECTION' };
const rejectedAfterDoubt: RecordExpectation = { verdict: 'rejected', inDoubt: true, reason: 'REJECTED_AFTER_DOUBT' };
const unsure = (reason: string): RecordExpectation => ({ verdict: 'in-doubt', inDoubt: true, reason });
const numberUsed = {
  clear: { verdict: 'held', inDoubt: false, reason: 'COLLISION' },
  doubted: { verdict: 'accepted', inDoubt: false, reason: 'replayed' },
  clearAfterRejection: { verdict: 'held', inDoubt: false, reason: 'NUMBER_CONSUMED' },
  doubtedAfterRejection: { verdict: 'held', inDoubt: true, reason: 'COLLISION' },
} as const;
const failed = { kind: 'endpoint-failed', doubt: true } as const;
const failedUnsent = { kind: 'endpoint-failed', doubt: false } as const;
const tenant = { resultType: REJECTED, errorCode: '', errorDescription: "Tenant header 'X-Tenant' is mandatory." };

const EXAMPLES: readonly Example[] = [
  {
    row: 'token or address refused',
    on: 'batch',
    result: answer(401, { error: { code: 'unauthorized' } }),
    clear: { kind: 'configuration' },
  },
  {
    row: 'token or address refused',
    on: 'batch',
    result: answer(403, '<html>blocked</html>'),
    clear: { kind: 'configuration' },
  },
  { row: 'token or address refused', on: 'single', result: answer(401, ''), clear: { kind: 'configuration' } },
  {
    row: 'token or address refused',
    on: 'batch',
    result: failure('response-too-large', true, 403),
    clear: { kind: 'configuration' },
  },
  { row: 'no such path', on: 'batch', result: answer(404, pathNotFound), clear: { kind: 'configuration' } },
  { row: 'no such path', on: 'single', result: answer(404, pathNotFound), clear: { kind: 'configuration' } },
  { row: 'too many requests', on: 'batch', result: answer(429, ''), clear: { kind: 'rate-limited' } },
  { row: 'too many requests', on: 'single', result: answer(429, {}), clear: { kind: 'rate-limited' } },
  { row: 'batch too large', on: 'batch', result: answer(413, '<html></html>'), clear: { kind: 'too-large' } },
  { row: 'single record too large', on: 'single', result: answer(413, ''), clear: failedUnsent },
  {
    row: 'results of a batch',
    on: 'batch',
    result: results(entry(1, { resultType: 'REQUEST_ACCEPTED' })),
    clear: accepted,
  },
  {
    row: 'results under a 400',
    on: 'batch',
    result: answer(400, { results: [entry(1, { resultType: REJECTED, errorCode: '003', errorDescription: 'no' })] }),
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  {
    row: 'batch refused for the tenant header',
    on: 'batch',
    result: answer(400, tenant),
    clear: { kind: 'configuration' },
  },
  {
    row: 'batch refused as a whole',
    on: 'batch',
    result: answer(400, { status: 400, error: 'Bad Request', path: '/x' }),
    clear: { kind: 'bad-request' },
  },
  {
    row: 'batch refused as a whole',
    on: 'batch',
    result: answer(400, '<html></html>'),
    clear: { kind: 'bad-request' },
  },
  { row: 'item accepted', on: 'item', says: { resultType: 'REQUEST_ACCEPTED' }, clear: accepted },
  {
    row: 'item accepted',
    on: 'item',
    says: { resultType: 'REQUEST_ACCEPTED', errorCode: null, errorDescription: '' },
    clear: accepted,
  },
  {
    row: 'single record accepted',
    on: 'single',
    result: answer(200, { resultType: 'REQUEST_ACCEPTED' }),
    clear: accepted,
  },
  { row: 'single record accepted', on: 'single', result: answer(200, { resultType: 'OK' }), clear: accepted },
  {
    row: 'single record rejected under a 200',
    on: 'single',
    result: answer(200, { resultType: 'ERROR', errorCode: '003', errorDescription: 'no' }),
    clear: unsure('CONTRADICTORY_ANSWER'),
  },
  {
    row: 'single record with a code under a 200',
    on: 'single',
    result: answer(200, { resultType: 'OK', errorCode: 'O005', errorDescription: USED }),
    clear: unsure('CONTRADICTORY_ANSWER'),
  },
  {
    row: 'number already used',
    on: 'item',
    says: { resultType: REJECTED, errorCode: 'O005', errorDescription: USED },
    ...numberUsed,
  },
  {
    row: 'number already used',
    on: 'item',
    says: { resultType: REJECTED, errorCode: 'o001', errorDescription: USED.toUpperCase() },
    ...numberUsed,
  },
  {
    row: 'number already used',
    on: 'single',
    result: answer(400, { resultType: REJECTED, errorCode: 'O001', errorDescription: USED }),
    ...numberUsed,
  },
  {
    row: 'processing failed, by code',
    on: 'item',
    says: { resultType: REJECTED, errorCode: 500, errorDescription: 'oops' },
    clear: unsure('PROCESSING_FAILED'),
  },
  {
    row: 'processing failed, by code',
    on: 'single',
    result: answer(400, { resultType: REJECTED, errorCode: '500' }),
    clear: unsure('PROCESSING_FAILED'),
  },
  {
    row: 'processing failed, by text',
    on: 'item',
    says: { resultType: REJECTED, errorCode: '17', errorDescription: 'Failed processing account balance' },
    clear: unsure('PROCESSING_FAILED'),
  },
  {
    row: 'processing failed, by text',
    on: 'single',
    result: answer(400, { resultType: 'ERROR', errors: ['Processing failed'] }),
    clear: unsure('PROCESSING_FAILED'),
  },
  { row: 'tenant header missing', on: 'item', says: tenant, clear: { kind: 'configuration' } },
  { row: 'tenant header missing', on: 'single', result: answer(400, tenant), clear: { kind: 'configuration' } },
  {
    row: 'tenant or business unit unknown',
    on: 'item',
    says: { resultType: REJECTED, errorDescription: "Tenant 't' business unit 'b' does not exist." },
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  {
    row: 'tenant or business unit unknown',
    on: 'single',
    result: answer(400, { resultType: REJECTED, errorDescription: 'Business unit is mandatory.' }),
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  {
    row: 'rejected with a code',
    on: 'item',
    says: { resultType: REJECTED, errorCode: 'O001', errorDescription: 'extId is mandatory' },
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  {
    row: 'rejected with a code',
    on: 'item',
    says: { resultType: REJECTED, errorCode: '999', errorDescription: USED },
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  {
    row: 'rejected with a code',
    on: 'single',
    result: answer(400, { errorCode: 'O001', errorDescription: 'extId is mandatory', status: 400 }),
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  {
    row: 'rejected with a text',
    on: 'item',
    says: { resultType: REJECTED, errorCode: '', errors: ['AccountExtId is mandatory'] },
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  {
    row: 'rejected with a text',
    on: 'single',
    result: answer(400, { resultType: 'ERROR', errorDescription: 'code is mandatory' }),
    clear: rejected,
    doubted: rejectedAfterDoubt,
  },
  { row: 'item that says anything else', on: 'item', says: { resultType: 'OK' }, clear: unsure('UNCLEAR_RESULT') },
  { row: 'item that says anything else', on: 'item', says: {}, clear: unsure('UNCLEAR_RESULT') },
  {
    row: 'item that says anything else',
    on: 'item',
    says: { resultType: REJECTED, status: 500, error: 'Internal Server Error' },
    clear: unsure('UNCLEAR_RESULT'),
  },
  {
    row: 'item that says anything else',
    on: 'item',
    says: { resultType: 'REQUEST_ACCEPTED', errorCode: 'O005' },
    clear: unsure('UNCLEAR_RESULT'),
  },
  {
    row: 'item that says anything else',
    on: 'item',
    status: 400,
    says: { resultType: 'REQUEST_ACCEPTED' },
    clear: unsure('UNCLEAR_RESULT'),
  },
  {
    row: 'request larger than our own limit',
    on: 'batch',
    result: failure('request-too-large', false),
    clear: { kind: 'too-large' },
  },
  {
    row: 'request that cannot be made',
    on: 'batch',
    result: failure('invalid-request', false),
    clear: { kind: 'configuration' },
  },
  ...(['refused', 'dns', 'tls', 'address-not-allowed', 'connect-timeout'] as const).map((cause): Example => ({
    row: 'no byte left',
    on: 'batch',
    result: failure(cause, false),
    clear: failedUnsent,
  })),
  { row: 'no byte left', on: 'single', result: failure('refused', false), clear: failedUnsent },
  ...(
    ['deadline', 'connection-lost', 'tls', 'response-truncated', 'response-undecodable', 'response-too-large'] as const
  ).map((cause): Example => ({ row: 'anything else', on: 'batch', result: failure(cause, true), clear: failed })),
  ...[201, 202, 204, 301, 302, 404, 405, 408, 409, 415, 422, 500, 502, 503, 504].flatMap((status): Example[] => [
    { row: 'anything else', on: 'batch', result: answer(status, { resultType: 'REQUEST_ACCEPTED' }), clear: failed },
    { row: 'anything else', on: 'single', result: answer(status, { resultType: 'REQUEST_ACCEPTED' }), clear: failed },
  ]),
  ...[
    answer(200, '<html>Welcome</html>'),
    { ...answer(200, {}), body: '{"results":[' },
    answer(200, {}),
    answer(200, []),
    answer(200, { results: null }),
    answer(200, { results: { '0': entry(1, { resultType: 'REQUEST_ACCEPTED' }) } }),
    answer(200, { errorCode: '500', errorDescription: 'Processing failed' }),
    answer(200, { errorCode: 'X', results: [entry(1, { resultType: 'REQUEST_ACCEPTED' })] }),
    answer(500, { results: [entry(1, { resultType: 'REQUEST_ACCEPTED' })] }),
    answer(500, { resultType: REJECTED, status: 500, error: 'Internal Server Error' }),
    answer(404, '<html>nginx</html>'),
  ].map((result): Example => ({ row: 'anything else', on: 'batch', result, clear: failed })),
  ...[
    answer(200, '{"resultType":"OK"}'),
    answer(200, ''),
    answer(200, { resultType: 'ACCEPTED' }),
    answer(400, { timestamp: 'x', status: 400, error: 'Bad Request', path: '/x' }),
    answer(400, '<html></html>'),
    answer(404, {
      resultType: 'ERROR',
      errorCode: '404',
      errorDescription: 'BusinessEntity with given extId does not exist',
      path: '/x',
    }),
    answer(500, { resultType: REJECTED, status: 500, error: 'Internal Server Error' }),
  ].map((result): Example => ({ row: 'anything else', on: 'single', result, clear: failed })),
];

function verdictOf(example: Example, past: Partial<SentRecord>): CallVerdict {
  const sent = record(1, past);
  const result = example.result ?? answer(example.status ?? 200, { results: [entry(1, example.says ?? {})] });
  return example.on === 'single' ? judgeSingle(result, sent, NOW) : judgeBatch(result, [sent], NOW);
}

function expectVerdict(verdict: CallVerdict, expected: Expectation): void {
  if ('kind' in expected) {
    expect(verdict).toMatchObject(expected);
    return;
  }
  expect(verdict).toMatchObject({ kind: 'settled', records: [{ id: '1', ...expected }] });
  if (verdict.kind === 'settled' && expected.reason === undefined) expect(verdict.records[0]?.reason).toBeUndefined();
}

function rowOf({ on, result, says, status }: Example): string {
  if (on !== 'item' && result) return findRow(hear(result, on).saying).name;
  const object = parseJson(JSON.stringify(says));
  if (!isJsonObject(object)) throw new Error('an item is an object');
  return findRow({
    source: 'item',
    status: status ?? 200,
    bytesMayHaveLeft: true,
    shape: 'json-object',
    ...wordsOf(object),
  }).name;
}

describe('the verdict table', () => {
  test.each(EXAMPLES.map((example, index) => [example.row, example.on, index, example] as const))(
    'decides "%s" on the %s (example %i) in every column of doubt',
    (row, _on, _index, example) => {
      expect(rowOf(example)).toBe(row);
      const doubted = example.doubted ?? example.clear;
      expectVerdict(verdictOf(example, {}), example.clear);
      expectVerdict(verdictOf(example, { inDoubtBefore: true }), doubted);
      expectVerdict(verdictOf(example, { rejectedBefore: true }), example.clearAfterRejection ?? example.clear);
      expectVerdict(
        verdictOf(example, { inDoubtBefore: true, rejectedBefore: true }),
        example.doubtedAfterRejection ?? doubted,
      );
    },
  );

  test('has an example for each of its rows', () => {
    expect(new Set(EXAMPLES.map(({ row }) => row))).toEqual(new Set(VERDICT_TABLE.map(({ name }) => name)));
  });

  test('never says accepted and in doubt at once, and gives a reason for everything that is not plainly accepted', () => {
    for (const row of VERDICT_TABLE) {
      for (const decision of [
        row.withoutDoubt,
        row.withDoubt,
        row.afterRejection?.withoutDoubt,
        row.afterRejection?.withDoubt,
      ]) {
        if (decision?.about !== 'record') continue;
        if (decision.verdict === 'accepted') expect(decision.inDoubt).toBe(false);
        else expect(decision.reason).toBeTruthy();
        if (decision.verdict === 'in-doubt') expect(decision.inDoubt).toBe(true);
      }
    }
  });
});

describe('the wait after 429', () => {
  test('is what Retry-After asks for, in seconds or as a date, uncapped', () => {
    expect(judgeBatch(answer(429, '', { 'retry-after': '7200' }), [record(1)], NOW)).toMatchObject({
      retryAfterMs: 7_200_000,
    });
    const until = answer(429, '', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' });
    expect(judgeSingle(until, record(1), NOW)).toMatchObject({ retryAfterMs: 30_000 });
  });

  test('is left to the caller where the header is absent or the answer was cut off', () => {
    expect(judgeBatch(answer(429, ''), [record(1)], NOW)).toMatchObject({ retryAfterMs: undefined });
    expect(judgeBatch(failure('response-truncated', true, 429), [record(1)], NOW)).toMatchObject({
      kind: 'rate-limited',
      retryAfterMs: undefined,
    });
  });
});
