import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { SimulatorControl } from '../../../src/simulators/control-client';
import type { HistoryLine } from '../rig/history';
import type { Accepted, BankRequest, Evidence, Gateway } from './evidence';

export interface Sources {
  databaseUrl: string;
  /** URL of AMLYZE's simulator, or a file with its ledger as a JSON list. */
  amlyze: string;
  /** Name and URL of each bank simulator, or a file with its access log as a JSON list. */
  banks: readonly { bank: string; from: string }[];
  /** The call history, one JSON object a line. */
  historyFile: string;
}

export async function loadEvidence(sources: Sources): Promise<Evidence> {
  const [gateway, ledger, requests] = await Promise.all([
    loadGateway(sources.databaseUrl),
    loadLedger(sources.amlyze),
    Promise.all(sources.banks.map(loadAccessLog)),
  ]);
  const lines = readFileSync(sources.historyFile, 'utf8').split('\n');
  const history = lines.filter(Boolean).map((line): HistoryLine => JSON.parse(line));
  return { gateway, ledger, bankRequests: requests.flat(), history };
}

const isUrl = (source: string): boolean => /^https?:\/\//.test(source);

async function loadLedger(source: string): Promise<Accepted[]> {
  if (!isUrl(source)) return JSON.parse(readFileSync(source, 'utf8'));
  const control = new SimulatorControl(source);
  return [...(await control.ledger()), ...(await control.operationLedger())];
}

async function loadAccessLog({ bank, from }: { bank: string; from: string }): Promise<BankRequest[]> {
  const entries: Omit<BankRequest, 'bank'>[] = isUrl(from)
    ? await new SimulatorControl(from).accessLog()
    : JSON.parse(readFileSync(from, 'utf8'));
  return entries.map((entry) => ({ ...entry, bank }));
}

const RUNS = 'select id, slot::text, accounts, started_at as "startedAt", finished_at as "finishedAt" from sync_run';

// An account is in a run by the reading that ended its part in it, or because it still waits.
const RUN_ACCOUNTS = `select s.run_id as "runId", s.account_id as "accountId", a.account_ext_id as "accountExtId", r.slot::text,
  s.outcome, s.reading_id as "readingId"
from (
  select run_id, account_id, outcome, id as reading_id from balance_reading where run_id is not null and final
  union all
  select run_id, account_id, null, null from waiting_account
) s join sync_run r on r.id = s.run_id join account a on a.id = s.account_id`;

const READINGS = `select b.id, b.account_id as "accountId", a.connection_id as "connectionId", b.run_id as "runId",
  r.started_at as "runStartedAt", b.outcome, b.fetched_at as "fetchedAt", b.communication_number as number
from balance_reading b join account a on a.id = b.account_id left join sync_run r on r.id = b.run_id`;

// The key is put together here from the columns, as the design has it, and not taken from record_key: that table is the
// gateway's own opinion.
const RECORDS = `select o.id, o.communication_number as number, o.kind, o.account_id as "accountId", o.account_ext_id as "accountExtId",
  a.connection_id as "connectionId", o.reading_id as "readingId", o.balance_type as "balanceType",
  case when b.balance_at_source = 'bank' then o.balance_at::text else coalesce('slot ' || r.slot::text, 'run ' || o.run_id) end as key,
  o.revision, o.supersedes, o.supersedes_reason as "supersedesReason", coalesce(s.state, 'without a state') as state, s.reason, s.in_doubt as "inDoubt", s.attempts,
  o.created_at as "createdAt", s.settled_at as "settledAt",
  case when not o.sealed then encode(sha256(convert_to(o.payload, 'UTF8')), 'hex') end as "payloadHash",
  case when not o.sealed then substring(o.payload from '"value"\\s*:\\s*([^,}\\s]+)') end as "payloadValue"
from amlyze_record o left join record_state s on s.record_id = o.id left join account a on a.id = o.account_id left join sync_run r on r.id = o.run_id
  left join balance_reading b on b.id = o.reading_id`;

const ATTEMPTS = `select id, replica, records, started_at as "startedAt", finished_at as "finishedAt", outcome from delivery_attempt`;

const RESULTS = `select record_id as "recordId", attempt_id as "attemptId", late, verdict, reason from delivery_result`;

const READS = `select l.request_id::text as "requestId", l.subject_id as "subjectId", l.read_at as "readAt", c.frequency_per_day as "perDay"
from access_ledger l join consent c on c.id = l.consent_id`;

/** One snapshot of the gateway's tables. */
export async function loadGateway(databaseUrl: string): Promise<Gateway> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const rows = async <T extends object>(sql: string): Promise<T[]> => (await client.query<T>(sql)).rows;
    return {
      runs: await rows(RUNS),
      runAccounts: await rows(RUN_ACCOUNTS),
      readings: await rows(READINGS),
      records: await rows(RECORDS),
      attempts: await rows(ATTEMPTS),
      results: await rows(RESULTS),
      reads: await rows(READS),
    };
  } finally {
    await client.end();
  }
}
