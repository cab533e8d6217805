import type { Answer, CallFailure, FailureCause } from '../shared/http-client';
import { failedCall, refusedRead } from './failed-read';
import type { FailureContext } from './failed-read';
import { MYPOS_ERRORS } from './mypos/mypos.errors';
import { MyposSettings } from './mypos/mypos.settings';

const HOUR_MS = 3_600_000;

function context(overrides: Partial<FailureContext> = {}): FailureContext {
  return {
    table: MYPOS_ERRORS,
    what: 'myPOS',
    connection: {
      id: '1',
      version: '1',
      name: 'test',
      baseUrl: 'https://bank.example',
      settings: new MyposSettings(),
      secrets: { apiKey: 'api-key-canary' },
      timeoutMs: 1000,
    },
    secrets: ['token-canary'],
    renewsToken: false,
    countsAsRead: true,
    keepsBody: true,
    now: new Date('2025-01-01T00:00:00Z'),
    ...overrides,
  };
}

function answer(status: number, body = '', headers: Record<string, string> = {}): Answer {
  return { kind: 'answer', status, headers, contentType: 'application/json', body, latencyMs: 12 };
}

function failure(cause: FailureCause, more: Partial<CallFailure> = {}): CallFailure {
  return { kind: 'failure', cause, bytesMayHaveLeft: false, detail: 'what happened', latencyMs: 5, ...more };
}

const EXCEEDED = '{"tppMessages":[{"category":"ERROR","code":"ACCESS_EXCEEDED"}]}';

describe('refusedRead', () => {
  it.each([
    ['waits as long as asked', 429, '', { 'retry-after': '120' }, 120_000],
    ['caps the wait at a day', 429, '', { 'retry-after': '2147483647' }, 24 * HOUR_MS],
    ['waits a minute where nothing is asked', 429, '', {}, 60_000],
    ['waits a second at least', 429, '', { 'retry-after': '0' }, 1000],
    ['takes an HTTP date', 429, '', { 'retry-after': 'Wed, 01 Jan 2025 01:00:00 GMT' }, HOUR_MS],
    ['ignores a negative wait', 429, '', { 'retry-after': '-5' }, 60_000],
    ['waits a day for a new budget', 429, EXCEEDED, {}, 24 * HOUR_MS],
    ['believes the bank about the new budget', 429, EXCEEDED, { 'retry-after': '7200' }, 2 * HOUR_MS],
  ])('%s', (_claim, status, body, headers, waitMs) => {
    expect(refusedRead(answer(status, body, headers), context())).toMatchObject({
      outcome: 'RATE_LIMITED',
      retryAfterMs: waitMs,
    });
  });

  it('lets ACCESS_EXCEEDED stop the account, or the consent where the budget is counted by it', () => {
    const byAccount = context();
    const byConsent = context();
    byConsent.connection.settings.accessScope = 'consent';
    expect(refusedRead(answer(429, EXCEEDED), byAccount).stops).toBe('account');
    expect(refusedRead(answer(429, EXCEEDED), byConsent).stops).toBe('consent');
  });

  it('repeats within the run, unless the bank asks for a longer rest', () => {
    expect(refusedRead(answer(503), context())).toMatchObject({ retry: 'in-run', stops: 'nothing' });
    expect(refusedRead(answer(503, '', { 'retry-after': '5' }), context()).retry).toBe('in-run');
    expect(refusedRead(answer(503, '', { 'retry-after': '60' }), context())).toMatchObject({
      retry: 'next-slot',
      retryAfterMs: 60_000,
    });
  });

  it('renews a token only where the provider can', () => {
    expect(refusedRead(answer(401), context()).retry).toBe('next-slot');
    expect(refusedRead(answer(401), context({ renewsToken: true })).retry).toBe('renew-token');
  });

  it('keeps our secrets out of the reason and of the kept body', () => {
    const body = '{"message":"Bearer token-canary with api-key-canary is wrong"}';
    const read = refusedRead(answer(400, body), context());
    expect(read.reason).toContain('myPOS answered 400');
    expect(JSON.stringify(read)).not.toContain('canary');
  });

  it('blanks a secret out before anything is cut, so that no part of it stays', () => {
    const token = `token-canary-${'0123456789abcdef'.repeat(6)}`;
    const secrets = context({ secrets: [token] });
    const inCode = refusedRead(answer(401, `{"error":"The access token ${token} is not known here"}`), secrets);
    const inText = refusedRead(answer(400, `{"message":"${'x'.repeat(180)} ${token} is wrong"}`), secrets);
    const inPlainText = refusedRead(answer(500, `${'x'.repeat(3_950)} ${token}`), secrets);
    for (const read of [inCode, inText, inPlainText]) expect(read.reason).not.toContain('canary');
    expect(inCode.reason).toBe('myPOS answered 401 The access token [secret] is not known here');
    expect(inText.reason.endsWith('x [secret] is wrong')).toBe(true);
  });

  it('judges by the words as they came', () => {
    const secrets = context({ secrets: ['CONSENT_EXPIRED'] });
    const read = refusedRead(answer(401, '{"code":"CONSENT_EXPIRED"}'), secrets);
    expect(read).toMatchObject({ outcome: 'CONSENT_REQUIRED', reason: 'myPOS answered 401 [secret]' });
  });

  it('keeps a card number in a message masked wherever the message is cut', () => {
    const read = refusedRead(answer(400, `{"message":"${'x'.repeat(188)} 4111111111111111 is blocked"}`), context());
    expect(read.reason).not.toContain('41111111');
  });

  it('keeps no body of a call that may answer with a token, and a long one only in part', () => {
    expect(refusedRead(answer(400, 'x'), context({ keepsBody: false }))).not.toHaveProperty('body');
    expect(refusedRead(answer(400, 'x'.repeat(100_000)), context()).body).toHaveLength(65_536);
  });

  it.each(['[{"access_token":"opaque-1234"}]', 'access_token=opaque-1234&expires_in=3600'])(
    'quotes nothing of %s, which came with success in place of a token answer',
    (body) => {
      const token = context({ keepsBody: false, secrets: [] });
      for (const status of [200, 201]) {
        expect(refusedRead(answer(status, body), token).reason).toBe(`myPOS answered ${status}: a text`);
      }
      expect(refusedRead(answer(401, 'unknown client'), token).reason).toBe('myPOS answered 401: unknown client');
    },
  );

  it('counts as a read, unless it was a token request', () => {
    expect(refusedRead(answer(500), context()).bytesMayHaveLeft).toBe(true);
    expect(refusedRead(answer(500), context({ countsAsRead: false })).bytesMayHaveLeft).toBe(false);
  });
});

describe('failedCall', () => {
  it.each<[FailureCause, string]>([
    ['tls', 'CERTIFICATE_PROBLEM next-slot connection'],
    ['refused', 'BANK_UNAVAILABLE in-run nothing'],
    ['dns', 'BANK_UNAVAILABLE in-run nothing'],
    ['connect-timeout', 'BANK_UNAVAILABLE in-run nothing'],
    ['deadline', 'BANK_UNAVAILABLE in-run nothing'],
    ['connection-lost', 'BANK_UNAVAILABLE in-run nothing'],
    ['response-truncated', 'BANK_UNAVAILABLE in-run nothing'],
    ['address-not-allowed', 'BANK_UNAVAILABLE next-slot nothing'],
    ['response-too-large', 'INVALID_PAYLOAD next-slot nothing'],
    ['response-undecodable', 'INVALID_PAYLOAD next-slot nothing'],
    ['invalid-request', 'GATEWAY_ERROR next-slot nothing'],
    ['request-too-large', 'GATEWAY_ERROR next-slot nothing'],
    ['sealed-request', 'GATEWAY_ERROR next-slot nothing'],
  ])('judges %s as %s', (cause, expected) => {
    const { outcome, retry, stops, reason } = failedCall(failure(cause), context());
    expect(`${outcome} ${retry} ${stops}`).toBe(expected);
    expect(reason).toBe(`myPOS: ${cause}: what happened`);
  });

  it('believes the status line of an error whose body did not come whole', () => {
    expect(failedCall(failure('response-truncated', { status: 400 }), context()).outcome).toBe('BANK_ERROR');
    expect(failedCall(failure('response-truncated', { status: 401 }), context()).outcome).toBe('TOKEN_REJECTED');
    expect(failedCall(failure('response-too-large', { status: 429 }), context())).toMatchObject({
      outcome: 'RATE_LIMITED',
      retryAfterMs: 60_000,
      httpStatus: 429,
    });
    const asking = failure('response-too-large', { status: 429, retryAfter: '120' });
    expect(failedCall(asking, context()).retryAfterMs).toBe(120_000);
    const whole = failure('response-truncated', { status: 200, retryAfter: '120' });
    expect(failedCall(whole, context())).toMatchObject({ outcome: 'BANK_UNAVAILABLE', retry: 'in-run' });
  });

  it('says that the read may have reached the bank only where it may', () => {
    const left = failure('deadline', { bytesMayHaveLeft: true });
    expect(failedCall(left, context()).bytesMayHaveLeft).toBe(true);
    expect(failedCall(left, context({ countsAsRead: false })).bytesMayHaveLeft).toBe(false);
    expect(failedCall(failure('deadline'), context()).bytesMayHaveLeft).toBe(false);
  });
});
