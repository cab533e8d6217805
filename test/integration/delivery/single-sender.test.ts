import { randomBytes } from 'node:crypto';
import { AmlyzeClient } from '../../../src/amlyze/amlyze.client';
import type { Environment } from '../../../src/config/environment';
import { loadEnvironment } from '../../../src/config/load-environment';
import { openEndpoint } from '../../../src/delivery/endpoint-state';
import { Settling } from '../../../src/delivery/settling';
import { SingleSender } from '../../../src/delivery/single-sender';
import { CardVault } from '../../../src/operations/card-vault';
import { takeBackExpired } from '../../../src/outbox/settle';
import { OperationSingleLane } from '../../../src/operations/operation-lanes';
import { HttpClient } from '../../../src/shared/http-client';
import { Metrics } from '../../../src/shared/metrics';
import { ADMIN_KEY } from '../../support/admin-app';
import { eventually } from '../../support/eventually';
import { HeldAmlyze } from '../../support/held-amlyze';
import { sharedDatabase, type TestDatabase } from '../../support/postgres';
import { giveState } from '../../support/give-state';

const CONCURRENCY = 2;
const MOST_HELD = 4 * CONCURRENCY;
/** Claimed beside the calls under way. */
const UNSENT = MOST_HELD - CONCURRENCY;
const LEASE_SECONDS = 30;

describe('records that go out one by one', () => {
  let testDatabase: TestDatabase;
  let amlyze: HeldAmlyze;
  let http: HttpClient;
  let settling: Settling;
  let sender: SingleSender;

  const shared = sharedDatabase();

  beforeEach(async () => {
    testDatabase = shared();
    await testDatabase.database.query(
      'alter table delivery_result drop constraint if exists refuse_returned, drop constraint if exists refuse_one',
    );
    amlyze = new HeldAmlyze();
    const environment = environmentFor(await amlyze.listen());
    const { database } = testDatabase;
    http = new HttpClient({ allowPrivateAddresses: true });
    const lane = new OperationSingleLane(new AmlyzeClient(http, environment), new CardVault(environment), environment);
    settling = new Settling(database, new Metrics(), environment);
    sender = new SingleSender({ lane, database, environment, settling, replica: 'test' });
    await openEndpoint(database, lane.endpoint);
  });

  afterEach(async () => {
    for (const { response } of amlyze.waiting.splice(0)) response.destroy();
    await sender.stop(5_000);
    await http.close();
    await amlyze.close();
  });

  function environmentFor(url: string): Environment {
    return loadEnvironment({
      DATABASE_URL: testDatabase.url,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      AMLYZE_BASE_URL: url,
      AMLYZE_TOKEN: 'token-of-the-test',
      AMLYZE_CONCURRENCY: String(CONCURRENCY),
      ALLOW_PRIVATE_ADDRESSES: 'true',
      LEASE_SECONDS: String(LEASE_SECONDS),
      POLL_INTERVAL_MS: '50',
    });
  }

  /** Operations `op-1` and so on, due in that order. */
  async function enqueue(count: number): Promise<void> {
    await testDatabase.database.query(
      `insert into amlyze_record (communication_number, kind, channel, operation_ext_id, payload)
select 'n-' || n, 'operation', 'operation-single', 'op-' || n, '{"communicationNumber":"n-' || n || '","operationExtId":"op-' || n || '"}'
from generate_series(1, $1::int) n`,
      [count],
    );
    await giveState(testDatabase.database, {
      next_attempt_at: `now() - make_interval(secs => ${count} - substr(r.operation_ext_id, 4)::int)`,
    });
  }

  async function count(condition: string): Promise<number> {
    const [row] = await testDatabase.database.query<{ n: number }>(
      `select count(*)::int as n from record_with_state r where ${condition}`,
    );
    return row?.n ?? -1;
  }

  /** Waits until there is a pause, and lets its time be over. */
  async function endPauseTime(before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await eventually('the endpoint is paused', async () => {
      const rows = await testDatabase.database.query('select from amlyze_endpoint where pause is not null');
      return rows.length > 0;
    });
    await before();
    await testDatabase.database.query('update amlyze_endpoint set paused_until = now()');
    sender.wake();
  }

  const settled = (many: number): Promise<unknown> =>
    eventually(`${many} records are settled`, async () => (await count(`state = 'accepted'`)) === many);
  const UNFINISHED = `exists (select from delivery_attempt a where a.id = r.attempt_id and a.finished_at is null)`;

  test('are claimed at most four times ahead, and in doubt only with a committed attempt', async () => {
    await enqueue(40);
    sender.start();
    for (let done = 0; done < 40; done += 1) {
      await amlyze.arrived(Math.min(CONCURRENCY, 40 - done));
      expect(await count(`state = 'sending'`)).toBeLessThanOrEqual(MOST_HELD);
      expect(await count(`(state = 'sending') <> in_doubt`)).toBe(0);
      expect(await count(`state = 'sending' and not ${UNFINISHED}`)).toBe(0);
      expect(await count(`state = 'sending'`)).toBeGreaterThanOrEqual(amlyze.waiting.length);
      amlyze.answer();
    }
    await settled(40);
    expect(amlyze.mostAtOnce).toBe(CONCURRENCY);
    expect(amlyze.received).toBe(40);
    const [log] = await testDatabase.database.query(
      `select count(*)::int as results, count(distinct record_id)::int as records,
  (select count(*)::int from delivery_attempt where finished_at is not null and outcome = 'answered' and http_status = 200) as attempts
from delivery_result where verdict = 'accepted' and not late`,
    );
    expect(log).toEqual({ results: 40, records: 40, attempts: 40 });
  });

  test('are sent too where they came to be due earlier than what is claimed already', async () => {
    await enqueue(30);
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    await testDatabase.database.query(
      `update record_state set next_attempt_at = now() - interval '1 h'
where record_id in (select id from amlyze_record where operation_ext_id in ('op-20', 'op-25'))`,
    );
    for (let done = 0; done < 30; done += 1) {
      await amlyze.arrived(1);
      amlyze.answer();
    }
    await settled(30);
  });

  test('fill the room ahead before the first answer', async () => {
    await enqueue(40);
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    expect(await count(`state = 'sending'`)).toBe(MOST_HELD);
  });

  test('share a commit: 200 of them take no more than one turn for two', async () => {
    await enqueue(200);
    const answering = setInterval(() => {
      while (amlyze.waiting.length > 0) amlyze.answer();
    }, 1);
    try {
      sender.start();
      await settled(200);
    } finally {
      clearInterval(answering);
    }
    const [commits] = await testDatabase.database.query<{ turns: number }>(
      'select count(distinct xmin::text)::int as turns from delivery_result',
    );
    expect(commits?.turns).toBeLessThanOrEqual(100);
  });

  test('are not sent any more when an answer pauses the endpoint, and what was not sent is in no doubt', async () => {
    await enqueue(20);
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    amlyze.answer({ error: 'unavailable' }, 503);
    await eventually('what was not sent is given back', async () => (await count(`state = 'sending'`)) === 1);
    expect(await count(`in_doubt and state = 'pending'`)).toBe(1);
    expect(amlyze.received).toBe(CONCURRENCY);
    const [log] = await testDatabase.database.query(
      `select count(*) filter (where verdict = 'in-doubt')::int as doubted,
  count(*) filter (where verdict = 'not-sent' and reason = 'endpoint-paused')::int as unsent from delivery_result`,
    );
    expect(log).toEqual({ doubted: 1, unsent: UNSENT });
  });

  test('are brought back by their leases where they cannot be given back', async () => {
    await enqueue(20);
    await testDatabase.database.query(
      `alter table delivery_result add constraint refuse_returned check (reason <> 'endpoint-paused')`,
    );
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    for (let done = 0; done < CONCURRENCY; done += 1) amlyze.answer({ error: 'unavailable' }, 503);
    await eventually('what was sent is given back', async () => (await count(`state = 'sending'`)) === UNSENT);
    // Their time is over when no one renews it.
    await testDatabase.database.query(
      `update delivery_attempt set lease_until = now() - interval '1 s' where finished_at is null`,
    );
    let taken = 0;
    await eventually('the leases bring them back', async () => {
      taken += (await takeBackExpired(testDatabase.database)).records;
      return taken === UNSENT;
    });
    await endPauseTime();
    for (let done = 0; done < 20; done += 1) {
      await amlyze.arrived(1);
      amlyze.answer();
    }
    await settled(20);
  });

  test('begin again with one probe alone, of a record that was not in the call that failed', async () => {
    await enqueue(20);
    sender.start();
    let failed: string | undefined;
    await amlyze.arrived(CONCURRENCY);
    amlyze.answer({ error: 'unavailable' }, 503);
    amlyze.answer({ error: 'unavailable' }, 503);
    await eventually('nothing is under way', async () => (await count(`state = 'sending'`)) === 0);
    await endPauseTime(async () => {
      const rows = await testDatabase.database.query<{ name: string }>(
        `with early as (update record_state set next_attempt_at = now() - interval '1 h'
  where record_id = any(array(select unnest(last_failed_ids) from amlyze_endpoint)) returning record_id)
select operation_ext_id as name from amlyze_record join early on record_id = id`,
      );
      failed = rows[0]?.name;
    });
    await amlyze.arrived(1);
    expect(await count(`state = 'sending'`)).toBe(1);
    expect(amlyze.received).toBe(CONCURRENCY + 1);
    expect(failed).toBeDefined();
    expect(amlyze.waiting[0]?.name).not.toBe(failed);
    amlyze.answer();
    await amlyze.arrived(CONCURRENCY);
    expect(await count(`state = 'sending'`)).toBe(MOST_HELD);
  });

  test('are probed with the record that failed where there is no other', async () => {
    await enqueue(1);
    sender.start();
    await amlyze.arrived(1);
    amlyze.answer({ error: 'unavailable' }, 503);
    await eventually('nothing is under way', async () => (await count(`state = 'sending'`)) === 0);
    await endPauseTime();
    await amlyze.arrived(1);
    amlyze.answer();
    await settled(1);
  });

  test('are given back, not sent, when another replica has paused the endpoint', async () => {
    await enqueue(20);
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    await testDatabase.database.query(
      `update amlyze_endpoint set pause = 'operator', pause_reason = 'x', paused_since = now(), paused_until = now() + interval '1 h',
  generation = generation + 1`,
    );
    // With these answers it looks at the endpoint again. The calls after them are under way by then.
    for (let done = 0; done < CONCURRENCY; done += 1) amlyze.answer();
    await settled(CONCURRENCY);
    await amlyze.arrived(CONCURRENCY);
    await eventually('the rest is given back', async () => (await count(`state = 'sending'`)) === CONCURRENCY);
    const [log] = await testDatabase.database.query(
      `select count(*)::int as unsent from delivery_result where verdict = 'not-sent' and reason = 'endpoint-paused'`,
    );
    expect(log).toEqual({ unsent: MOST_HELD - 2 * CONCURRENCY });
    for (let done = 0; done < CONCURRENCY; done += 1) amlyze.answer();
    await settled(2 * CONCURRENCY);
    expect(await count(`state = 'sending' or in_doubt`)).toBe(0);
    expect(amlyze.received).toBe(2 * CONCURRENCY);
    await testDatabase.database.query(
      `update amlyze_endpoint set pause = null, pause_reason = null, paused_since = null, paused_until = null, generation = generation + 1`,
    );
    sender.wake();
    await amlyze.arrived(CONCURRENCY);
  });

  test('are given back too where the time of such a pause is over by then, and one probe begins again', async () => {
    await enqueue(20);
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    await testDatabase.database.query(
      `update amlyze_endpoint set pause = 'rate-limit', pause_reason = 'x', paused_since = now(), paused_until = now(), generation = generation + 1`,
    );
    for (let done = 0; done < CONCURRENCY; done += 1) amlyze.answer();
    await settled(CONCURRENCY);
    await amlyze.arrived(CONCURRENCY);
    await eventually('the rest is given back', async () => (await count(`state = 'sending'`)) === CONCURRENCY);
    for (let done = 0; done < CONCURRENCY; done += 1) amlyze.answer();
    await settled(2 * CONCURRENCY);
    await amlyze.arrived(1);
    expect(await count(`state = 'sending'`)).toBe(1);
    expect(amlyze.received).toBe(2 * CONCURRENCY + 1);
    amlyze.answer();
    await amlyze.arrived(CONCURRENCY);
    expect(await count(`state = 'sending'`)).toBe(MOST_HELD);
  });

  test('are given back by a stop: what was sent in doubt, what was not in none', async () => {
    await enqueue(20);
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    await sender.stop(50);
    expect(await count(`state = 'sending'`)).toBe(0);
    expect(await count(`in_doubt`)).toBe(CONCURRENCY);
    expect(amlyze.received).toBe(CONCURRENCY);
    const open = await testDatabase.database.query('select from delivery_attempt where finished_at is null');
    expect(open).toHaveLength(0);
  });

  test('settle as long as a stop waits for their answers', async () => {
    await enqueue(CONCURRENCY);
    sender.start();
    await amlyze.arrived(CONCURRENCY);
    const stopped = sender.stop(10_000);
    for (let done = 0; done < CONCURRENCY; done += 1) amlyze.answer();
    await stopped;
    expect(await count(`state = 'accepted'`)).toBe(CONCURRENCY);
  });

  test('fail alone where one answer cannot be written', async () => {
    await testDatabase.database.query(
      `alter table delivery_result add constraint refuse_one check (error_description <> 'unwritable')`,
    );
    await enqueue(6);
    sender.start();
    for (let done = 0; done < 6; done += 1) {
      await amlyze.arrived(1);
      if (amlyze.waiting[0]?.name === 'op-2') {
        amlyze.answer({ resultType: 'REQUEST_REJECTED', errorCode: 'O006', errorDescription: 'unwritable' }, 400);
      } else amlyze.answer();
    }
    await settled(5);
    expect(await count(`state = 'sending' and operation_ext_id = 'op-2' and in_doubt`)).toBe(1);
  });

  test('log an answer as late, and change nothing, where the claim was taken over', async () => {
    await enqueue(1);
    sender.start();
    await amlyze.arrived(1);
    await testDatabase.database.query('update record_state set attempt_id = attempt_id + 1000');
    amlyze.answer();
    await eventually('the answer is logged', async () => {
      const rows = await testDatabase.database.query('select from delivery_result where late');
      return rows.length === 1;
    });
    expect(await count(`state = 'sending' and in_doubt`)).toBe(1);
  });
});
