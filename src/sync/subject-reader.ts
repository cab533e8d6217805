import { createHash, randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { MappingInput, MappingResult } from '../balances/balance';
import { mapBalances } from '../balances/map-balances';
import type { ReadingOutcome } from '../balances/outcome';
import { RateBook } from '../balances/rate-book';
import { stepOf } from '../balances/step';
import { Environment } from '../config/environment';
import { ConnectionDirectory, type LoadedConnection } from '../connections/connection-directory';
import { tokenContext } from '../consents/token-context';
import type { BalanceQuestion, FailedRead, FetchResult, ParsedAnswer } from '../providers/provider';
import { DatabaseClock } from '../shared/database-clock';
import { isDatabaseUnavailable } from '../shared/database-failure';
import type { JsonValue } from '../shared/json';
import { Metrics } from '../shared/metrics';
import { SecretBox } from '../shared/secret-box';
import { repeatAfter, toStop } from './after-failure';
import type { ClaimedSubject } from './claim-reads';
import { storable } from './storable';
import type { AccountReading, SubjectResult } from './subject-result';
import type { WaitingAccount } from './waiting-accounts';

/** What the call itself came to, where it brought no answer to map. */
export const fetchStep = stepOf('fetch');

const NO_HASH = '';
/** Consents whose opened access token is kept at hand, like the secrets of their connections. */
const TOKENS_KEPT = 1_000;

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
  /** By the sealed text, which a renewed token does not share. */
  private readonly tokens = new Map<string, string>();

  constructor(
    private readonly directory: ConnectionDirectory,
    private readonly rates: RateBook,
    private readonly box: SecretBox,
    private readonly environment: Environment,
    private readonly clock: DatabaseClock,
    private readonly metrics: Metrics,
  ) {}

  /** Never throws: a fault of ours is the outcome GATEWAY_ERROR, so that no run waits for ever. */
  async read(subject: ClaimedSubject): Promise<SubjectResult> {
    if (subject.denial) return this.denied(subject, subject.denial);
    let spent = false;
    try {
      const connection = await this.directory.load(subject.state.connectionId);
      const question = this.toQuestion(subject);
      spent = true;
      return await this.ask(subject, connection, question);
    } catch (error) {
      // A database that is away mends by itself, so that is no end of the read.
      const retry = isDatabaseUnavailable(error) ? 'in-run' : 'next-slot';
      const repeatAfterMs = repeatAfter(subject, { retry, bytesMayHaveLeft: spent });
      return { ...this.denied(subject, this.ownFault(subject, error)), spent, repeatAfterMs };
    }
  }

  /** What is written where the result itself cannot be: the run must end with an outcome all the same. */
  unwritable(result: SubjectResult, error: unknown): SubjectResult {
    const { subject, call, spent, stop, fetchedAt } = result;
    const denied = this.denied(subject, this.ownFault(subject, error));
    return { ...denied, fetchedAt, spent, stop, call: call && { ...call, body: undefined } };
  }

  /** The same question and mapping for a preview: what the bank says now. */
  async fetch(
    subject: ClaimedSubject,
    connection: LoadedConnection,
  ): Promise<{ question: BalanceQuestion; result: FetchResult }> {
    const question = this.toQuestion(subject);
    return { question, result: await connection.provider.fetchBalances(connection, question) };
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

  private toQuestion({ state, requestId }: ClaimedSubject): BalanceQuestion {
    const question = {
      requestId,
      bankCode: state.bankCode,
      providerAccountId: state.providerAccountId,
      consentId: state.consentId,
    };
    if (state.sealedAccessToken === undefined) return question;
    return { ...question, accessToken: this.openToken(state.consentRowId, state.sealedAccessToken) };
  }

  /** Thousands of accounts share a consent, and opening its token costs as much as half a call. */
  private openToken(consentRowId: string, sealed: string): string {
    const known = this.tokens.get(sealed);
    if (known !== undefined) return known;
    const token = this.box.open(sealed, tokenContext('access_token', consentRowId));
    if (this.tokens.size >= TOKENS_KEPT) this.tokens.clear();
    this.tokens.set(sealed, token);
    return token;
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
    if (result.kind === 'failed') return this.failed(subject, connection, { result, fetchedAt, call });

    const answer = { body: result.body, json: result.json, fetchedAt, question };
    return {
      subject,
      readings: this.toReadings(subject, connection, answer),
      fetchedAt,
      call,
      spent: true,
      repeatAfterMs: undefined,
      stop: undefined,
      settingsHash: this.settingsHash(connection),
    };
  }

  /** A fault of ours in one account's mapping is that account's outcome; the others of the number are read. */
  private toReadings(subject: ClaimedSubject, connection: LoadedConnection, answer: BankAnswer): AccountReading[] {
    let parsed: ParsedAnswer | undefined;
    return subject.accounts.map((account): AccountReading => {
      if (account.closed) return closed(account);
      try {
        parsed ??= connection.provider.toBalances(answer.body, answer.question, answer.json);
        const { outcome, reason, steps, balances } = this.map(connection, answer, account, parsed);
        return { account, outcome, reason, nextReadAt: undefined, steps, balances };
      } catch (error) {
        return { account, ...this.ownFault(subject, error), nextReadAt: undefined, steps: [], balances: [] };
      }
    });
  }

  private failed(
    subject: ClaimedSubject,
    connection: LoadedConnection,
    { result, fetchedAt, call }: { result: FailedRead; fetchedAt: Date; call: NonNullable<SubjectResult['call']> },
  ): SubjectResult {
    const repeatAfterMs = repeatAfter(subject, result);
    const stop = repeatAfterMs === undefined ? toStop(subject, result, connection.version) : undefined;
    const nextReadAt = stop?.kind === 'wait' ? new Date(fetchedAt.getTime() + stop.forMs) : undefined;
    const steps = [fetchStep`${result.reason}`];
    const readings = subject.accounts.map((account): AccountReading =>
      account.closed
        ? closed(account)
        : { account, outcome: result.outcome, reason: result.reason, nextReadAt, steps, balances: [] },
    );
    const spent = result.bytesMayHaveLeft;
    const settingsHash = this.settingsHash(connection);
    return { subject, readings, fetchedAt, call, spent, repeatAfterMs, stop, settingsHash };
  }

  private denied(subject: ClaimedSubject, denial: NonNullable<ClaimedSubject['denial']>): SubjectResult {
    const readings = subject.accounts.map((account): AccountReading =>
      account.closed
        ? closed(account)
        : {
            account,
            outcome: denial.outcome,
            reason: denial.reason,
            nextReadAt: denial.nextReadAt,
            steps: [],
            balances: [],
          },
    );
    return {
      subject,
      readings,
      fetchedAt: subject.claimedAt,
      call: undefined,
      // Nothing was asked, and no ledger row made.
      spent: true,
      repeatAfterMs: undefined,
      stop: undefined,
      settingsHash: NO_HASH,
    };
  }

  private ownFault(subject: ClaimedSubject, error: unknown): { outcome: 'GATEWAY_ERROR'; reason: string } {
    const correlationId = randomUUID();
    this.logger.error({
      msg: 'a read failed by a fault of the gateway',
      correlationId,
      subjectId: subject.state.subjectId,
      connectionId: subject.state.connectionId,
      error: error instanceof Error ? error.stack : String(error),
    });
    return { outcome: 'GATEWAY_ERROR', reason: `a fault of the gateway; its log has it under ${correlationId}` };
  }
}

function closed(account: WaitingAccount): AccountReading {
  return {
    account,
    outcome: 'ACCOUNT_CLOSED',
    reason: 'the account is closed at the gateway',
    nextReadAt: undefined,
    steps: [],
    balances: [],
  };
}
