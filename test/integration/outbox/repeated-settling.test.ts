import { Pool } from 'pg';
import { Environment } from '../../../src/config/environment';
import { openEndpoint } from '../../../src/delivery/endpoint-state';
import { Settling } from '../../../src/delivery/settling';
import type { ClaimedBatch } from '../../../src/outbox/claim';
import { settleCalls, type SettledCall, type Settlement } from '../../../src/outbox/settle';
import { takeTurn } from '../../../src/outbox/turn';
import { Database, type Sql } from '../../../src/shared/database';
import { Metrics } from '../../../src/shared/metrics';
import { eventually } from '../../support/eventually';
import { giveState } from '../../support/give-state';
import { OutboxSetting } from '../../support/outbox-setting';

const ACCEPTED = { state: 'accepted', inDoubt: false, verdict: 'accepted' } as const;
const REJECTED = { state: 'rejected', reason: 'X', inDoubt: false, verdict: 'rejected', verdictReason: 'X' } as const;
const IN_DOUBT = { state: 'pending', inDoubt: true, verdict: 'in-doubt', verdictReason: 'unreadable' } as const;

/** Every statement of it is carried out; the answer of the first is lost on the way. */
class DatabaseOfALostAnswer extends Database {
  private lost = false;

  override async query<T = Record<string, unknown>>(sql: Sql, values?: readonly unknown[]): Promise<T[]> {
    const rows = await super.query<T>(sql, values);
    if (this.lost) return rows;
    this.lost = true;
    throw new Error('Connection terminated unexpectedly');
  }
}

describe('a settlement that is repeated because the answer of its commit was lost', () => {
  const outbox = new OutboxSetting();
  const { db, mustClaim } = outbox;

  const all = async (): Promise<unknown> => ({
    records: await db().query('select * from record_state order by record_id'),
    log: await outbox.rows.log(),
    attempts: await db().query('select * from delivery_attempt order by id'),
  });

  /** A call that was answered, record by record. */
  function answered({ attemptId, records }: ClaimedBatch, ...each: Omit<Settlement, 'record'>[]): SettledCall {
    const settlements = records.map((record, index): Settlement => ({ record, ...(each[index] ?? ACCEPTED) }));
    return { attemptId, settlements, end: { outcome: 'answered', httpStatus: 200, latencyMs: 5 } };
  }

  /** Two batches, of three records and of one. */
  async function twoCalls(): Promise<SettledCall[]> {
    await outbox.rows.enqueue(await outbox.rows.accounts(3));
    const first = answered(await mustClaim(), ACCEPTED, REJECTED, IN_DOUBT);
    await outbox.rows.enqueue(await outbox.rows.accounts(1, 'B'));
    return [first, answered(await mustClaim())];
  }

  test('adds nothing, also where what it gave back is under way again', async () => {
    const calls = await twoCalls();
    expect(await settleCalls(db(), calls)).toEqual(new Set());
    expect((await mustClaim()).records).toHaveLength(1);
    const before = await all();
    expect(await settleCalls(db(), calls)).toEqual(new Set());
    expect(await all()).toEqual(before);
  });

  test('adds nothing while the first is only just being committed', async () => {
    const calls = await twoCalls();
    const repeat = await db().transaction(async (tx) => {
      await settleCalls(tx, calls);
      const late = settleCalls(db(), calls);
      await eventually('the repeat waits', async () => {
        const waiting = await db().query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      return { late };
    });
    expect(await repeat.late).toEqual(new Set());
    expect((await outbox.rows.log()).map(({ verdict, late }) => [verdict, late])).toEqual([
      ['accepted', false],
      ['rejected', false],
      ['in-doubt', false],
      ['accepted', false],
    ]);
  });

  test('adds nothing where calls are settled in groups and the group is settled anew one by one', async () => {
    const calls = await twoCalls();
    const pool = new Pool({ connectionString: outbox.url });
    try {
      const settling = new Settling(new DatabaseOfALostAnswer(pool), new Metrics(), new Environment());
      expect(await Promise.all(calls.map(settling.writer.write))).toEqual([new Set(), new Set()]);
    } finally {
      await pool.end();
    }
    expect(await outbox.rows.log()).toHaveLength(4);
    expect(await outbox.rows.states()).toEqual({ accepted: 2, rejected: 1, pending: 1 });
  });

  test('adds nothing to a turn of a channel without batches', async () => {
    await openEndpoint(db(), 'operations');
    await db().query(
      `insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload)
select 'n-' || n, 'operation', 'operation-single', 'op-' || n, '{}' from generate_series(1, 2) n`,
    );
    await giveState(db());
    const whom = { channel: 'operation-single', endpoint: 'operations', replica: 'test', leaseSeconds: 30 } as const;
    const claim = { ...whom, limit: 2, generation: '0', probe: false, exceptIds: [], dueFrom: undefined };
    const { promised } = await takeTurn(db(), [], claim);
    expect(promised).toHaveLength(2);
    const calls = promised.map(({ record, attemptId }, index) =>
      answered({ attemptId, records: [record], group: undefined }, index === 0 ? ACCEPTED : IN_DOUBT),
    );
    await takeTurn(db(), calls, undefined);
    const before = await all();
    expect((await takeTurn(db(), calls, undefined)).late).toEqual(new Set());
    // What failed as a whole is settled again by the other statement.
    expect(await settleCalls(db(), calls)).toEqual(new Set());
    expect(await all()).toEqual(before);
  });
});
