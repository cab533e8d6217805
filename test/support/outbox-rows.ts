import { buildAccountBalanceRecord } from '../../src/amlyze/account-balance-record';
import { enqueueBalances, type NewBalanceRecord } from '../../src/outbox/enqueue';
import type { Database } from '../../src/shared/database';

export const INSTANT = '2026-03-05T06:00:00.000Z';

/** A record and how far it got, as far as tests look at it. */
export interface RecordState {
  id: string;
  communication_number: string;
  account_ext_id: string;
  state: string;
  reason: string | null;
  error_code: string | null;
  error_description: string | null;
  in_doubt: boolean;
  attempts: number;
  whole_failures: number;
  batch_group: string | null;
  claims: number;
  attempt_id: string | null;
  payload: string;
  /** Milliseconds from now; negative where it has passed. */
  due_in_ms: string | null;
}

export interface LogRow {
  record_id: string;
  attempt_id: string;
  late: boolean;
  verdict: string;
  reason: string | null;
  error_code: string | null;
  error_description: string | null;
  answer: string | null;
}

export interface AttemptRow {
  id: string;
  records: number;
  http_status: number | null;
  outcome: string | null;
  detail: string | null;
  finished_at: Date | null;
  record_ids: string[] | null;
  /** Milliseconds from now. */
  lease_in_ms: string | null;
}

/** Fills and reads the outbox of one test database. */
export class OutboxRows {
  private constructor(
    private readonly database: Database,
    private readonly consentId: string,
  ) {}

  static async open(database: Database, bank = 'bank'): Promise<OutboxRows> {
    const [row] = await database.query<{ id: string }>(
      `with c as (insert into connection (name, provider, base_url) values ($1, 'mypos', 'https://bank.example') returning id)
insert into consent (connection_id, consent_id) select id, 'consent' from c returning id`,
      [bank],
    );
    if (!row) throw new Error('no consent was made');
    return new OutboxRows(database, row.id);
  }

  /** Takes everything away, also what the tables' own triggers keep. */
  static async clear(database: Database): Promise<OutboxRows> {
    await database.transaction(async (tx) => {
      await tx.query('set local session_replication_role = replica');
      // What a balance leaves behind points to what was before it without foreign keys, so that no cascade finds it.
      await tx.query(
        `truncate connection, sync_run, waiting_account, access_ledger, balance_reading, amlyze_record, record_state, record_key, record_series, delivery_group,
  delivery_attempt, delivery_result, amlyze_endpoint, audit_entry cascade`,
      );
    });
    return OutboxRows.open(database);
  }

  /** Accounts whose accountExtId is the prefix and a number from 1; their ids in that order. */
  async accounts(count: number, prefix = 'A'): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `with n as (select g, $2 || g as name from generate_series(1, $1::int) g),
s as (insert into access_subject (consent_id, provider_account_id) select $3, name from n order by g returning id, provider_account_id)
insert into account (connection_id, consent_id, subject_id, provider_account_id, currency, account_ext_id)
select c.connection_id, c.id, s.id, n.name, 'EUR', n.name from n join s on s.provider_account_id = n.name join consent c on c.id = $3
order by n.g returning id`,
      [count, prefix, this.consentId],
    );
    return rows.map(({ id }) => id);
  }

  /** One record an account, due at once, in the order of the accounts; their numbers. */
  async enqueue(accountIds: readonly string[], more: Partial<NewBalanceRecord> = {}): Promise<string[]> {
    const rows = await this.database.query<{ id: string; account_ext_id: string; reading_id: string }>(
      `with b as (insert into balance_reading (account_id, run_id, outcome, raw_body, steps)
  select u, $2, 'READ', '{"balance":"12.50"}', '[{"rule":"selection","text":"the only one"}]' from unnest($1::bigint[]) u returning id, account_id)
select a.id, a.account_ext_id, b.id as reading_id from b join account a on a.id = b.account_id order by a.id`,
      [accountIds, more.runId ?? null],
    );
    const records = rows.map((row) => newRecord(row, more));
    await enqueueBalances(this.database, records);
    return records.map(({ communicationNumber }) => communicationNumber);
  }

  /** All records in order of their ids. */
  async all(): Promise<RecordState[]> {
    return this.database.query<RecordState>(
      `select r.*, round(extract(epoch from next_attempt_at - now()) * 1000)::int as due_in_ms from record_with_state r order by id`,
    );
  }

  /** The only record, or the one of that number. */
  async one(number?: string): Promise<RecordState> {
    const rows = (await this.all()).filter((row) => number === undefined || row.communication_number === number);
    const [row] = rows;
    if (!row || rows.length > 1) throw new Error(`${rows.length} records instead of one`);
    return row;
  }

  async log(): Promise<LogRow[]> {
    return this.database.query<LogRow>('select * from delivery_result order by attempt_id, record_id, late');
  }

  async attempts(): Promise<AttemptRow[]> {
    return this.database.query<AttemptRow>(
      `select a.*, round(extract(epoch from lease_until - now()) * 1000)::int as lease_in_ms from delivery_attempt a order by id`,
    );
  }

  /** What waits for a time is due now. */
  async makeDue(): Promise<void> {
    await this.database.query(`update record_state set next_attempt_at = now() where next_attempt_at > now()`);
  }

  /** Of these attempts, or of all that are under way. */
  async expireLeases(attemptIds?: readonly string[]): Promise<void> {
    await this.database.query(
      `update delivery_attempt set lease_until = now() - interval '1 second'
where lease_until is not null and ($1::bigint[] is null or id = any($1))`,
      [attemptIds ?? null],
    );
  }

  /** How many records are in each state. */
  async states(): Promise<Record<string, number>> {
    const rows = await this.database.query<{ state: string; n: number }>(
      'select state, count(*)::int as n from record_with_state group by state',
    );
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  }
}

let made = 0;

function newRecord(
  row: { id: string; account_ext_id: string; reading_id: string },
  more: Partial<NewBalanceRecord>,
): NewBalanceRecord {
  made += 1;
  const balanceAt = more.balanceAt ?? INSTANT;
  const balanceType = more.balanceType ?? 'STATEMENT_BALANCE';
  const value = more.value ?? '12.50';
  const communicationNumber = `obg-test-b-20260305-${String(made).padStart(8, '0')}`;
  const payload = buildAccountBalanceRecord({
    communicationNumber,
    requester: 'open-banking-gateway',
    balanceType,
    accountExtId: row.account_ext_id,
    balanceAt,
    value,
  });
  return {
    communicationNumber,
    accountId: row.id,
    accountExtId: row.account_ext_id,
    businessUnit: undefined,
    readingId: row.reading_id,
    runId: undefined,
    balanceType,
    balanceAt,
    value,
    key: balanceAt,
    revision: 1,
    supersedes: undefined,
    payload,
    settingsHash: 'settings',
    ...more,
  };
}
