import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Installation } from '../amlyze/installation';
import type { ReadingOutcome } from '../balances/outcome';
import type { Step } from '../balances/step';
import { Environment } from '../config/environment';
import { ConnectionDirectory, type LoadedConnection } from '../connections/connection-directory';
import { findKeyStates } from '../outbox/enqueue';
import { Database } from '../shared/database';
import { DatabaseClock } from '../shared/database-clock';
import { blocksDown, inBlock } from '../shared/id-block';
import { JsonNumber, parseJson } from '../shared/json';
import { ApiProblem } from '../shared/problem';
import { Slots } from '../shared/slots';
import { LiveRead, type BankSaying, type PreviewAccount } from './live-read';
import { businessKey, planRecord, type PlanInput, type RecordPlan } from './plan-records';
import type { PreviewDto, PreviewedRecordDto } from './preview.dto';
import { SubjectReader } from './subject-reader';
import type { WaitingAccount, WaitingRun } from './waiting-accounts';

/** Of readings whose bank refused to answer; some banks do so with status 200. */
const REFUSALS: readonly ReadingOutcome[] = [
  'TOKEN_REJECTED',
  'CONSENT_REQUIRED',
  'CERTIFICATE_PROBLEM',
  'ACCOUNT_UNKNOWN',
  'RATE_LIMITED',
  'BANK_UNAVAILABLE',
  'BANK_ERROR',
];

/** Shows what a read would send, by the very code that sends. Nothing is written but what a live read leaves behind. */
@Injectable()
export class PreviewService {
  private readonly slots: Slots;
  private readonly live: LiveRead;

  constructor(
    private readonly database: Database,
    private readonly directory: ConnectionDirectory,
    private readonly reader: SubjectReader,
    private readonly installation: Installation,
    private readonly clock: DatabaseClock,
    environment: Environment,
  ) {
    this.slots = new Slots(environment.syncCron);
    this.live = new LiveRead(database, reader, clock);
  }

  async preview(accountId: string, source: 'stored' | 'live'): Promise<PreviewDto> {
    const account = await this.load(accountId);
    const connection = await this.directory.load(account.connectionId);
    const saying =
      source === 'live' ? await this.live.ask(account, connection) : await this.recall(account, connection);
    const records: PreviewedRecordDto[] = [];
    const steps: Step[] = [...saying.mapped.steps];
    for (const balance of saying.mapped.balances) {
      const { record, steps: more } = await this.toRecord(account, connection, balance);
      records.push(record);
      steps.push(...more);
    }
    return {
      source,
      outcome: saying.mapped.outcome,
      reason: saying.mapped.reason ?? null,
      fetchedAt: saying.fetchedAt.toISOString(),
      bankPayload: saying.body ?? null,
      steps: steps.map(({ rule, text }) => ({ rule, text })),
      record: records[0] ?? null,
      records,
    };
  }

  private async load(accountId: string): Promise<PreviewAccount> {
    const [row] = await this.database.query<{
      currency: string;
      account_ext_id: string;
      business_unit: string | null;
      status: string;
      pinned_types: Record<string, string>;
      subject_id: string;
      connection_id: string;
      bank_code: string;
      provider_account_id: string;
      consent_id: string;
    }>(
      `select a.currency, a.account_ext_id, a.business_unit, a.status, a.pinned_types, a.subject_id, a.connection_id, u.bank_code,
  u.provider_account_id, c.consent_id
from account a join access_subject u on u.id = a.subject_id join consent c on c.id = u.consent_id where a.id = $1`,
      [accountId],
    );
    if (!row) throw ApiProblem.notFound('account', accountId);
    const account: WaitingAccount = {
      accountId,
      currency: row.currency,
      accountExtId: row.account_ext_id,
      businessUnit: row.business_unit ?? undefined,
      closed: row.status === 'closed',
      pinnedTypes: row.pinned_types,
      runs: [],
    };
    const {
      subject_id: subjectId,
      connection_id: connectionId,
      bank_code: bankCode,
      provider_account_id: providerAccountId,
      consent_id: consentId,
    } = row;
    return { account, subjectId, connectionId, bankCode, providerAccountId, consentId };
  }

  /** The latest stored answer, mapped with the settings of today. */
  private async recall(target: PreviewAccount, connection: LoadedConnection): Promise<BankSaying> {
    const [stored] = await this.database.query<{ raw_body: string; fetched_at: Date }>(
      `select r.raw_body, r.fetched_at from ${blocksDown('balance_reading')} cross join lateral (
  select id, raw_body, fetched_at from balance_reading
  where ${inBlock('id')} and account_id = $1 and raw_body is not null and http_status between 200 and 299 and outcome <> all($2)
  order by id desc limit 1
) r
order by blocks.block desc limit 1`,
      [target.account.accountId, REFUSALS],
    );
    if (!stored) throw ApiProblem.conflict('No answer of the bank is stored for this account yet; use source "live".');
    const { bankCode, providerAccountId, consentId } = target;
    const question = { requestId: randomUUID(), bankCode, providerAccountId, consentId };
    const answer = { body: stored.raw_body, fetchedAt: stored.fetched_at, question };
    return {
      body: stored.raw_body,
      fetchedAt: stored.fetched_at,
      mapped: this.reader.map(connection, answer, target.account),
    };
  }

  private async toRecord(
    target: PreviewAccount,
    connection: LoadedConnection,
    balance: PlanInput['balance'],
  ): Promise<{ record: PreviewedRecordDto; steps: Step[] }> {
    const slot = this.slots.next(this.clock.now());
    const run: WaitingRun = { runId: 'preview', slot, startedAt: slot, force: false, tries: 0 };
    const key = businessKey(balance, run);
    const { accountId } = target.account;
    const [known] = await findKeyStates(this.database, [{ ...balance, accountId, key }], 'look');
    if (!known) throw new Error('a key state is missing');
    const input = {
      account: target.account,
      balance,
      run,
      known,
      settingsHash: this.reader.settingsHash(connection),
      identity: await this.installation.identity(),
    };
    const plan = planRecord(input);
    return { record: toDto(plan, await this.bytesOf(plan, input)), steps: plan.steps };
  }

  /** What a read sends or, where it would send nothing, what AMLYZE has already or would have got. */
  private async bytesOf(plan: RecordPlan, input: PlanInput): Promise<string> {
    switch (plan.kind) {
      case 'new':
        return plan.record.payload;
      case 'older':
        return this.bytesOf(planRecord({ ...input, known: { ...input.known, newerSentAt: undefined } }), input);
      case 'unchanged':
        return this.findPayload(plan.communicationNumber);
    }
  }

  private async findPayload(communicationNumber: string): Promise<string> {
    const [row] = await this.database.query<{ payload: string }>(
      'select payload from amlyze_record where communication_number = $1',
      [communicationNumber],
    );
    if (!row) throw new Error('the record of a business key is missing');
    return row.payload;
  }
}

function toDto({ kind }: RecordPlan, frozenRequest: string): PreviewedRecordDto {
  const disposition = { new: 'would-be-sent', unchanged: 'unchanged', older: 'older-than-sent' } as const;
  const fields = parseJson(frozenRequest);
  const record: Record<string, string> = {};
  if (fields !== null && typeof fields === 'object' && !Array.isArray(fields) && !(fields instanceof JsonNumber)) {
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === 'string') record[name] = value;
      if (value instanceof JsonNumber) record[name] = value.source;
    }
  }
  return { disposition: disposition[kind], ...record, frozenRequest } as PreviewedRecordDto;
}
