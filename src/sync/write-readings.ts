import type { RecordIdentity } from '../amlyze/installation';
import type { ReadingOutcome } from '../balances/outcome';
import type { Step } from '../balances/step';
import { enqueueBalances, findKeyStates, type AskedKey, type KeyState, type NewBalanceRecord } from '../outbox/enqueue';
import type { Database, Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';
import { at, insertReadings, type ReadingRow } from './insert-readings';
import { businessKey, planRecord, type RecordPlan } from './plan-records';
import { giveBackReads, pinTypes, setRepeat, stopAsAsked, type TypePin } from './settle-reads';
import { storable } from './storable';
import type { AccountReading, SubjectResult } from './subject-result';
import type { WaitingRun } from './waiting-accounts';

/** How many records a group made, and which readings it kept; for metrics and the delivery's doorbell. */
export interface WrittenGroup {
  records: number;
  readings: { connectionId: string; outcome: ReadingOutcome }[];
  /** Results that came too late: others hold the subject, or this very result is written already. */
  late: SubjectResult[];
  /** Results that stopped their consent, or paused their connection, until a person acts. */
  stopped: SubjectResult[];
}

/**
 * Ends the claims, which locks their subjects until the commit, and says which of them were lost before: nearly always none. A commit
 * whose answer was lost is tried again; the claim that it ended tells that it took place.
 */
const RELEASE = {
  name: 'sync-release-subjects',
  text: `
with claim as materialized (
  select * from unnest($1::bigint[], $2::bigint[], $3::boolean[]) as c(id, epoch, asked) order by id
), released as (
  update access_subject u set claimed_by = null, lease_until = null, last_read_at = case when c.asked then now() else u.last_read_at end
  from claim c where ${lookedUp('u.id', 'c.id')} and u.epoch = c.epoch and u.claimed_by is not null
  returning u.id, u.epoch
)
select id, epoch from claim where (id, epoch) not in (select id, epoch from released)`,
};

/** What a group of readings is written with. */
export interface Writing {
  identity: RecordIdentity;
  /** Steps as balance_reading keeps them. */
  stepsToJson: (steps: readonly Step[]) => string | null;
  /** Writes something else in the same transaction. */
  alsoKeep?: (tx: Queryable, results: readonly SubjectResult[]) => Promise<void>;
}

/**
 * Reading and record in one transaction: what the bank said, what became of it, the account's end in its runs and the end of the
 * claim are durable together or not at all, with what `alsoKeep` writes. A subject that was taken over meanwhile is left
 * to its new holder.
 */
export async function writeReadings(
  database: Database,
  results: readonly SubjectResult[],
  { identity, stepsToJson, alsoKeep }: Writing,
): Promise<WrittenGroup> {
  return database.transaction(async (tx) => {
    const late = await release(tx, results);
    const ours = late.length === 0 ? results : results.filter((result) => !late.includes(result));
    if (ours.length === 0) return { records: 0, readings: [], late, stopped: [] };

    const { rows: planned, records, pins } = await plan(tx, ours, identity);
    // Before anything of the account's is taken out of the queue: who changes an account locks it first, too.
    await pinTypes(tx, pins);
    const rows = await finishAccounts(tx, planned);
    const readingIds = await insertReadings(tx, rows, stepsToJson);
    await enqueueBalances(
      tx,
      records.map(({ row, record }) => ({ ...record, readingId: at(readingIds, row) })),
    );
    const stopped: SubjectResult[] = [];
    for (const result of ours) {
      if (result.repeatAfterMs !== undefined) await setRepeat(tx, result);
      if (result.stop && (await stopAsAsked(tx, result.subject, result.stop))) stopped.push(result);
    }
    await alsoKeep?.(tx, ours);
    const unspent = ours.flatMap(({ spent, subject }) => (spent ? [] : [subject]));
    await giveBackReads(tx, unspent);
    return {
      late,
      stopped,
      records: records.length,
      readings: rows.map((row) => ({
        connectionId: row.result.subject.state.connectionId,
        outcome: row.outcome,
      })),
    };
  });
}

/** Returns the results whose claim was lost; the claims of the others end with this transaction. */
async function release(tx: Queryable, results: readonly SubjectResult[]): Promise<SubjectResult[]> {
  const lost = await tx.query<{ id: string; epoch: string }>(RELEASE, [
    results.map((r) => r.subject.state.subjectId),
    results.map((r) => r.subject.state.epoch),
    // Where nothing can have reached the bank, the account is as old as before.
    results.map((r) => r.call !== undefined && r.spent),
  ]);
  if (lost.length === 0) return [];
  return results.filter(({ subject: { state } }) =>
    lost.some(({ id, epoch }) => id === state.subjectId && epoch === state.epoch),
  );
}

interface PlannedRecord {
  row: number;
  record: Omit<NewBalanceRecord, 'readingId'>;
}

interface GroupPlan {
  rows: ReadingRow[];
  records: PlannedRecord[];
  /** What the records are made of, where their series had no such pin yet. */
  pins: TypePin[];
}

async function plan(tx: Queryable, results: readonly SubjectResult[], identity: RecordIdentity): Promise<GroupPlan> {
  const states = (await findKeyStates(tx, results.flatMap(toAskedKeys), 'record')).values();
  const planned: GroupPlan = { rows: [], records: [], pins: [] };
  for (const result of results) {
    for (const reading of result.readings) {
      const row = planned.rows.length;
      const made = planBalances(result, reading, { states, identity });
      const leading = toRow(result, reading, made);
      planned.rows.push(leading, ...forOtherRuns(leading, reading.account.runs, row));
      made.forEach((each, index) => {
        if (each.kind !== 'new') return;
        const { record } = each;
        planned.records.push({ row, record });
        const code = record.balanceType;
        const { pinnedTypes } = reading.account;
        if (pinnedTypes[code] === undefined)
          planned.pins.push({
            accountId: record.accountId,
            code,
            providerType: at(reading.balances, index).providerType,
          });
      });
    }
  }
  return planned;
}

function toAskedKeys({ readings }: SubjectResult): AskedKey[] {
  return readings.flatMap(({ account, balances }) => {
    const { accountId, runs } = account;
    const [run] = runs;
    if (!run) return [];
    return balances.map((balance) => {
      const { balanceType, balanceAt } = balance;
      return { accountId, balanceType, balanceAt, key: businessKey(balance, run), account };
    });
  });
}

/** `states`: what is known of each key, in the order in which `toAskedKeys` asks. */
function planBalances(
  { settingsHash }: SubjectResult,
  { account, balances }: AccountReading,
  { states, identity }: { states: Iterator<KeyState, undefined>; identity: RecordIdentity },
): RecordPlan[] {
  const [run] = account.runs;
  if (!run) return [];
  return balances.map((balance) => {
    const { value: known } = states.next();
    if (known === undefined) throw new Error('a key state is missing');
    return planRecord({ account, balance, run, known, settingsHash, identity });
  });
}

function toRow(result: SubjectResult, reading: AccountReading, made: readonly RecordPlan[]): ReadingRow {
  const older = made.find((planned) => planned.kind === 'older');
  const numbers = made.map(numberOf);
  // Of several balances the row has room for one: the first under whose number AMLYZE has it.
  const shown = Math.max(
    0,
    numbers.findIndex((number) => number !== undefined),
  );
  const outcome = reading.outcome === 'READ' && older ? 'OLDER_THAN_SENT' : reading.outcome;
  return {
    result,
    accountId: reading.account.accountId,
    runId: reading.account.runs[0]?.runId,
    outcome,
    reason: storable(reading.reason) ?? (outcome === 'OLDER_THAN_SENT' ? older?.reason : undefined),
    nextReadAt: reading.nextReadAt,
    // A closed account got no read of its own, even where its number was read for another currency.
    own: reading.outcome === 'ACCOUNT_CLOSED' ? undefined : reading,
    balanceAt: reading.balances[shown],
    communicationNumber: numbers[shown],
    steps: [...reading.steps, ...made.flatMap((planned) => planned.steps)],
    first: undefined,
    final: result.repeatAfterMs === undefined,
  };
}

/** The number under which AMLYZE has, or gets, the balance. */
function numberOf(planned: RecordPlan): string | undefined {
  if (planned.kind === 'new') return planned.record.communicationNumber;
  return planned.kind === 'unchanged' ? planned.communicationNumber : undefined;
}

/**
 * An account that waits in several runs is read once; the other runs point to that reading, which is `index` among the rows. Where it brought
 * no balance, each of them says why.
 */
function forOtherRuns(leading: ReadingRow, runs: readonly WaitingRun[], index: number): ReadingRow[] {
  if (!leading.final) return [];
  const reason = `read once for several runs; run ${leading.runId ?? ''} has the reading`;
  return runs.slice(1).map(({ runId }) => ({
    ...leading,
    ...(leading.outcome === 'READ' && { outcome: 'ALREADY_READ', reason }),
    runId,
    own: undefined,
    balanceAt: undefined,
    communicationNumber: undefined,
    steps: [],
    first: index,
  }));
}

// `limit` lets the planner expect one row and look it up.
const FINISH = {
  name: 'sync-finish-accounts',
  text: `
with finished as materialized (
  select * from unnest($1::bigint[], $2::bigint[]) as f(run_id, account_id) order by run_id, account_id limit $3
), gone as (
  delete from waiting_account s using finished f where ${lookedUp('s.run_id', 'f.run_id')} and s.account_id = f.account_id
  returning s.run_id, s.account_id
)
select run_id, account_id from finished where (run_id, account_id) not in (select run_id, account_id from gone)`,
};

/**
 * The accounts whose part in a run ends with their readings wait no more. An account that was moved to another consent while its bank
 * was asked may have been read under that one as well: the reading that takes it out of the queue is the one that the run counts.
 */
async function finishAccounts(tx: Queryable, rows: readonly ReadingRow[]): Promise<readonly ReadingRow[]> {
  const finished = rows.filter((row) => row.final && row.runId !== undefined);
  if (finished.length === 0) return rows;
  const missing = await tx.query<{ run_id: string; account_id: string }>(FINISH, [
    finished.map(({ runId }) => runId),
    finished.map(({ accountId }) => accountId),
    finished.length,
  ]);
  if (missing.length === 0) return rows;
  // The run may be over, with its records counted, and is about to get another. One that is not over is locked all the same: it could end
  // and be counted before this commits.
  await tx.query('update sync_run set records = null where id = any($1::bigint[])', [
    missing.map(({ run_id: run }) => run),
  ]);
  const ended = new Set(missing.map(({ run_id: run, account_id: account }) => `${run} ${account}`));
  return rows.map((row) => (ended.has(`${row.runId} ${row.accountId}`) ? { ...row, final: false } : row));
}
