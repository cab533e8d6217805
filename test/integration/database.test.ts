import { Client } from 'pg';
import { databaseOf, openDataSource, RUNTIME_LIMITS } from '../../src/database/data-source';
import { classifyDatabaseFailure, isDatabaseUnavailable } from '../../src/shared/database-failure';
import type { Queryable } from '../../src/shared/database';
import { agedMegabytes, liveMegabytes } from '../support/live-memory';
import { eventually } from '../support/eventually';
import { createTestDatabase, serverUrl, type TestDatabase } from '../support/postgres';

describe('Database', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await createTestDatabase();
    await test.database.query('create table item (id int primary key, name text)');
  });
  afterAll(() => test.drop());
  beforeEach(() => test.database.query('truncate item'));

  const sessions = async (): Promise<string[]> => {
    const rows = await test.database.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() order by pid`,
    );
    return rows.map(({ pid }) => String(pid));
  };
  const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('reads bigint, numeric and date as strings, timestamptz as Date and jsonb parsed', async () => {
    const [row] = await test.database.query(
      `select 9007199254740993::bigint as id, 0.10000000000000000001::numeric as value, date '2026-03-29' as day,
              timestamptz '2026-03-29 00:30:00Z' as at, '{"a":[1]}'::jsonb as detail, array[1.10, 2]::numeric[] as list,
              array[9007199254740993]::bigint[] as ids`,
    );
    expect(row).toEqual({
      id: '9007199254740993',
      value: '0.10000000000000000001',
      day: '2026-03-29',
      at: new Date('2026-03-29T00:30:00Z'),
      detail: { a: [1] },
      list: ['1.10', '2'],
      ids: ['9007199254740993'],
    });
  });

  it('sends lists whose texts come back as they were', async () => {
    const texts = [
      'a',
      '',
      'null',
      'NULL',
      'Null',
      '-1.50',
      '+1e5',
      '2026-11-28T03:00:00.000Z',
      '{x}',
      'a,b',
      ' a ',
      '"',
      '\\',
      'ü',
      null,
    ];
    const [row] = await test.database.query('select $1::text[] as texts, $2::bigint[] as ids', [texts, ['1', null]]);
    expect(row).toEqual({ texts, ids: ['1', null] });
  });

  it('puts an end to every wait of a session on the server, and leaves durability alone', async () => {
    const rows = await test.database.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings where source = 'client' or name = 'synchronous_commit' order by name`,
    );
    const settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
    expect(settings).toMatchObject({
      application_name: 'test',
      client_connection_check_interval: '1000',
      idle_in_transaction_session_timeout: '10000',
      lock_timeout: '5000',
      statement_timeout: '15000',
      synchronous_commit: 'on',
    });
    expect(RUNTIME_LIMITS.queryTimeoutMs).toBeGreaterThan(RUNTIME_LIMITS.statementTimeoutMs);
  });

  it('prepares a named statement once per session', async () => {
    const sql = { name: 'item-by-id', text: 'select name from item where id = $1' };
    await test.database.transaction(async (tx) => {
      for (const id of [1, 2, 3]) await tx.query(sql, [id]);
      const prepared = await tx.query(`select name, generic_plans + custom_plans as runs from pg_prepared_statements`);
      expect(prepared).toEqual([{ name: 'item-by-id', runs: '3' }]);
    });
  });

  it('commits what a transaction did, and returns its result', async () => {
    const result = await test.database.transaction(async (tx) => {
      await tx.query('insert into item values ($1, $2)', [1, 'a']);
      return 'done';
    });
    expect(result).toBe('done');
    expect(await test.database.query('select * from item')).toEqual([{ id: 1, name: 'a' }]);
  });

  it('rolls a failed transaction back, passes its error on and keeps the session', async () => {
    const before = await sessions();
    const problem = new Error('of the work');
    const failed = test.database.transaction(async (tx) => {
      await tx.query('insert into item values (1)');
      throw problem;
    });
    await expect(failed).rejects.toBe(problem);
    expect(await test.database.query('select * from item')).toEqual([]);
    expect(await sessions()).toEqual(before);
  });

  it('refuses a query of a transaction that has ended, and passes the first error on where the rollback fails too', async () => {
    let leaked: Queryable | undefined;
    await test.database.transaction((tx) => Promise.resolve((leaked = tx)));
    await expect(leaked?.query('insert into item values (1)')).rejects.toThrow('the transaction has ended');

    const problem = new Error('of the work');
    const failed = test.database.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      await terminate(String(row?.pid));
      throw problem;
    });
    await expect(failed).rejects.toBe(problem);
    expect(await test.database.query('select * from item')).toEqual([]);
  });

  it('keeps the session after a broken constraint', async () => {
    await test.database.query('insert into item values (1)');
    const before = await sessions();
    const error = await failureOf(test.database.query('insert into item values (1)'));
    expect(error).toMatchObject({ code: '23505', constraint: 'item_pkey' });
    expect(classifyDatabaseFailure(error)).toBe('other');
    expect(await sessions()).toEqual(before);
  });

  it('drops a session that was lost in a transaction and works on with another', async () => {
    const error = await failureOf(
      test.database.transaction(async (tx) => {
        await tx.query('insert into item values (1)');
        const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
        await terminate(String(row?.pid));
        await tx.query('select 1');
      }),
    );
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(await test.database.query('select * from item')).toEqual([]);
  });

  it('survives the loss of all its idle sessions', async () => {
    await Promise.all([1, 2, 3].map(() => test.database.query('select pg_sleep(0.05)')));
    await terminate(...(await sessions()));
    const rows = await eventually(
      'a session answers',
      () => test.database.query('select 1 as one').catch(() => undefined),
      5_000,
    );
    expect(rows).toEqual([{ one: 1 }]);
  });

  it('says that a statement or a lock took too long, and that a deadlock may be repeated', async () => {
    const slow = test.database.transaction(async (tx) => {
      await tx.query(`set local statement_timeout = '30ms'`);
      await tx.query('select pg_sleep(5)');
    });
    expect(classifyDatabaseFailure(await failureOf(slow))).toBe('timeout');

    await test.database.query('insert into item values (1), (2)');
    // Neither goes on to the other's row before both hold their own.
    let holding = 0;
    let bothHold = (): void => undefined;
    const together = new Promise<void>((resolve) => (bothHold = resolve));
    const crossing = [
      [1, 2],
      [2, 1],
    ].map((ids) =>
      failureOf(
        test.database.transaction(async (tx) => {
          for (const id of ids) {
            await tx.query('update item set name = $2 where id = $1', [id, 'x']);
            holding += 1;
            if (holding === 2) bothHold();
            await together;
          }
        }),
      ),
    );
    const errors = (await Promise.all(crossing)).filter((error) => error !== undefined);
    expect(errors.map(classifyDatabaseFailure)).toEqual(['conflict']);

    const blocked = test.database.transaction(async (tx) => {
      await tx.query('update item set name = $1', ['y']);
      await test.database.transaction(async (other) => {
        await other.query(`set local lock_timeout = '30ms'`);
        await other.query('update item set name = $1', ['z']);
      });
    });
    expect(classifyDatabaseFailure(await failureOf(blocked))).toBe('timeout');
  });

  it('gives up a server that hangs, without keeping the session for the next caller', async () => {
    const limits = { ...RUNTIME_LIMITS, poolSize: 1, queryTimeoutMs: 100 };
    const dataSource = await openDataSource({ url: test.url, applicationName: 'hanging', limits });
    const database = databaseOf(dataSource);
    try {
      const error = await failureOf(database.query('select pg_sleep(2)'));
      expect(error).toMatchObject({ message: 'Query read timeout' });
      expect(classifyDatabaseFailure(error)).toBe('timeout');
      const inTransaction = await failureOf(database.transaction((tx) => tx.query('select pg_sleep(2)')));
      expect(classifyDatabaseFailure(inTransaction)).toBe('timeout');
      // The pool has one session: a kept one would still be busy.
      expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      await dataSource.destroy();
    }
  });

  it('says that a pool without a free session, a closed port and an absent database are unavailable', async () => {
    const limits = { ...RUNTIME_LIMITS, poolSize: 1, connectTimeoutMs: 150 };
    const dataSource = await openDataSource({ url: test.url, applicationName: 'small', limits });
    const database = databaseOf(dataSource);
    const busy = database.query('select pg_sleep(0.5)');
    expect(classifyDatabaseFailure(await failureOf(database.query('select 1')))).toBe('unavailable');
    await busy;
    await dataSource.destroy();
    expect(classifyDatabaseFailure(await failureOf(database.query('select 1')))).toBe('unavailable');

    const closed = new URL(test.url);
    closed.port = '1';
    const absent = new URL(test.url);
    absent.pathname = '/nowhere';
    for (const url of [closed, absent]) {
      const error = await failureOf(openDataSource({ url: url.toString(), applicationName: 'test' }));
      expect(classifyDatabaseFailure(error)).toBe('unavailable');
    }
  });

  it('lets go of the texts and rows of a query when it is answered', async () => {
    const ask = async (n: number): Promise<void> => {
      const rows = await test.database.query<{ back: string }>('select $1::text as back', [String(n).padEnd(100_000)]);
      expect(rows[0]?.back).toHaveLength(100_000);
    };
    await ask(0);
    // What else grows in this process is in it, too, but not each time. Where the driver keeps them it is 35 MB and more.
    const growths: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      liveMegabytes();
      const before = agedMegabytes();
      for (let n = 1; n <= 400; n += 1) await ask(n);
      growths.push(agedMegabytes() - before);
    }
    expect(Math.min(...growths)).toBeLessThan(20);
  });

  it('leaves the list of parameters to the caller as it was', async () => {
    const values = ['a', ['b', 'c']];
    await test.database.query('select $1::text, $2::text[]', values);
    expect(values).toEqual(['a', ['b', 'c']]);
  });

  it('shares one pool with the repositories of TypeORM', async () => {
    expect(await test.dataSource.query('select 1 as one')).toEqual([{ one: 1 }]);
    const before = (await sessions()).length;
    for (let i = 0; i < 5; i++) await test.dataSource.query('select 1');
    expect((await sessions()).length).toBe(before);
  });
});

/** From a session beside the pool. */
async function terminate(...pids: string[]): Promise<void> {
  const client = new Client({ connectionString: serverUrl() });
  await client.connect();
  for (const pid of pids) await client.query('select pg_terminate_backend($1, 2000)', [pid]);
  await client.end();
}
