import { claimDue, type ClaimedBatch, type ClaimRequest } from '../../src/outbox/claim';
import type { LateAnswers, Settlement } from '../../src/outbox/settle';
import { settle } from './settle';
import type { Database } from '../../src/shared/database';
import { OutboxRows } from './outbox-rows';
import { createTestDatabase, type TestDatabase } from './postgres';

export const REQUEST: ClaimRequest = {
  channel: 'balance',
  endpoint: 'balances',
  replica: 'test',
  limit: 100,
  leaseSeconds: 30,
};

/** An outbox that is empty at the start of every test, and a claimer's and a settler's hands. */
export class OutboxSetting {
  private testDatabase: TestDatabase | undefined;
  private currentRows: OutboxRows | undefined;

  /** Registers the hooks of the describe block that it is called in. */
  constructor() {
    beforeAll(async () => {
      this.testDatabase = await createTestDatabase();
    });
    beforeEach(async () => {
      this.currentRows = await OutboxRows.clear(this.db());
    });
    afterAll(() => this.testDatabase?.drop());
  }

  get rows(): OutboxRows {
    if (!this.currentRows) throw new Error('no test is running');
    return this.currentRows;
  }

  readonly db = (): Database => {
    if (!this.testDatabase) throw new Error('no test is running');
    return this.testDatabase.database;
  };

  /** For a session beside the pool's. */
  get url(): string {
    if (!this.testDatabase) throw new Error('no test is running');
    return this.testDatabase.url;
  }

  readonly claim = (more: Partial<ClaimRequest> = {}): Promise<ClaimedBatch | undefined> =>
    claimDue(this.db(), { ...REQUEST, ...more });

  readonly mustClaim = async (more: Partial<ClaimRequest> = {}): Promise<ClaimedBatch> => {
    const batch = await this.claim(more);
    if (!batch) throw new Error('nothing was claimed');
    return batch;
  };

  /** Accepts every record of the batch, unless told otherwise. */
  readonly settleAll = (batch: ClaimedBatch, more: Partial<Settlement> = {}): Promise<LateAnswers> =>
    settle(
      this.db(),
      batch.attemptId,
      batch.records.map((record) => ({ record, state: 'accepted', inDoubt: false, verdict: 'accepted', ...more })),
      { outcome: 'answered', httpStatus: 200, latencyMs: 5 },
    );
}

export function numbersOf(batch: ClaimedBatch | undefined): string[] {
  return (batch?.records ?? []).map(({ communicationNumber }) => communicationNumber).sort();
}
