import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { LoadedConnection } from '../connections/connection-directory';
import { EndedBeforeCall } from '../providers/provider';
import type { Database, Queryable } from '../shared/database';
import type { DatabaseClock } from '../shared/database-clock';
import { ApiProblem } from '../shared/problem';
import { toStop } from './after-failure';
import { unavailableSaying } from './bank-health';
import type { ClaimedSubject } from './claim-reads';
import { decideRead, type Denial } from './decide-read';
import { fetchStep } from './no-balances';
import { grantCalls } from './pace';
import { giveBackReads, stopAsAsked } from './settle-reads';
import type { MappedAnswer, SubjectReader } from './subject-reader';
import type { Stop } from './subject-result';
import { loadSubjects, toState } from './subject-state';
import type { WaitingAccount } from './waiting-accounts';

/** An account, and where its bank is asked about it. */
export interface PreviewAccount {
  account: WaitingAccount;
  subjectId: string;
  connectionId: string;
  bankCode: string;
  providerAccountId: string;
  consentId: string;
}

/** What the bank said, and what the rules make of it. */
export interface BankSaying {
  body: string | undefined;
  fetchedAt: Date;
  mapped: MappedAnswer;
}

/**
 * Asks the bank for a preview. No reading is written, but what every call to a bank leaves behind is: its place in the connection's pace,
 * its ledger row, and a wait that the bank asks for.
 */
export class LiveRead {
  private readonly logger = new Logger(LiveRead.name);

  constructor(
    private readonly database: Database,
    private readonly reader: SubjectReader,
    private readonly clock: DatabaseClock,
  ) {}

  /** @throws ApiProblem 409 where no read is possible now, with the time from which one is where that is known */
  async ask(target: PreviewAccount, connection: LoadedConnection): Promise<BankSaying> {
    const subject = await this.grantRead(target, connection);
    let spent = false;
    let stop: Stop | undefined;
    try {
      const question = this.reader.toQuestion(subject);
      spent = true;
      const result = await connection.provider.fetchBalances(connection, question);
      const fetchedAt = this.clock.now();
      if (result.kind === 'answered') {
        const answer = { body: result.body, json: result.json, fetchedAt, question };
        return { body: result.body, fetchedAt, mapped: this.reader.map(connection, answer, target.account) };
      }
      spent = result.bytesMayHaveLeft;
      stop = toStop(subject, result, connection.version);
      const { outcome, reason } = result;
      return { body: result.body, fetchedAt, mapped: { outcome, reason, steps: [fetchStep`${reason}`], balances: [] } };
    } catch (error) {
      if (!(error instanceof EndedBeforeCall)) throw error;
      spent = false;
      throw error.cause;
    } finally {
      await this.settle(subject, { spent, stop });
    }
  }

  /**
   * A wait is the bank's and is kept; what stops until a person acts is left to a read, whose outcome says so. Where this fails, a read stays
   * charged or a wait is forgotten, and what the preview came to is said all the same.
   */
  private async settle(
    subject: ClaimedSubject,
    { spent, stop }: { spent: boolean; stop: Stop | undefined },
  ): Promise<void> {
    try {
      if (stop?.kind === 'wait') await stopAsAsked(this.database, subject, stop);
      if (!spent) await giveBackReads(this.database, [subject]);
    } catch (err) {
      const { subjectId } = subject.state;
      this.logger.warn({ msg: 'what follows from the call of a preview could not be stored', subjectId, err });
    }
  }

  /** A live preview is a read like any other: it needs room in the budget and in the pace, and a ledger row before the call. */
  private async grantRead(target: PreviewAccount, connection: LoadedConnection): Promise<ClaimedSubject> {
    return this.database.transaction(async (tx) => {
      await tx.query('select 1 from access_subject where id = $1 for update', [target.subjectId]);
      const { accessScope, accessWindow, settings } = connection;
      if (accessScope === 'consent') {
        await tx.query(
          'select 1 from consent where id = (select consent_id from access_subject where id = $1) for no key update',
          [target.subjectId],
        );
      }
      const quota = {
        connectionId: target.connectionId,
        quota: 1,
        accessScope,
        accessWindow,
        timeZone: settings.timeZone,
      };
      const [row] = await loadSubjects(tx, [target.subjectId], [quota]);
      if (!row) throw new Error('the subject of the account is missing');
      const state = toState(row, { alreadyGranted: 0, repeatOf: undefined });
      const denial =
        decideRead(state, [target.account]) ?? (await askBreaker(tx, state)) ?? (await takePace(tx, connection, state));
      if (denial) {
        const extra = {
          outcome: denial.outcome,
          ...(denial.nextReadAt && { nextReadAt: denial.nextReadAt.toISOString() }),
        };
        throw ApiProblem.conflict(`No live read is possible now (${denial.outcome}): ${denial.reason}.`, extra);
      }
      const requestId = randomUUID();
      await tx.query(
        `insert into access_ledger (subject_id, consent_id, purpose, request_id) values ($1, $2, 'preview', $3)`,
        [state.subjectId, state.consentRowId, requestId],
      );
      const claimed = { denial: undefined, readsLeft: 0, tokenRenewed: false, claimedAt: state.now };
      return { ...claimed, state, accounts: [target.account], requestId };
    });
  }
}

/**
 * A bank that is unavailable is asked by one probe at a time, and a preview is none: it leaves no trace in the bank's health. Where a
 * probe could go out now and none is under way, whoever looks by hand may ask.
 */
async function askBreaker(tx: Queryable, { connectionId, now }: ClaimedSubject['state']): Promise<Denial | undefined> {
  const [health] = await tx.query<{ until: Date; unavailable_in_row: number; last_reason: string | null }>(
    `select greatest(open_until, probe_until) as until, unavailable_in_row, last_reason
from connection_health where connection_id = $1 and open_until is not null`,
    [connectionId],
  );
  if (!health || health.until <= now) return undefined;
  const reason = `${unavailableSaying(health)}; it may be asked again at ${health.until.toISOString()}`;
  return { outcome: 'BANK_UNAVAILABLE', reason, nextReadAt: health.until };
}

/** Takes the connection's next call, over all replicas, or says from when there is one. */
async function takePace(
  tx: Queryable,
  { requestsPerSecond }: LoadedConnection,
  { connectionId, now }: ClaimedSubject['state'],
): Promise<Denial | undefined> {
  if (requestsPerSecond === undefined) return undefined;
  const granted = (await grantCalls(tx, [{ connectionId, calls: 1, requestsPerSecond }])).get(connectionId);
  if (!granted || granted.calls > 0) return undefined;
  const nextReadAt = new Date(now.getTime() + granted.waitMs);
  const reason = `the connection's requestsPerSecond is used up, the next call may start at ${nextReadAt.toISOString()}`;
  return { outcome: 'RATE_LIMITED', reason, nextReadAt };
}
