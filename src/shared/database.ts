import { Injectable } from '@nestjs/common';
import { type Pool, type PoolClient } from 'pg';
import { isConnectionLost } from './database-failure';

/** SQL text, or SQL with a name: named ones are prepared once per session. A name stands for one text for ever. */
export type Sql = string | { name: string; text: string };

export interface Queryable {
  /** Rows; bigint, numeric and date as strings, timestamptz as Date, json and jsonb parsed. */
  query<T = Record<string, unknown>>(sql: Sql, values?: readonly unknown[]): Promise<T[]>;
}

/** The one way to the database for visible SQL, over the same pool that TypeORM's repositories use. */
@Injectable()
export class Database implements Queryable {
  constructor(private readonly pool: Pool) {}

  async query<T = Record<string, unknown>>(sql: Sql, values: readonly unknown[] = []): Promise<T[]> {
    return this.withClient((client) => run<T>(client, sql, values));
  }

  /**
   * Runs `work` between begin and commit on one session. An error rolls back and is thrown on unchanged.
   * Whether a commit whose answer was lost took place is unknown to the caller: such work has to be repeatable.
   */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return this.withClient(async (client) => {
      await client.query('begin');
      try {
        const result = await work({ query: (sql, values = []) => run(client, sql, values) });
        await client.query('commit');
        return result;
      } catch (error) {
        // On a lost session the server rolls back by itself, and a rollback would queue behind the hung statement.
        if (!isConnectionLost(error)) await client.query('rollback');
        throw error;
      }
    });
  }

  /** pg's own pool.query closes the session after any error; a unique violation need not cost a reconnect. */
  private async withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    // A checked-out client without a listener would end the process when Postgres goes away between two statements.
    let lost: Error | undefined;
    const onError = (error: Error): void => void (lost = error);
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      if (isConnectionLost(error)) lost ??= error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.off('error', onError);
      client.release(lost);
    }
  }
}

async function run<T>(client: PoolClient, sql: Sql, values: readonly unknown[]): Promise<T[]> {
  const config = typeof sql === 'string' ? { text: sql } : sql;
  const result = await client.query({ ...config, values: [...values] });
  return result.rows as T[];
}
