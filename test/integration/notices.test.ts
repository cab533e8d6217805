import { openDataSource, noticesOf } from '../../src/database/data-source';
import { giveNotice, type Notices } from '../../src/shared/notices';
import { within } from '../../src/shared/within';
import { openScheduledRun } from '../../src/sync/runs';
import { registerAccount } from '../support/bank-accounts';
import { bankServers } from '../support/bank-server';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const LISTENING = `from pg_stat_activity where datname = current_database() and query like 'listen %'`;

describe('what replicas tell each other', () => {
  const startBank = bankServers();
  let test: TestDatabase;

  beforeEach(async () => {
    test = await createTestDatabase();
  }, 60_000);
  afterEach(() => test.drop());

  async function listening(): Promise<number> {
    const [row] = await test.database.query<{ sessions: number }>(`select count(*)::int as sessions ${LISTENING}`);
    return row?.sessions ?? 0;
  }

  describe('Notices', () => {
    let notices: Notices;
    let destroy: () => Promise<void>;
    let heard: number;

    beforeEach(async () => {
      const dataSource = await openDataSource({ url: test.url, applicationName: 'test' });
      destroy = () => dataSource.destroy();
      notices = noticesOf(dataSource);
      heard = 0;
      notices.on('reads-due', () => void (heard += 1));
      await notices.tend();
    });
    afterEach(async () => {
      await notices.close();
      await destroy();
    });

    const give = (): Promise<void> => test.database.transaction((tx) => giveNotice(tx, 'reads-due'));

    it('are heard with the commit, and never where it is rolled back', async () => {
      const undone = test.database.transaction(async (tx) => {
        await giveNotice(tx, 'reads-due');
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      await give();
      await eventually('the notice is heard', async () => heard > 0);
      expect(heard).toBe(1);
    });

    it('are heard on one session, which is opened again where it was lost', async () => {
      await notices.tend();
      expect(await listening()).toBe(1);
      await test.database.query(`select pg_terminate_backend(pid, 2000) ${LISTENING}`);
      await eventually('the session is back', async () => {
        await notices.tend();
        return (await listening()) === 1;
      });
      await give();
      await eventually('the notice is heard', async () => heard === 1);
    });

    it('end in time also where the server hangs and answers no goodbye', async () => {
      const [row] = await test.database.query<{ pid: number }>(`select pid ${LISTENING}`);
      if (!row) throw new Error('nobody listens');
      process.kill(row.pid, 'SIGSTOP');
      try {
        await expect(within(10_000, notices.close())).resolves.toBeUndefined();
      } finally {
        process.kill(row.pid, 'SIGCONT');
      }
    });

    it('end with their session, which no later poll opens again', async () => {
      await notices.close();
      await notices.tend();
      expect(await eventually('the session has ended', async () => (await listening()) === 0)).toBe(true);
    });
  });

  describe('replicas', () => {
    let outside: Outside;
    let replicas: TestGateway[];

    beforeEach(async () => {
      outside = await Outside.start();
      const settings = { POLL_INTERVAL_MS: '60000', SYNC_CONCURRENCY: '1' };
      replicas = [
        await TestGateway.start(test, outside, settings),
        await TestGateway.start(test, outside, settings),
        await TestGateway.start(test, outside, settings),
      ];
      await eventually('all replicas listen', async () => (await listening()) === replicas.length);
    }, 60_000);
    afterEach(async () => {
      await Promise.all(replicas.map((replica) => replica.close()));
      await outside.close();
    });

    it.each<[string, (gateway: TestGateway) => Promise<unknown>]>([
      ['a run is resynced', (gateway) => gateway.ok('POST', '/admin/resync', { all: true })],
      ['the run of a slot is opened', () => openScheduledRun(test.database, new Date(Date.now() + 60_000))],
    ])('read side by side as soon as %s', async (_, open) => {
      const answer = Promise.withResolvers<void>();
      const bank = await startBank(async () => {
        await answer.promise;
        return { status: 404 };
      });
      const [gateway] = replicas;
      if (!gateway) throw new Error('no replica');
      const { consentId } = await registerMypos(gateway, { mypos: bank }, { timeoutMs: 60_000 });
      for (let n = 0; n < 3 * replicas.length; n += 1) await registerAccount(gateway, consentId);
      await open(gateway);
      await eventually('every replica reads', async () => bank.requests.length === replicas.length);
      answer.resolve();
    });
  });
});
