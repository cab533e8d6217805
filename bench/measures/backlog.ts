import { databaseOf, openDataSource } from '../../src/database/data-source';
import { claimDue } from '../../src/outbox/claim';
import type { Database, Queryable } from '../../src/shared/database';
import { claimReads } from '../../src/sync/claim-reads';
import { settleAccepted } from '../../test/support/settle-accepted';
import type { BenchRig } from '../rig/bench-rig';
import type { Figure } from '../figure';
import type { Installation } from '../rig/gateway';
import { registered } from '../rig/registered';
import type { Measure } from './measure';

const ACCOUNTS = 50_000;
/** Free records, 20 series of one record for each account. */
const PENDING = 1_000_000;
/** Records behind the head of their series, which waits for a retry. */
const BLOCKED = 800_000;
/** Accounts that wait in runs, 20 runs of all of them. */
const WAITING = 1_000_000;
const CALLS = 40;
/** A plan that reads what waits takes seconds here; without a flood a claim and a settlement take 30 ms to 50 ms. */
const MOST_MS = 75;
const CLAIM = { channel: 'balance', endpoint: 'balances', replica: 'bench', leaseSeconds: 60, limit: 500 } as const;

/**
 * The statements of the hot path right after a flood, by statistics of the quiet before: how long a claim and a settlement of a
 * batch take while a million records are due, a claim's window while hundreds of thousands are blocked, and a claim of reads
 * while a million accounts wait.
 */
export const backlog: Measure = {
  name: 'backlog',
  partOf: 'named-run',
  async take(rig) {
    const filled = await Promise.all([
      fill(rig, [flood(`'FREE_' || n`, PENDING)]),
      fill(rig, [BLOCKED_HEADS, flood(`'BLOCKED'`, BLOCKED)]),
      fill(rig, [WAITING_RUNS]),
    ]);
    const [forFree, forBlocked, forReads] = filled;
    const free = await inSession(forFree, claimAndSettle);
    const blocked = await inSession(forBlocked, parkBlocked);
    const reads = await inSession(forReads, claimSubjects);
    for (const installation of filled) await rig.drop(installation);
    return {
      voids: [],
      figures: [
        latency(`claim and settle 500 of ${PENDING.toLocaleString('en-US')} due records`, free),
        latency(`a claim's statement among ${BLOCKED.toLocaleString('en-US')} blocked records`, blocked),
        latency(`claim 100 reads of ${WAITING.toLocaleString('en-US')} waiting accounts`, reads),
      ],
    };
  },
};

function latency(name: string, timesMs: readonly number[]): Figure {
  return { name, unit: 'ms', rounds: timesMs, target: { atMost: MOST_MS } };
}

/** Pending records, one for each row of `rows`. */
function records(rows: string): string {
  return `
with row as materialized (${rows}), made as (
  insert into amlyze_record (communication_number, kind, account_id, account_ext_id, balance_type, balance_at, value, payload)
  select number, 'balance', account_id, account_ext_id, type, at, 1, '{}' from row
  returning id, communication_number
)
insert into record_state (record_id, channel, account_id, balance_type, balance_at, next_attempt_at, attempts)
select made.id, 'balance', account_id, type, at, due, attempts from made join row on number = communication_number`;
}

/** `count` records that are due, evenly over all accounts; `type` names the series of the n-th one of an account. */
const flood = (type: string, count: number): string =>
  records(
    `select 'flood-' || a.id || '-' || n as number, a.id as account_id, a.account_ext_id, ${type} as type,
  now() + n * interval '1 second' as at, now() - interval '1 minute' + n * interval '1 second' as due, 0 as attempts
from account a, generate_series(1, ${count / ACCOUNTS}) n`,
  );

const BLOCKED_HEADS = records(
  `select 'head-' || id as number, id as account_id, account_ext_id, 'BLOCKED' as type, now() as at, now() + interval '1 hour' as due,
  1 as attempts from account`,
);

const WAITING_RUNS = `
with run as (
  insert into sync_run (trigger, scope) select 'resync', '{"all": true}' from generate_series(1, ${WAITING / ACCOUNTS}) returning id
)
insert into waiting_account (run_id, account_id, connection_id, subject_id)
select run.id, a.id, a.connection_id, a.subject_id from run, account a`;

/** A database that one bulk has filled, without an ANALYZE afterwards. */
async function fill(rig: BenchRig, statements: readonly string[]): Promise<Installation> {
  const installation = await registered(rig, ACCOUNTS);
  const client = await rig.session(installation);
  const tables = ['amlyze_record', 'record_state', 'waiting_account', 'access_subject'];
  for (const table of tables) await client.query(`alter table ${table} set (autovacuum_enabled = false)`);
  // Keys and triggers of the filling are not what is measured.
  await client.query('set session_replication_role = replica');
  for (const statement of statements) await client.query(statement);
  await client.end();
  return installation;
}

/** Works as the gateway's sessions do. */
async function inSession(
  { databaseUrl }: Installation,
  work: (database: Database) => Promise<number[]>,
): Promise<number[]> {
  const dataSource = await openDataSource({ url: databaseUrl, applicationName: 'bench' });
  try {
    return await work(databaseOf(dataSource));
  } finally {
    await dataSource.destroy();
  }
}

async function claimAndSettle(database: Database): Promise<number[]> {
  return timed(async () => {
    const batch = await claimDue(database, CLAIM);
    if (batch?.records.length !== CLAIM.limit) throw new Error('no full batch was claimed');
    await settleAccepted(database, batch);
  });
}

/** Each of the statements with which a claim puts blocked records off, window by window. */
async function parkBlocked(database: Database): Promise<number[]> {
  const timesMs: number[] = [];
  const watched: Queryable = {
    query: async <T>(...statement: Parameters<Queryable['query']>) => {
      const beganMs = performance.now();
      const rows = await database.query<T>(...statement);
      timesMs.push(performance.now() - beganMs);
      return rows;
    },
  };
  while (timesMs.length < CALLS) if (await claimDue(watched, CLAIM)) throw new Error('a blocked record was claimed');
  return timesMs;
}

async function claimSubjects(database: Database): Promise<number[]> {
  const rows = await database.query<{ id: string }>('select id::text from connection');
  const quotas = rows.map(({ id }) => ({
    connectionId: id,
    quota: 100,
    accessScope: 'account' as const,
    accessWindow: 'rolling-24h' as const,
    timeZone: undefined,
  }));
  return timed(async () => {
    const { subjects } = await claimReads(database, { quotas, replica: 'bench', leaseSeconds: 60 });
    if (subjects.length !== 100) throw new Error(`${subjects.length} of 100 reads were claimed`);
  });
}

async function timed(work: () => Promise<void>): Promise<number[]> {
  const timesMs: number[] = [];
  for (let n = 0; n < CALLS; n += 1) {
    const beganMs = performance.now();
    await work();
    timesMs.push(performance.now() - beganMs);
  }
  return timesMs;
}
