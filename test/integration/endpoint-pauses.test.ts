import {
  askLeave,
  extendProbe,
  openEndpoint,
  recordFailure,
  recordSuccess,
  resumeAll,
  type EndpointState,
  type PauseKind,
} from '../../src/delivery/endpoint-state';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

const ENDPOINT = 'balances';
const LANE = { endpoint: ENDPOINT, configurationHash: () => 'hash' };
const LEASE_SECONDS = 30;

let testDatabase: TestDatabase;

beforeAll(async () => (testDatabase = await createTestDatabase()));
beforeEach(async () => {
  await testDatabase.database.query('delete from amlyze_endpoint');
  await openEndpoint(testDatabase.database, ENDPOINT);
});
afterAll(() => testDatabase.drop());

describe('the lease of a probe', () => {
  beforeEach(async () => {
    await pause('0');
    await testDatabase.database.query('update amlyze_endpoint set paused_until = now()');
  });

  const ask = () => askLeave(testDatabase.database, LANE, LEASE_SECONDS);
  const pause = (generation: string) =>
    recordFailure(
      testDatabase.database,
      ENDPOINT,
      { generation },
      { kind: 'backoff', reason: 'x', forMs: 1_000, failedIds: [] },
    );
  /** Moves the end of the probe's lease, as time does. */
  const pass = (seconds: number) =>
    testDatabase.database.query('update amlyze_endpoint set probe_until = probe_until - make_interval(secs => $1)', [
      seconds,
    ]);

  it('keeps others away, and is over one lease after the death of its prober', async () => {
    expect(await ask()).toMatchObject({ kind: 'probe' });
    await pass(LEASE_SECONDS - 5);
    expect(await ask()).toMatchObject({ kind: 'closed' });
    await pass(6);
    expect(await ask()).toMatchObject({ kind: 'probe' });
  });

  it('is renewed while its call is under way', async () => {
    const { state } = await ask();
    await pass(LEASE_SECONDS - 5);
    await extendProbe(testDatabase.database, ENDPOINT, state, LEASE_SECONDS);
    await pass(6);
    expect(await ask()).toMatchObject({ kind: 'closed' });
  });

  it('is renewed neither for who saw another pause nor for who saw none', async () => {
    const { state } = await ask();
    await pause(state.generation);
    await testDatabase.database.query('update amlyze_endpoint set paused_until = now()');
    expect(await ask()).toMatchObject({ kind: 'probe' });
    await pass(LEASE_SECONDS + 1);
    await extendProbe(testDatabase.database, ENDPOINT, state, LEASE_SECONDS);
    const open = { ...(await ask()).state, pause: undefined };
    await pass(LEASE_SECONDS + 1);
    await extendProbe(testDatabase.database, ENDPOINT, open, LEASE_SECONDS);
    expect(await ask()).toMatchObject({ kind: 'probe' });
  });
});

describe('a pause of the endpoint', () => {
  /** A call that saw the endpoint as it was at first fails. */
  const fail = (kind: PauseKind, forMs: number) =>
    recordFailure(testDatabase.database, ENDPOINT, { generation: '0' }, { kind, reason: kind, forMs, failedIds: [] });
  const now = async () =>
    (
      await testDatabase.database.query(
        `select pause, failures, round(extract(epoch from paused_until - now()))::int as seconds from amlyze_endpoint`,
      )
    )[0];

  it('is counted once for all calls that were under way together', async () => {
    expect(await fail('backoff', 1_000)).toBe(true);
    expect(await fail('backoff', 9_000)).toBe(false);
    expect(await now()).toEqual({ pause: 'backoff', failures: 1, seconds: 1 });
  });

  it('ends with the next success, which tells since when it was', async () => {
    const succeed = (generation: string) =>
      recordSuccess(testDatabase.database, ENDPOINT, { generation }, { sent: 1, configured: 500 });
    expect(await succeed('0')).toBeUndefined();
    await fail('rate-limit', 60_000);
    // A call from before the pause says nothing against what AMLYZE asked for.
    expect(await succeed('0')).toBeUndefined();
    expect(await succeed('1')).toBeInstanceOf(Date);
    expect(await now()).toEqual({ pause: null, failures: 0, seconds: null });
    expect(await succeed('2')).toBeUndefined();
  });

  it('that AMLYZE asks for takes the place of a back-off that began meanwhile, and not the other way round', async () => {
    await fail('backoff', 1_000);
    expect(await fail('rate-limit', 60_000)).toBe(true);
    expect(await now()).toEqual({ pause: 'rate-limit', failures: 1, seconds: 60 });
    expect(await fail('backoff', 1_000)).toBe(false);
    expect(await fail('rate-limit', 9_000)).toBe(false);
    expect(await now()).toEqual({ pause: 'rate-limit', failures: 1, seconds: 60 });
  });

  it('that AMLYZE asks for takes hold too where a failure and a success of other calls came meanwhile', async () => {
    await fail('backoff', 1_000);
    await recordSuccess(testDatabase.database, ENDPOINT, { generation: '0' }, { sent: 1, configured: 500 });
    expect(await fail('backoff', 1_000)).toBe(false);
    expect(await now()).toEqual({ pause: null, failures: 0, seconds: null });
    expect(await fail('rate-limit', 60_000)).toBe(true);
    expect(await now()).toEqual({ pause: 'rate-limit', failures: 0, seconds: 60 });
  });

  it('that AMLYZE asks for lasts as long as the longest that it asked calls under way together for', async () => {
    await fail('rate-limit', 1_000);
    expect(await fail('rate-limit', 600_000)).toBe(true);
    expect(await now()).toEqual({ pause: 'rate-limit', failures: 1, seconds: 600 });
    expect(await fail('rate-limit', 60_000)).toBe(false);
    expect(await now()).toEqual({ pause: 'rate-limit', failures: 1, seconds: 600 });
  });

  it('that lasts hardly longer for another call under way is no news', async () => {
    await fail('rate-limit', 60_000);
    expect(await fail('rate-limit', 60_500)).toBe(false);
    expect(await now()).toMatchObject({ pause: 'rate-limit', failures: 1 });
  });

  it('that is made longer is as it was for everything else: a call from before says nothing against it', async () => {
    await fail('rate-limit', 0);
    const { kind, state } = await askLeave(testDatabase.database, LANE, LEASE_SECONDS);
    expect(kind).toBe('probe');
    await fail('rate-limit', 600_000);
    await recordSuccess(testDatabase.database, ENDPOINT, state, { sent: 1, configured: 500 });
    expect(await now()).toEqual({ pause: 'rate-limit', failures: 1, seconds: 600 });
  });

  it('that a person ended begins anew only with what AMLYZE asks for', async () => {
    await fail('backoff', 1_000);
    await resumeAll(testDatabase.database);
    expect(await fail('backoff', 1_000)).toBe(false);
    expect(await fail('operator', 1_000)).toBe(false);
    expect(await now()).toEqual({ pause: null, failures: 0, seconds: null });
    expect(await fail('rate-limit', 60_000)).toBe(true);
    expect(await now()).toEqual({ pause: 'rate-limit', failures: 0, seconds: 60 });
  });

  it('that a person has to end is not shortened by what AMLYZE asks for', async () => {
    await fail('operator', 300_000);
    expect(await fail('rate-limit', 1_000)).toBe(false);
    expect(await now()).toEqual({ pause: 'operator', failures: 1, seconds: 300 });
  });
});

describe('replicas with different configurations', () => {
  const ask = (hash: string) =>
    askLeave(testDatabase.database, { endpoint: ENDPOINT, configurationHash: () => hash }, LEASE_SECONDS);
  const kinds = async (...hashes: string[]): Promise<string[]> => {
    const seen: string[] = [];
    for (const hash of hashes) seen.push((await ask(hash)).kind);
    return seen;
  };
  const refuse = (seen: EndpointState) =>
    recordFailure(testDatabase.database, ENDPOINT, seen, {
      kind: 'operator',
      reason: '401',
      forMs: 300_000,
      failedIds: [],
    });
  const accept = (seen: EndpointState) =>
    recordSuccess(testDatabase.database, ENDPOINT, seen, { sent: 1, configured: 500 });
  /** Moves all times of the endpoint, as time does. */
  const pass = (seconds: number) =>
    testDatabase.database.query(
      `update amlyze_endpoint set probe_until = probe_until - make_interval(secs => $1), paused_until = paused_until - make_interval(secs => $1)`,
      [seconds],
    );

  it('each try once what another was refused for, and then none before its time', async () => {
    await refuse((await ask('one')).state);
    expect(await kinds('one')).toEqual(['closed']);
    await refuse((await ask('two')).state);
    await refuse((await ask('three')).state);
    expect(await kinds('one', 'two', 'three')).toEqual(['closed', 'closed', 'closed']);
    await pass(301);
    expect(await kinds('two', 'one')).toEqual(['probe', 'closed']);
  });

  it('go on with the good one alone, and the refused one tries every 5 minutes', async () => {
    await refuse((await ask('bad')).state);
    const early = await ask('good');
    expect(early.kind).toBe('probe');
    await accept(early.state);
    expect(await kinds('good', 'bad', 'good')).toEqual(['open', 'closed', 'open']);
    await accept((await ask('good')).state);
    await pass(299);
    expect(await kinds('bad')).toEqual(['closed']);
    await pass(2);
    const again = await ask('bad');
    expect([again.kind, ...(await kinds('bad', 'good'))]).toEqual(['probe', 'closed', 'open']);
    await refuse(again.state);
    expect(await kinds('bad', 'good')).toEqual(['closed', 'probe']);
  });

  it('all go on once the refused one gets through', async () => {
    await refuse((await ask('bad')).state);
    await accept((await ask('good')).state);
    await pass(301);
    await accept((await ask('bad')).state);
    expect(await kinds('bad', 'bad', 'good')).toEqual(['open', 'open', 'open']);
  });

  it('all go on when a person resumes, also where only some are kept away', async () => {
    await refuse((await ask('bad')).state);
    await accept((await ask('good')).state);
    expect(await resumeAll(testDatabase.database)).toEqual([ENDPOINT]);
    expect(await kinds('bad', 'good')).toEqual(['open', 'open']);
    expect(await resumeAll(testDatabase.database)).toEqual([]);
  });

  it('are remembered, but not without a limit: the newest eight', async () => {
    const hashes = Array.from({ length: 12 }, (_, n) => String(n).padStart(64, '0'));
    for (const hash of hashes) await refuse((await ask(hash)).state);
    const [row] = await testDatabase.database.query<{ hashes: string }>(
      'select configuration_hash as hashes from amlyze_endpoint',
    );
    expect(row?.hashes.split(' ')).toEqual(hashes.slice(-8).map((hash) => `refused:${hash}`));
  });

  it('find in a row of an earlier build what was used, which says nothing of a refusal', async () => {
    await testDatabase.database.query(`update amlyze_endpoint set configuration_hash = 'one'`);
    expect(await kinds('one')).toEqual(['open']);
  });
});
