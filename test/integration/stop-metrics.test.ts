import { ADMIN_KEY } from '../support/admin-app';
import { eventually } from '../support/eventually';
import { Outside, registerMypos, TestGateway, type Json } from '../support/gateway';
import { movableClock } from '../support/movable-clock';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const STOPS = /^gateway_(?:paused_connections|stopped_consents)\{.*$/gm;

describe('the metrics of what waits for a person', () => {
  let testDatabase: TestDatabase;
  let outside: Outside;
  let gateway: TestGateway;
  const goAhead = movableClock();
  /** For how long a count of the stops serves, and more. */
  const FRESH_MS = 5_001;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    outside = await Outside.start();
    gateway = await TestGateway.start(testDatabase, outside);
  });
  afterAll(async () => {
    await gateway.close();
    await outside.close();
    await testDatabase.drop();
  });

  const scrape = async (): Promise<string[]> => {
    const page = await fetch(`${gateway.url}/metrics`, { headers: { Authorization: `Bearer ${ADMIN_KEY}` } });
    return ((await page.text()).match(STOPS) ?? []).toSorted();
  };
  const NONE = [
    'gateway_paused_connections{paused_by="gateway"} 0',
    'gateway_paused_connections{paused_by="operator"} 0',
    'gateway_stopped_consents{outcome="CONSENT_REQUIRED"} 0',
    'gateway_stopped_consents{outcome="TOKEN_REJECTED"} 0',
  ];

  it('are there before anything is paused or stopped, count it when it is, and go back', async () => {
    const registered = [];
    for (let n = 0; n < 6; n += 1) registered.push(await registerMypos(gateway, outside));
    expect(await scrape()).toEqual(NONE);

    const { database } = testDatabase;
    const [one, two, three, four, five] = registered;
    for (const at of [one, two])
      await gateway.ok('PATCH', `/admin/connections/${at?.connectionId}`, { status: 'paused', reason: 'maintenance' });
    await database.query(
      `update connection set status = 'paused', paused_by = 'gateway', paused_at = now(), pause_reason = 'certificate' where id = $1`,
      [three?.connectionId],
    );
    const change = async (set: string, at: typeof one): Promise<void> => {
      await database.query(`update consent set ${set} where id = $1`, [at?.consentId]);
    };
    await change(`stopped_outcome = 'CONSENT_REQUIRED', stopped_at = now()`, one);
    await change(`status = 'revokedByPsu'`, two);
    await change(`valid_until = now() - interval '1 second'`, three);
    // Both stopped and past its end: its accounts get the outcome of the stop.
    await change(`stopped_outcome = 'TOKEN_REJECTED', stopped_at = now(), valid_until = now()`, four);
    await change(`valid_until = now() + interval '1 day'`, five);
    goAhead(FRESH_MS);
    await eventually('the stops are counted', async () => (await scrape())[0] !== NONE[0]);
    expect(await scrape()).toEqual([
      'gateway_paused_connections{paused_by="gateway"} 1',
      'gateway_paused_connections{paused_by="operator"} 2',
      'gateway_stopped_consents{outcome="CONSENT_REQUIRED"} 3',
      'gateway_stopped_consents{outcome="TOKEN_REJECTED"} 1',
    ]);
    const { connections } = await gateway.ok('GET', '/admin/status');
    const stopped = (connections as Json[]).map(({ stoppedConsents }) => Number(stoppedConsents));
    expect(stopped.reduce((sum, n) => sum + n, 0)).toBe(4);

    await database.query(
      `update connection set status = 'active', paused_by = null, paused_at = null, pause_reason = null`,
    );
    await database.query(
      `update consent set stopped_outcome = null, stopped_at = null, status = 'valid', valid_until = null`,
    );
    goAhead(FRESH_MS);
    await eventually('nothing is counted any more', async () => (await scrape()).join() === NONE.join());
  });
});
