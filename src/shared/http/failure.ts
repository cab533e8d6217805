import { errors } from 'undici';
import type { FailureCause } from './types';

/** Ends a call without an answer. The message is written for people and holds nothing of the request's or the answer's content. */
export class CallProblem extends Error {
  constructor(
    readonly failure: FailureCause,
    message: string,
  ) {
    super(message);
  }
}

/** How far a call had come when something went wrong. */
export type Phase = 'connecting' | 'awaiting-answer' | 'reading-answer';

const tlsProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  CERT_REVOKED: 'the certificate is revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate comes from an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate comes from an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate comes from an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate comes from an unknown authority, or its chain is incomplete',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the other side does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the other side does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the other side offers no TLS 1.2 or newer',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the other side offers no TLS 1.2 or newer',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the other side demands a client certificate',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the other side does not know the authority of our client certificate',
};

// Names of OpenSSL's certificate verdicts (X509_V_ERR_*) as Node reports them, and the prefixes of its own TLS codes.
const TLS_CODE =
  /^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$|UNABLE_TO_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)|CERT|CRL/;

const connectProblems: Readonly<Record<string, [FailureCause, string]>> = {
  ADDRESS_NOT_ALLOWED: ['address-not-allowed', 'the name resolves to an address that is not public'],
  ECONNREFUSED: ['refused', 'the connection was refused'],
  EHOSTUNREACH: ['refused', 'there is no route to the host'],
  ENETUNREACH: ['refused', 'there is no route to the network'],
  ENOTFOUND: ['dns', 'the host name is unknown'],
  ENODATA: ['dns', 'the host name has no address'],
  UND_ERR_CONNECT_TIMEOUT: ['connect-timeout', 'the connection was not up in time'],
  ETIMEDOUT: ['connect-timeout', 'the connection was not up in time'],
  UND_ERR_INVALID_ARG: ['invalid-request', 'the request cannot be written as HTTP'],
};

/** Translates what Node, OpenSSL or undici report into our words. Error messages can quote content and never get into ours. */
export function toCallProblem(error: unknown, phase: Phase): CallProblem {
  if (error instanceof CallProblem) return error;
  const code = codeOf(error);
  // With TLS 1.3 a server refuses our certificate only after the handshake, when the request is already on its way.
  if (phase !== 'reading-answer' && TLS_CODE.test(code)) return tlsProblem(code);
  if (isProtocolBreach(error, phase)) {
    return new CallProblem('response-undecodable', 'the answer breaks the rules of HTTP/1.1');
  }
  switch (phase) {
    case 'connecting':
      return connectProblem(code);
    case 'awaiting-answer':
      if (code === 'UND_ERR_HEADERS_OVERFLOW')
        return new CallProblem('response-too-large', 'the answer has too many headers');
      return new CallProblem('connection-lost', `the connection was lost before an answer came${named(code)}`);
    case 'reading-answer':
      if (code === 'UND_ERR_HEADERS_OVERFLOW')
        return new CallProblem('response-too-large', 'the answer has too many trailers');
      return new CallProblem(
        'response-truncated',
        `the connection was lost before the answer was complete${named(code)}`,
      );
  }
}

/**
 * A parse error is a breach, except where it only says that a chunked answer ended too early; undici gives it no code, so its text tells.
 * Contradicting lengths in the head (two of them, or one beside chunks) come as a mismatch before there is an answer.
 */
function isProtocolBreach(error: unknown, phase: Phase): boolean {
  if (error instanceof errors.ResponseContentLengthMismatchError) return phase === 'awaiting-answer';
  return error instanceof errors.HTTPParserError && !error.message.includes('Invalid EOF state');
}

export function tlsProblem(code: string): CallProblem {
  return new CallProblem('tls', `TLS: ${tlsProblems[code] ?? 'the handshake failed'}${named(code)}`);
}

export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

function connectProblem(code: string): CallProblem {
  const known = connectProblems[code];
  if (known) return new CallProblem(known[0], `${known[1]}${named(code)}`);
  if (code.startsWith('EAI_')) return new CallProblem('dns', `the host name could not be resolved${named(code)}`);
  // A reset in the handshake may be a balancer without a back end as well as a refusal: it is an outage, no verdict on certificates.
  return new CallProblem('connection-lost', `the connection was lost while it was set up${named(code)}`);
}

function named(code: string): string {
  return /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? ` (${code})` : '';
}
