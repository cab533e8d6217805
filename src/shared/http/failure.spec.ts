import { CallProblem, toCallProblem, type Phase } from './failure';

function coded(code: string): Error {
  return Object.assign(new Error('hidden'), { code });
}

describe('toCallProblem', () => {
  it.each<[string, Phase, string]>([
    ['ECONNREFUSED', 'connecting', 'refused'],
    ['EHOSTUNREACH', 'connecting', 'refused'],
    ['ENOTFOUND', 'connecting', 'dns'],
    ['EAI_AGAIN', 'connecting', 'dns'],
    ['ETIMEDOUT', 'connecting', 'connect-timeout'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connecting', 'connect-timeout'],
    ['ECONNRESET', 'connecting', 'connection-lost'],
    ['CERT_HAS_EXPIRED', 'connecting', 'tls'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'connecting', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'connecting', 'tls'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'connecting', 'tls'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'connecting', 'tls'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'awaiting-answer', 'tls'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'awaiting-answer', 'tls'],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'reading-answer', 'response-truncated'],
    ['ECONNRESET', 'awaiting-answer', 'connection-lost'],
    ['ETIMEDOUT', 'awaiting-answer', 'connection-lost'],
    ['UND_ERR_HEADERS_OVERFLOW', 'awaiting-answer', 'response-too-large'],
    ['UND_ERR_HEADERS_OVERFLOW', 'reading-answer', 'response-too-large'],
    ['ECONNRESET', 'reading-answer', 'response-truncated'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reading-answer', 'response-truncated'],
    ['', 'connecting', 'connection-lost'],
  ])('translates %s while %s into %s, without the message of the error', (code, phase, cause) => {
    const problem = toCallProblem(coded(code), phase);
    expect(problem.failure).toBe(cause);
    expect(problem.message).not.toContain('hidden');
  });

  it('leaves our own problems as they are, and shows no code that is none', () => {
    const own = new CallProblem('deadline', 'not answered');
    expect(toCallProblem(own, 'connecting')).toBe(own);
    expect(toCallProblem(coded('hidden code'), 'connecting').message).toBe(
      'the connection was lost while it was set up',
    );
    expect(toCallProblem('hidden', 'awaiting-answer').message).toBe('the connection was lost before an answer came');
  });
});
