import type { Database } from '../../src/shared/database';
import { eventually } from './eventually';
import { Outside, TestGateway, type Json } from './gateway';
import { OutboxRows, type RecordState } from './outbox-rows';
import { createTestDatabase, type TestDatabase } from './postgres';

interface Left {
  reason?: string;
  inDoubt?: boolean;
}

/** A gateway whose delivery stands still until a test resumes it, so that what an operator's call did can be looked at. */
export class RecordsSetting {
  private running: { testDatabase: TestDatabase; outside: Outside; gateway: TestGateway; rows: OutboxRows } | undefined;
  private accountsMade = 0;

  /** Registers the hooks of the describe block that it is called in. */
  constructor() {
    beforeAll(async () => {
      const testDatabase = await createTestDatabase();
      const outside = await Outside.start();
      const gateway = await TestGateway.start(testDatabase, outside);
      this.running = { testDatabase, outside, gateway, rows: await OutboxRows.open(testDatabase.database) };
    }, 60_000);
    beforeEach(async () => {
      await this.database.query(
        `update amlyze_endpoint set pause = 'operator', pause_reason = 'test', paused_since = now(), paused_until = now() + interval '1 hour',
  generation = generation + 1 where endpoint = 'balances'`,
      );
    });
    afterAll(async () => {
      await this.running?.gateway.close();
      await this.running?.outside.close();
      await this.running?.testDatabase.drop();
    });
  }

  get database(): Database {
    return this.parts().testDatabase.database;
  }

  get outside(): Outside {
    return this.parts().outside;
  }

  get gateway(): TestGateway {
    return this.parts().gateway;
  }

  /** accountExtId of the account that was made last. */
  get accountExtId(): string {
    return `R${this.accountsMade}-1`;
  }

  /** An account of its own that AMLYZE knows; its id. */
  readonly account = async (): Promise<string> => {
    this.accountsMade += 1;
    await this.outside.amlyze.putAccounts([{ accountExtId: this.accountExtId }]);
    const [id] = await this.parts().rows.accounts(1, `R${this.accountsMade}-`);
    if (!id) throw new Error('no account');
    return id;
  };

  /** Puts a record of the account into the outbox; its number. */
  readonly put = async (accountId: string, more: Parameters<OutboxRows['enqueue']>[1] = {}): Promise<string> => {
    const [number] = await this.parts().rows.enqueue([accountId], more);
    if (!number) throw new Error('no record');
    return number;
  };

  /** A record as some delivery left it. */
  readonly settled = async (state: string, more: Left = {}): Promise<string> =>
    this.leave(await this.put(await this.account()), state, more);

  readonly leave = async (number: string, state: string, more: Left = {}): Promise<string> => {
    const { reason = 'SOMETHING', inDoubt = false } = more;
    const open = state === 'pending' || state === 'sending';
    await this.database.query(
      `update record_state set state = $2, reason = $3, in_doubt = $4, settled_at = case when $5 then null else now() end,
  next_attempt_at = case when $5 then now() end, attempt_id = case when $2 = 'sending' then 1 end
where record_id = (select id from amlyze_record where communication_number = $1)`,
      [number, state, open || state === 'accepted' ? null : reason, inDoubt, open],
    );
    return number;
  };

  readonly requeue = (number: string, body: object = {}): Promise<{ status: number; body: Json }> =>
    this.gateway.call('POST', `/admin/records/${number}/requeue`, body);

  readonly record = (number: string): Promise<RecordState> => this.parts().rows.one(number);

  readonly resume = (): Promise<Json> => this.gateway.ok('POST', '/admin/amlyze/resume');

  /** The record once delivery has settled it. */
  readonly over = (number: string): Promise<RecordState> =>
    eventually(`${number} is settled`, async () => {
      const found = await this.record(number);
      return found.state !== 'pending' && found.state !== 'sending' && found;
    });

  /** The audit trail of one record. */
  readonly audit = (number: string): Promise<Json[]> =>
    this.database.query(`select actor, action, reason, detail from audit_entry where target = $1 order by id`, [
      `record:${number}`,
    ]);

  private parts(): NonNullable<typeof this.running> {
    if (!this.running) throw new Error('no test is running');
    return this.running;
  }
}

/** One field of every item, as text. */
export function namesOf(list: Json, name: string): string[] {
  return (list as Json[]).map((item) => String(item[name]));
}
