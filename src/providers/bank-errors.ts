import type { ReadingOutcome } from '../balances/outcome';
import type { BankRefusal } from './bank-refusal';
import type { Retry, Stops } from './provider';

export interface BankVerdict {
  outcome: ReadingOutcome;
  /** `renew-token` becomes `next-slot` at a provider that cannot renew. */
  retry: Retry;
  /** `access-scope`: the account, or the consent where the connection's budget is counted per consent. */
  stops: Stops | 'access-scope';
  /** How long to wait where the answer does not say. */
  defaultWaitMs?: number;
}

/** One row of an error table: every condition that is named must hold; the first row that fits decides. */
export interface BankErrorRow {
  name: string;
  /** HTTP status, from and to. */
  status?: readonly [number, number];
  forms?: readonly BankRefusal['form'][];
  /** At least one of the answer's codes matches. */
  code?: RegExp;
  text?: RegExp;
  then: BankVerdict;
}

export const HOUR_MS = 3_600_000;

export const VERDICTS = {
  tokenRejected: { outcome: 'TOKEN_REJECTED', retry: 'renew-token', stops: 'consent' },
  consentRequired: { outcome: 'CONSENT_REQUIRED', retry: 'next-slot', stops: 'consent' },
  /** The bank does not accept who we say we are: only an operator can mend that, and it concerns every account. */
  identityRefused: { outcome: 'CERTIFICATE_PROBLEM', retry: 'next-slot', stops: 'connection' },
  accountUnknown: { outcome: 'ACCOUNT_UNKNOWN', retry: 'next-slot', stops: 'nothing' },
  accessExceeded: { outcome: 'RATE_LIMITED', retry: 'next-slot', stops: 'access-scope', defaultWaitMs: 24 * HOUR_MS },
  tooManyCalls: { outcome: 'RATE_LIMITED', retry: 'next-slot', stops: 'connection', defaultWaitMs: 60_000 },
  unavailable: { outcome: 'BANK_UNAVAILABLE', retry: 'in-run', stops: 'nothing' },
  bankError: { outcome: 'BANK_ERROR', retry: 'next-slot', stops: 'nothing' },
} as const satisfies Record<string, BankVerdict>;

/** A message written for people may be trusted in these; a page of a firewall may say "token" and mean anything. */
const MESSAGES = ['json', 'text'] as const;

export const TOO_MANY_CALLS: BankErrorRow = { name: 'too many calls', status: [429, 429], then: VERDICTS.tooManyCalls };

/** nginx answers a client certificate it does not like with an HTML page and status 400 (495 and 496 in its log). */
export const CERTIFICATE_REFUSED: BankErrorRow = {
  name: 'client certificate refused',
  status: [400, 496],
  text: /\b(ssl|tls|client) certificate\b|\bcertificate\b.{0,40}\b(expired|invalid|revoked|missing|required|blocked|unknown)\b/i,
  then: VERDICTS.identityRefused,
};

export const UNAVAILABLE: readonly BankErrorRow[] = [
  { name: 'request time-out', status: [408, 408], then: VERDICTS.unavailable },
  { name: 'server error', status: [500, 599], then: VERDICTS.unavailable },
];

export const ANYTHING_ELSE: BankErrorRow = { name: 'any other answer', then: VERDICTS.bankError };

/**
 * Rows whose reason is named. Codes are Berlin Group's (NextGenPSD2 XS2A 1.3, message codes of AIS) and OAuth's (RFC
 * 6749, 6750); texts are for banks that answer words only.
 */
const NAMED_REASONS: readonly BankErrorRow[] = [
  { name: 'access frequency used up', code: /^ACCESS_EXCEEDED$/i, then: VERDICTS.accessExceeded },
  TOO_MANY_CALLS,
  {
    name: 'certificate or signature code',
    code: /^(CERTIFICATE_\w+|SIGNATURE_\w+|ROLE_INVALID|invalid_client|unauthorized_client)$/i,
    then: VERDICTS.identityRefused,
  },
  { name: 'consent code', code: /^CONSENT_\w+$/i, then: VERDICTS.consentRequired },
  { name: 'token code', code: /^(TOKEN_\w+|invalid_token)$/i, then: VERDICTS.tokenRejected },
  { name: 'resource unknown', code: /^RESOURCE_UNKNOWN$/i, then: VERDICTS.accountUnknown },
  CERTIFICATE_REFUSED,
  {
    name: 'consent message',
    status: [200, 499],
    forms: MESSAGES,
    text: /\bconsent\b.{0,60}\b(expired|revoked|invalid|unknown|not found|not valid|rejected|required|missing|does not exist)\b|\b(expired|revoked|invalid|unknown|missing|no) consent\b/i,
    then: VERDICTS.consentRequired,
  },
  {
    name: 'token message',
    status: [200, 403],
    forms: MESSAGES,
    text: /\btoken\b.{0,60}\b(expired|revoked|invalid|unknown|not valid|rejected|missing)\b|\b(expired|revoked|invalid|unknown|missing) (access |bearer )?token\b/i,
    then: VERDICTS.tokenRejected,
  },
  {
    name: 'signature message',
    status: [200, 403],
    forms: MESSAGES,
    text: /\bsignature\b.{0,60}\b(invalid|mismatch|missing|wrong|not valid|expired)\b|\b(invalid|missing|wrong) signature\b/i,
    then: VERDICTS.identityRefused,
  },
  {
    name: 'account message',
    status: [200, 499],
    forms: MESSAGES,
    text: /\baccount\b.{0,60}\b(not found|unknown|does not exist|not exist)\b|\b(unknown|no such) account\b/i,
    then: VERDICTS.accountUnknown,
  },
  {
    name: 'refused for a reason that is not the token',
    code: /^(PSU_CREDENTIALS_INVALID|CORPORATE_ID_INVALID|SERVICE_\w+|RESOURCE_(EXPIRED|BLOCKED)|SESSIONS_NOT_SUPPORTED)$/i,
    status: [200, 499],
    then: VERDICTS.bankError,
  },
];

/**
 * Rows for answers that give no reason. A bare 401 is about the credentials sent along, by HTTP's definition. A bare 403
 * is not: firewalls and maintenance pages use it, so it stops nothing and heals by itself at the next slot.
 */
const BARE_STATUS: readonly BankErrorRow[] = [
  { name: 'bare 401', status: [401, 401], then: VERDICTS.tokenRejected },
  { name: 'bare 404', status: [404, 404], then: VERDICTS.accountUnknown },
  ...UNAVAILABLE,
  ANYTHING_ELSE,
];

/** The error table of one provider: its `first` rows, what every bank has in common, its `fallback` rows, bare statuses. */
export function bankErrorTable(own: {
  first?: readonly BankErrorRow[];
  fallback?: readonly BankErrorRow[];
}): readonly BankErrorRow[] {
  return [...(own.first ?? []), ...NAMED_REASONS, ...(own.fallback ?? []), ...BARE_STATUS];
}

/** The first row that fits. Every table ends with a row that always does. */
export function judgeRefusal(refusal: BankRefusal, table: readonly BankErrorRow[]): BankErrorRow {
  return table.find((row) => fits(row, refusal)) ?? ANYTHING_ELSE;
}

function fits(row: BankErrorRow, refusal: BankRefusal): boolean {
  if (row.status && (refusal.status < row.status[0] || refusal.status > row.status[1])) return false;
  if (row.forms && !row.forms.includes(refusal.form)) return false;
  const { code, text } = row;
  if (code && !refusal.codes.some((found) => code.test(found))) return false;
  return !text || text.test(refusal.text);
}
