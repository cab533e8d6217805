import { createHash, randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { MappingInput, MappingResult } from '../balances/balance';
import { mapBalances } from '../balances/map-balances';
import type { ReadingOutcome } from '../balances/outcome';
import { RateBook } from '../balances/rate-book';
import { Environment } from '../config/environment';
import { ConnectionDirectory, type LoadedConnection } from '../connections/connection-directory';
import { ConsentTokens } from '../consents/consent-tokens';
import { type BalanceQuestion, EndedBeforeCall, type ParsedAnswer } from '../providers/provider';
import { DatabaseClock } from '../shared/database-clock';
import { classifyDatabaseFailure, isDatabaseUnavailable, mayBeRepeated } from '../shared/database-failure';
import type { JsonValue } from '../shared/json';
import { Metrics } from '../shared/metrics';
import { SecretBox } from '../shared/secret-box';
import { repeatAfter } from './after-failure';
import type { ClaimedSubject } from './claim-reads';
import { closedReading, deniedResult, failedResult } from './no-balances';
import { storable } from './storable';
import type { AccountReading, SubjectResult } from './subject-result';
import type { WaitingAccount } from './waiting-accounts';

/** A mapping's result, or the refusal of a body that could not even be mapped. */
export type MappedAnswer = Omit<MappingResult, 'outcome'> & { outcome: ReadingOutcome };

/** What a bank said to which question, and when. */
export interface BankAnswer {
  body: string;
  /** The body, read; only where it was fetched just now. */
  json?: JsonValue;
  fetchedAt: Date;
  question: BalanceQuestion;
}

/** Turns one claimed subject into readings: at most one bank call, then the provider's mapper, then the mapping rules. */
@Injectable()
export class SubjectReader {
  private readonly logger = new Logger(SubjectReader.name);
  private readonly hashes = new WeakMap<object, string>();
  private readonly tokens: ConsentTokens;

  constructor(
    private readonly directory: ConnectionDirectory,
    private readonly rates: RateBook,
    box: SecretBox,
    private readonly environment: Environment,
    private readonly clock: DatabaseClock,
    private readonly metrics: Metrics,
  ) {
    this.tokens = new ConsentTokens(box);
  }

  /** Never throws: a fault of ours is the outcome GATEWAY_ERROR, so that no run waits for ever. */
  async read(subject: ClaimedSubject): Promise<SubjectResult> {
    if (subject.denial) return deniedResult(subject, subject.denial);
    let asked = false;
    try {
      const connection = await this.directory.load(subject.state.connectionId);
      const question = this.toQuestion(subject);
      asked = true;
      return await this.ask(subject, connection, question);
    } catch (error) {
      const before = error instanceof EndedBeforeCall;
      const cause = before ? error.cause : error;
      const spent = asked && !before;
      // What mends by itself is no end of the read.
      const retry = mayBeRepeated(cause) ? 'in-run' : 'next-slot';
      const repeatAfterMs = repeatAfter(subject, { retry, bytesMayHaveLeft: spent });
      return { ...deniedResult(subject, this.ownFault(subject, cause)), spent, repeatAfterMs };
    }
  }

  /** What is written where the result itself cannot be: the run must end with an outcome all the same. */
  unwritable(result: SubjectResult, error: unknown): SubjectResult {
    const { subject, call, spent, stop, fetchedAt } = result;
    const denied = deniedResult(subject, this.ownFault(subject, error));
    return { ...denied, fetchedAt, spent, stop, call: call && { ...call, body: undefined } };
  }

  /**
   * What the bank is asked.
   *
   * @throws SecretProblem where the consent's token does not open
   */
  toQuestion({ state, requestId }: ClaimedSubject): BalanceQuestion {
    const question = {
      requestId,
      bankCode: state.bankCode,
      providerAccountId: state.providerAccountId,
      consentId: state.consentId,
    };
    if (state.sealedAccessToken === undefined) return question;
    return { ...question, accessToken: this.tokens.open(state.consentRowId, state.sealedAccessToken) };
  }

  /** Parses and maps one body for one account; pure but for the exchange rates, which are in memory. */
  map(
    connection: LoadedConnection,
    answer: BankAnswer,
    account: Pick<WaitingAccount, 'currency' | 'pinnedTypes'>,
    parsed: ParsedAnswer = connection.provider.toBalances(answer.body, answer.question, answer.json),
  ): MappedAnswer {
    if (parsed.kind === 'refused')
      return { outcome: parsed.outcome, reason: parsed.reason, steps: parsed.steps, balances: [] };
    const mapped = mapBalances({
      reported: parsed.reported,
      currency: account.currency,
      pinnedTypes: account.pinnedTypes,
      settings: connection.mappingSettings,
      fetchedAt: answer.fetchedAt,
      ...this.equivalent(),
    });
    return { ...mapped, steps: [...parsed.steps, ...mapped.steps] };
  }

  /** Digest of the settings that decide what a payload becomes; a restated value is told from a changed setting by it. */
  settingsHash(connection: LoadedConnection): string {
    const known = this.hashes.get(connection.mappingSettings);
    if (known) return known;
    const hash = createHash('sha256').update(JSON.stringify(connection.mappingSettings)).digest('hex').slice(0, 16);
    this.hashes.set(connection.mappingSettings, hash);
    return hash;
  }

  private equivalent(): Pick<MappingInput, 'equivalent'> {
    const currency = this.environment.equivalentCurrency;
    if (currency === undefined) return {};
    const rate = (from: string, on: string): ReturnType<RateBook['rate']> => {
      const found = this.rates.rate(from, currency, on);
      if (!found) this.metrics.missingRates.inc({ currency: from });
      return found;
    };
    return { equivalent: { currency, rate } };
  }

  private async ask(
    subject: ClaimedSubject,
    connection: LoadedConnection,
    question: BalanceQuestion,
  ): Promise<SubjectResult> {
    const result = await connection.provider.fetchBalances(connection, question);
    const fetchedAt = this.clock.now();
    this.metrics.readSeconds.observe({ provider: connection.provider.name }, result.latencyMs / 1000);
    const { httpStatus, latencyMs } = result;
    const call = { httpStatus, latencyMs, body: storable(result.body), failed: result.kind === 'failed' };
    const settingsHash = this.settingsHash(connection);
    if (result.kind === 'failed') {
      const { version: connectionVersion } = connection;
      // A fault of ours ends a read before its call, so it says nothing about the bank's health.
      const made = result.outcome === 'GATEWAY_ERROR' ? undefined : call;
      return failedResult(subject, { result, fetchedAt, call: made, settingsHash, connectionVersion });
    }

    const answer = { body: result.body, json: result.json, fetchedAt, question };
    return {
      subject,
      readings: this.toReadings(subject, connection, answer),
      fetchedAt,
      call,
      spent: true,
      repeatAfterMs: undefined,
      stop: undefined,
      settingsHash,
    };
  }

  /** A fault of ours in one account's mapping is that account's outcome; the others of the number are read. */
  private toReadings(subject: ClaimedSubject, connection: LoadedConnection, answer: BankAnswer): AccountReading[] {
    let parsed: ParsedAnswer | undefined;
    return subject.accounts.map((account): AccountReading => {
      if (account.closed) return closedReading(account);
      try {
        parsed ??= connection.provider.toBalances(answer.body, answer.question, answer.json);
        const { outcome, reason, steps, balances } = this.map(connection, answer, account, parsed);
        return { account, outcome, reason, nextReadAt: undefined, steps, balances };
      } catch (error) {
        return { account, ...this.ownFault(subject, error), nextReadAt: undefined, steps: [], balances: [] };
      }
    });
  }

  private ownFault(subject: ClaimedSubject, error: unknown): { outcome: 'GATEWAY_ERROR'; reason: string } {
    // An outage is told by whoever polls the database, not by each of the reads that it meets.
    if (isDatabaseUnavailable(error)) {
      return { outcome: 'GATEWAY_ERROR', reason: `the database did not answer: ${classifyDatabaseFailure(error)}` };
    }
    const correlationId = randomUUID();
    this.logger.error({
      msg: 'a read failed by a fault of the gateway',
      correlationId,
      subjectId: subject.state.subjectId,
      connectionId: subject.state.connectionId,
      err: error instanceof Error ? error : new Error(String(error)),
    });
    return { outcome: 'GATEWAY_ERROR', reason: `a fault of the gateway; its log has it under ${correlationId}` };
  }
}
