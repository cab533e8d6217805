import type { MappingSettings, ReportedBalance } from '../balances/balance';
import type { ReadingOutcome } from '../balances/outcome';
import type { Step } from '../balances/step';
import type { ClientTls } from '../shared/http-client';
import type { JsonValue } from '../shared/json';
import type { ProviderSettings } from './provider-settings';

/** How we reach one bank API, ready to use: settings validated, secrets opened. */
export interface ProviderConnection<S extends ProviderSettings = ProviderSettings> {
  id: string;
  /** Of the stored row: any change of the connection, by a person or by the gateway, makes another one. */
  version: string;
  name: string;
  /** Scheme, host and maybe a path prefix; a trailing slash means nothing. */
  baseUrl: string;
  settings: S;
  secrets: Readonly<Record<string, string>>;
  tls?: ClientTls;
  /** Total deadline of one HTTP call, in milliseconds. */
  timeoutMs: number;
}

/**
 * The person who is asking right now, as seen by the caller. Sending any of these claims that a PSU is present, so they
 * exist only where one is: a scheduled read has no PsuContext.
 */
export interface PsuContext {
  ipAddress: string;
  ipPort?: string;
  deviceId?: string;
  geoLocation?: string;
}

/** One question to a bank: the balances of one account under one consent. */
export interface BalanceQuestion {
  /** UUID, new for every attempt. */
  requestId: string;
  bankCode: string;
  providerAccountId: string;
  /** The bank's id of the consent, not ours. */
  consentId: string;
  /** The consent's own token, where the provider works with one. */
  accessToken?: string;
  psu?: PsuContext;
}

/** `in-run`: may be repeated within the run. `renew-token`: repeat once, with a new token. `next-slot`: not before it. */
export type Retry = 'in-run' | 'next-slot' | 'renew-token';

/** What must not be asked any more, once the repeats that `retry` allows are used up. */
export type Stops = 'nothing' | 'account' | 'consent' | 'connection';

/** The bank answered with something that `toBalances` can be asked about. */
export interface AnsweredRead {
  kind: 'answered';
  httpStatus: number;
  latencyMs: number;
  /** With our own secrets blanked out, where the bank echoes them. */
  body: string;
  /** The body as it came, read. */
  json: JsonValue;
}

export interface FailedRead {
  kind: 'failed';
  outcome: ReadingOutcome;
  /** For operators: what came and from where, free of secrets. */
  reason: string;
  retry: Retry;
  stops: Stops;
  /** Wait at least this long before asking what `stops` names again; at most 24 h. */
  retryAfterMs?: number;
  /** The read may have reached the bank, so it counts against the consent's budget. */
  bytesMayHaveLeft: boolean;
  httpStatus?: number;
  latencyMs: number;
  /** The body of a refusal, with our own secrets blanked out. */
  body?: string;
}

export type FetchResult = AnsweredRead | FailedRead;

/** Thrown where a fault of ours, the cause, ended a read before its call: the bank was not asked, and nothing of the budget is spent. */
export class EndedBeforeCall extends Error {
  override readonly name = 'EndedBeforeCall';

  constructor(override readonly cause: unknown) {
    super('the read ended before its call');
  }
}

/** A body taken apart, its fields still raw: only an element that is eligible may fail a reading. */
export interface ParsedBalances {
  kind: 'parsed';
  reported: ReportedBalance[];
  steps: Step[];
}

export interface RefusedAnswer {
  kind: 'refused';
  outcome: 'INVALID_PAYLOAD' | 'ACCOUNT_MISMATCH' | 'BANK_ERROR';
  reason: string;
  steps: Step[];
}

export type ParsedAnswer = ParsedBalances | RefusedAnswer;

export interface CheckResult {
  ok: boolean;
  latencyMs: number;
  /** What was tried and what was seen. */
  detail: string;
}

export interface SecretNames {
  required: readonly string[];
  optional: readonly string[];
  /** Those that go into an HTTP header as they are: a value that no header can carry is refused before it is stored. */
  inHeaders: readonly string[];
}

/** What a consent must bring along for this provider. */
export interface ConsentNeeds {
  accessToken: boolean;
  /** Without a need there is no use either, and it is refused: one consent under two codes would be read twice as often. */
  bankCode: boolean;
}

/** The port that a bank API implements. Everything the gateway knows about one bank API is behind it. */
export interface BalanceProvider<S extends ProviderSettings = ProviderSettings> {
  readonly name: string;
  /** class-validator class of `settings`; its property initialisers are the defaults. */
  readonly settingsClass: new () => S;
  readonly secretNames: SecretNames;
  readonly consentNeeds: ConsentNeeds;
  mappingSettings(settings: S): MappingSettings;
  /** One read over the network. Never throws for the other side's behaviour; EndedBeforeCall for a fault of ours that came before it. */
  fetchBalances(connection: ProviderConnection<S>, question: BalanceQuestion): Promise<FetchResult>;
  /**
   * Pure: takes an answer's body apart and makes sure that it answers the question. `json` is the body as it was read at the
   * fetch; where there is none, as for a body out of the database, it is read here.
   */
  toBalances(body: string, question: BalanceQuestion, json?: JsonValue): ParsedAnswer;
  /** One live, harmless call that reads no account data. */
  check(connection: ProviderConnection<S>): Promise<CheckResult>;
}
