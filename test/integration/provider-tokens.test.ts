import { randomBytes } from 'node:crypto';
import { CONNECTION_VERSION } from '../../src/providers/connection-version';
import { ProviderTokens } from '../../src/providers/provider-tokens';
import type { GrantedToken, TokenFailure } from '../../src/providers/provider-tokens';
import { SecretBox } from '../../src/shared/secret-box';
import type { Queryable, Sql } from '../../src/shared/database';
import { eventually } from '../support/eventually';
import { createTestDatabase } from '../support/postgres';
import type { TestDatabase } from '../support/postgres';

const KEYS = [{ id: 'k1', key: randomBytes(32) }];
const TIMES = { leaseSeconds: 1, pollIntervalMs: 10 };
const HOUR_MS = 3_600_000;

const FAILURE: TokenFailure = {
  kind: 'failed',
  outcome: 'BANK_UNAVAILABLE',
  reason: 'the token service is down',
  retry: 'in-run',
  stops: 'nothing',
  bytesMayHaveLeft: false,
  latencyMs: 1,
};

function granted(accessToken: string, expiresInMs = HOUR_MS): GrantedToken {
  return { kind: 'granted', accessToken, expiresInMs };
}

/** A promise to be kept by the test. */
function gate<T>(): { promise: Promise<T>; open(value: T): void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, open: resolve };
}

describe('ProviderTokens', () => {
  let test: TestDatabase;
  let connectionId: string;
  let holder: { id: string; version: string };

  beforeAll(async () => {
    test = await createTestDatabase();
  });

  afterAll(async () => {
    await test.drop();
  });

  beforeEach(async () => {
    const name = `osv ${randomBytes(4).toString('hex')}`;
    const [row] = await test.database.query<{ id: string; version: string }>(
      `insert into connection (name, provider, base_url) values ($1, 'onesingleview', 'https://bank.example')
       returning id, ${CONNECTION_VERSION} as version`,
      [name],
    );
    connectionId = row?.id ?? '';
    holder = { id: connectionId, version: row?.version ?? '' };
  });

  /** One replica; several share nothing but the database. */
  function replica(keys = KEYS, times = TIMES): ProviderTokens {
    return new ProviderTokens(test.database, new SecretBox(keys), times);
  }

  async function storedRow(): Promise<Record<string, unknown>> {
    const [row] = await test.database.query('select * from connection_token where connection_id = $1', [connectionId]);
    return row ?? {};
  }

  async function storedToken(): Promise<string | undefined> {
    const sealed = (await storedRow()).access_token;
    const context = `connection_token|access_token|${connectionId}`;
    return typeof sealed === 'string' ? new SecretBox(KEYS).open(sealed, context) : undefined;
  }

  /** What an operator's change of the credentials does to both rows. */
  async function change(): Promise<typeof holder> {
    const [row] = await test.database.query<typeof holder>(
      `update connection set updated_at = clock_timestamp() where id = $1 returning id, ${CONNECTION_VERSION} as version`,
      [connectionId],
    );
    await test.database.query(
      'update connection_token set access_token = null, expires_at = null, refreshing_until = null, epoch = epoch + 1 where connection_id = $1',
      [connectionId],
    );
    return row ?? holder;
  }

  async function expireToken(): Promise<void> {
    await test.database.query(
      `update connection_token set expires_at = now() - interval '1 second' where connection_id = $1`,
      [connectionId],
    );
  }

  it('asks once where three replicas with ten reads each need a token at the same time', async () => {
    let requests = 0;
    let looks = 0;
    const othersWait = gate<void>();
    const counting: Queryable = {
      query: (sql, values) => {
        // Nine statements: by then each of the two replicas without the lease has asked for it and looked again.
        if (++looks === 9) othersWait.open();
        return test.database.query(sql, values);
      },
    };
    const request = async (): Promise<GrantedToken> => {
      requests += 1;
      await othersWait.promise;
      return granted(`token-${requests}`);
    };
    const reads = [1, 2, 3]
      .map(() => new ProviderTokens(counting, new SecretBox(KEYS), TIMES))
      .flatMap((one) => Array.from({ length: 10 }, () => one.obtain(holder, request)));
    const tokens = await Promise.all(reads);
    expect(requests).toBe(1);
    expect(tokens).toHaveLength(30);
    expect(tokens).toEqual(tokens.map(() => ({ kind: 'token', accessToken: 'token-1' })));
  });

  it('stores the token sealed, for this row only, and before it hands it over', async () => {
    const obtained = await replica().obtain(holder, () => Promise.resolve(granted('plain-canary')));
    expect(obtained).toEqual({ kind: 'token', accessToken: 'plain-canary' });
    expect(JSON.stringify(await storedRow())).not.toContain('plain-canary');
    expect(await storedToken()).toBe('plain-canary');
  });

  it('asks again once the token is over', async () => {
    await replica().obtain(holder, () => Promise.resolve(granted('first')));
    await expireToken();
    const second = await replica().obtain(holder, () => Promise.resolve(granted('second')));
    expect(second).toMatchObject({ accessToken: 'second' });
  });

  it('takes the time of the call off the life of the token', async () => {
    await replica().obtain(holder, async () => {
      await test.database.query('select pg_sleep(0.05)');
      return granted('short', 10_000);
    });
    const [row] = await test.database.query<{ left_ms: number }>(
      `select (extract(epoch from expires_at - now()) * 1000)::double precision as left_ms
       from connection_token where connection_id = $1`,
      [connectionId],
    );
    expect(row?.left_ms).toBeLessThanOrEqual(9_951);
    expect(row?.left_ms).toBeGreaterThan(5_000);
  });

  it('gives the failure to all reads that waited for it, and leaves no lease behind', async () => {
    const one = replica();
    let requests = 0;
    const request = (): Promise<TokenFailure> => {
      requests += 1;
      return Promise.resolve(FAILURE);
    };
    const results = await Promise.all([one.obtain(holder, request), one.obtain(holder, request)]);
    expect(results).toEqual([FAILURE, FAILURE]);
    expect(requests).toBe(1);
    expect((await storedRow()).refreshing_until).toBeNull();
  });

  it('frees the lease where the request throws', async () => {
    const thrown = replica().obtain(holder, () => Promise.reject(new Error('a fault of ours')));
    await expect(thrown).rejects.toThrow('a fault of ours');
    expect((await storedRow()).refreshing_until).toBeNull();
    const next = await replica().obtain(holder, () => Promise.resolve(granted('after')));
    expect(next).toMatchObject({ accessToken: 'after' });
  });

  it('lets another replica take over after the lease of a crashed renewer', async () => {
    await test.database.query(
      `insert into connection_token (connection_id, refreshing_until, epoch) values ($1, now() + interval '300 ms', 7)`,
      [connectionId],
    );
    const startedAt = performance.now();
    const obtained = await replica().obtain(holder, () => Promise.resolve(granted('taken-over')));
    expect(obtained).toMatchObject({ accessToken: 'taken-over' });
    expect(performance.now() - startedAt).toBeGreaterThan(200);
    expect((await storedRow()).epoch).toBe('8');
  });

  it('keeps its lease while a call takes longer than the lease', async () => {
    const answer = gate<GrantedToken>();
    const asked = gate<void>();
    const slow = replica().obtain(holder, () => {
      asked.open();
      return answer.promise;
    });
    await asked.promise;
    let stolen = false;
    const steal = (): Promise<GrantedToken> => {
      stolen = true;
      return Promise.resolve(granted('stolen'));
    };
    // The other replica waits for two lease lengths and gives up.
    const other = await replica().obtain(holder, steal, 2_000);
    expect(other).toMatchObject({ kind: 'failed', outcome: 'BANK_UNAVAILABLE', bytesMayHaveLeft: false });
    answer.open(granted('slow'));
    expect(await slow).toMatchObject({ accessToken: 'slow' });
    expect(stolen).toBe(false);
  });

  it('does not store the late answer of a renewer that lost its lease, and uses the token of its successor', async () => {
    const late = gate<GrantedToken>();
    const paused = replica(KEYS, { leaseSeconds: 30, pollIntervalMs: 10 });
    const asked = gate<void>();
    const first = paused.obtain(holder, () => {
      asked.open();
      return late.promise;
    });
    await asked.promise;
    // What the others see of a replica that was stopped for longer than its lease.
    await test.database.query('update connection_token set refreshing_until = now() where connection_id = $1', [
      connectionId,
    ]);
    await replica().obtain(holder, () => Promise.resolve(granted('successor')));
    late.open(granted('late'));
    expect(await first).toEqual({ kind: 'token', accessToken: 'successor' });
    expect(await storedToken()).toBe('successor');
  });

  it('discards a refused token for all replicas, and only that one', async () => {
    const one = replica();
    await one.obtain(holder, () => Promise.resolve(granted('refused')));
    await one.discard(holder, 'refused');
    expect(await storedToken()).toBeUndefined();
    const renewed = await one.obtain(holder, () => Promise.resolve(granted('renewed')));
    expect(renewed).toMatchObject({ accessToken: 'renewed' });
    // Another read comes back late with the refusal of the old one.
    await replica().discard(holder, 'refused');
    expect(await storedToken()).toBe('renewed');
  });

  it('leaves a token alone that was renewed while the refused one was being discarded', async () => {
    await replica().obtain(holder, () => Promise.resolve(granted('refused')));
    let looked = false;
    const renewedMeanwhile: Queryable = {
      query: async <T>(sql: Sql, values?: readonly unknown[]) => {
        const rows = await test.database.query<T>(sql, values);
        if (looked) return rows;
        looked = true;
        await expireToken();
        await replica().obtain(holder, () => Promise.resolve(granted('renewed')));
        return rows;
      },
    };
    await new ProviderTokens(renewedMeanwhile, new SecretBox(KEYS), TIMES).discard(holder, 'refused');
    expect(await storedToken()).toBe('renewed');
  });

  it('gives reads of a changed connection an answer to their own credentials', async () => {
    const one = replica();
    const refusal = gate<TokenFailure>();
    const asked = gate<void>();
    const before = one.obtain(holder, () => {
      asked.open();
      return refusal.promise;
    });
    await asked.promise;
    const changed = await change();
    const after = await one.obtain(changed, () => Promise.resolve(granted('of the new secret')));
    expect(after).toEqual({ kind: 'token', accessToken: 'of the new secret' });
    refusal.open(FAILURE);
    expect(await before).toEqual(FAILURE);
  });

  it('does not hand a token that it has in memory to a connection that was changed since', async () => {
    const one = replica();
    await one.obtain(holder, () => Promise.resolve(granted('of the old host')));
    const changed = await change();
    const obtained = await one.obtain(changed, () => Promise.resolve(granted('of the new host')));
    expect(obtained).toMatchObject({ accessToken: 'of the new host' });
  });

  it('stores no token of credentials that were replaced while it was asked for, and asks for no second one', async () => {
    const late = gate<GrantedToken>();
    const asked = gate<void>();
    let requests = 0;
    const before = replica().obtain(holder, () => {
      requests += 1;
      asked.open();
      return late.promise;
    });
    await asked.promise;
    const changed = await change();
    late.open(granted('of the old host'));
    expect(await before).toMatchObject({ outcome: 'GATEWAY_ERROR', retry: 'in-run', bytesMayHaveLeft: false });
    expect(requests).toBe(1);
    const after = await replica().obtain(changed, () => Promise.resolve(granted('of the new host')));
    expect(after).toMatchObject({ accessToken: 'of the new host' });
  });

  it('neither asks for a token nor gets one where this replica does not know of a change yet', async () => {
    const changed = await change();
    const asked = jest.fn(() => Promise.resolve(granted('of the old host')));
    expect(await replica().obtain(holder, asked)).toMatchObject({ kind: 'failed', retry: 'in-run' });
    await replica().obtain(changed, () => Promise.resolve(granted('of the new host')));
    expect(await replica().obtain(holder, asked)).toMatchObject({ kind: 'failed', retry: 'in-run' });
    expect(asked).not.toHaveBeenCalled();
  });

  it('sees the discard of another replica within a second', async () => {
    const one = replica();
    await one.obtain(holder, () => Promise.resolve(granted('old')));
    await replica().discard(holder, 'old');
    const seen = async (): Promise<string | false> => {
      const obtained = await one.obtain(holder, () => Promise.resolve(granted('new')));
      return obtained.kind === 'token' && obtained.accessToken !== 'old' && obtained.accessToken;
    };
    expect(await eventually('the discard is seen', seen, 2_000)).toBe('new');
  });

  it('replaces a stored token that no configured key opens', async () => {
    await replica().obtain(holder, () => Promise.resolve(granted('sealed-with-k1')));
    const rotated = replica([{ id: 'k2', key: randomBytes(32) }]);
    const obtained = await rotated.obtain(holder, () => Promise.resolve(granted('sealed-with-k2')));
    expect(obtained).toMatchObject({ accessToken: 'sealed-with-k2' });
  });
});
