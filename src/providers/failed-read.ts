import type { Answer, CallFailure } from '../shared/http-client';
import { retryAfterMs } from '../shared/http-client';
import { HOUR_MS, judgeRefusal } from './bank-errors';
import type { BankErrorRow, BankVerdict } from './bank-errors';
import { readRefusal } from './bank-refusal';
import type { BankRefusal } from './bank-refusal';
import type { FailedRead, ProviderConnection, Retry } from './provider';
import { redact } from './redact';

const MAX_WAIT_MS = 24 * HOUR_MS;
const MIN_WAIT_MS = 1000;
/** The sync repeats after 1 s and 5 s; a bank that asks for a longer rest is not repeated within the run. */
const LONGEST_REST_WITHIN_RUN_MS = 5000;
const MAX_REASON_TEXT = 200;
/** Characters; an error page says nothing more after that. */
const MAX_KEPT_BODY = 65_536;

export interface FailureContext {
  table: readonly BankErrorRow[];
  /** What was asked, as the reason names it: "balance request", "token request". */
  what: string;
  connection: ProviderConnection;
  /** Values beyond the connection's secrets that must not show up in a reason or a kept body. */
  secrets: readonly (string | undefined)[];
  /** The provider can get a new token by itself. */
  renewsToken: boolean;
  /** Whether this call, once its bytes left, is a read that counts against the budget (a token request is not). */
  countsAsRead: boolean;
  /** A token answer's body may hold a token, so it is never kept. */
  keepsBody: boolean;
  now: Date;
}

/** An HTTP answer that is no success, translated by the provider's table. */
export function refusedRead(answer: Answer, context: FailureContext): FailedRead {
  const refusal = readRefusal(answer.status, answer.body);
  const row = judgeRefusal(refusal, context.table);
  const asked = retryAfterMs(answer, context.now);
  return {
    ...applyVerdict(row.then, asked, context),
    reason: describe(answer, context),
    bytesMayHaveLeft: context.countsAsRead,
    httpStatus: answer.status,
    latencyMs: answer.latencyMs,
    ...keptBody(answer, context),
  };
}

/** A call that brought no whole answer. */
export function failedCall(failure: CallFailure, context: FailureContext): FailedRead {
  // The head alone is enough for a verdict where its status is an error: 401 with a broken body is still a 401.
  const [verdict, asked] =
    failure.status !== undefined && failure.status >= 400
      ? [
          judgeRefusal({ status: failure.status, form: 'empty', codes: [], text: '' }, context.table).then,
          retryAfterMs(failure, context.now),
        ]
      : [verdictOfCause(failure)];
  return {
    ...applyVerdict(verdict, asked, context),
    reason: redact(`${context.what}: ${failure.cause}: ${failure.detail}`, secretsOf(context)),
    bytesMayHaveLeft: failure.bytesMayHaveLeft && context.countsAsRead,
    ...(failure.status === undefined ? {} : { httpStatus: failure.status }),
    latencyMs: failure.latencyMs,
  };
}

/** A fault that is certain before any byte is sent, or that no repeat can mend. */
export function ownFailure(outcome: 'GATEWAY_ERROR' | 'TOKEN_REJECTED', reason: string): FailedRead {
  return {
    kind: 'failed',
    outcome,
    reason,
    retry: 'next-slot',
    stops: outcome === 'TOKEN_REJECTED' ? 'consent' : 'nothing',
    bytesMayHaveLeft: false,
    latencyMs: 0,
  };
}

/** A success status whose body is not JSON by label or by content. Asking again would bring the same. */
export function unreadableRead(answer: Answer, problem: string, context: FailureContext): FailedRead {
  return {
    kind: 'failed',
    outcome: 'INVALID_PAYLOAD',
    reason: redact(`${context.what} answered ${answer.status}: ${problem}`, secretsOf(context)),
    retry: 'next-slot',
    stops: 'nothing',
    bytesMayHaveLeft: context.countsAsRead,
    httpStatus: answer.status,
    latencyMs: answer.latencyMs,
    ...keptBody(answer, context),
  };
}

function keptBody(answer: Answer, context: FailureContext): { body?: string } {
  if (!context.keepsBody) return {};
  return { body: redact(answer.body, secretsOf(context)).slice(0, MAX_KEPT_BODY) };
}

function verdictOfCause(failure: CallFailure): BankVerdict {
  switch (failure.cause) {
    case 'tls':
      return { outcome: 'CERTIFICATE_PROBLEM', retry: 'next-slot', stops: 'connection' };
    case 'refused':
    case 'dns':
    case 'connect-timeout':
    case 'deadline':
    case 'connection-lost':
    case 'response-truncated':
      return { outcome: 'BANK_UNAVAILABLE', retry: 'in-run', stops: 'nothing' };
    case 'address-not-allowed':
      // Only a change of configuration or of DNS mends this.
      return { outcome: 'BANK_UNAVAILABLE', retry: 'next-slot', stops: 'nothing' };
    case 'response-too-large':
    case 'response-undecodable':
      return { outcome: 'INVALID_PAYLOAD', retry: 'next-slot', stops: 'nothing' };
    case 'request-too-large':
    case 'invalid-request':
    case 'sealed-request':
      return { outcome: 'GATEWAY_ERROR', retry: 'next-slot', stops: 'nothing' };
  }
}

function applyVerdict(
  verdict: BankVerdict,
  askedWaitMs: number | undefined,
  context: FailureContext,
): Pick<FailedRead, 'kind' | 'outcome' | 'retry' | 'stops' | 'retryAfterMs'> {
  const waits = verdict.outcome === 'RATE_LIMITED' || verdict.outcome === 'BANK_UNAVAILABLE';
  const waitMs = waits ? (askedWaitMs ?? verdict.defaultWaitMs) : undefined;
  return {
    kind: 'failed',
    outcome: verdict.outcome,
    retry: retryOf(verdict, waitMs, context),
    stops: verdict.stops === 'access-scope' ? context.connection.settings.accessScope : verdict.stops,
    ...(waitMs === undefined ? {} : { retryAfterMs: Math.min(Math.max(waitMs, MIN_WAIT_MS), MAX_WAIT_MS) }),
  };
}

function retryOf(verdict: BankVerdict, waitMs: number | undefined, context: FailureContext): Retry {
  if (verdict.retry === 'renew-token' && !context.renewsToken) return 'next-slot';
  if (verdict.retry === 'in-run' && (waitMs ?? 0) > LONGEST_REST_WITHIN_RUN_MS) return 'next-slot';
  return verdict.retry;
}

/** The refusal is read once more for it: what is shown has no secrets in it, and what is judged has the bank's words as they came. */
function describe({ status, body }: Answer, context: FailureContext): string {
  const refusal = readRefusal(status, body, (text) => redact(text, secretsOf(context)));
  const codes = refusal.codes.length > 0 ? ` ${refusal.codes.join(', ')}` : '';
  const words = wordsOf(refusal, context).slice(0, MAX_REASON_TEXT);
  const text = words === '' ? '' : `: ${words}`;
  return `${context.what} answered ${status}${codes}${text}`;
}

function wordsOf({ status, form, text }: BankRefusal, { keepsBody }: FailureContext): string {
  if (form === 'html') return 'an HTML page';
  // With a status of success it may well be the token, in a shape that nobody expected.
  if (form === 'text' && !keepsBody && status < 400) return 'a text';
  return text;
}

/** What a text from outside is searched for before it is kept. */
export function secretsOf(context: FailureContext): (string | undefined)[] {
  return [...Object.values(context.connection.secrets), ...context.secrets];
}
