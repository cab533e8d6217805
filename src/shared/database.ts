import { Injectable } from '@nestjs/common';
import { type Pool, type PoolClient } from 'pg';
import { arrayLiteral } from './array-literal';
import { classifyDatabaseFailure, isConnectionLost } from './database-failure';

/** A refused write is no longer news after this time; while there is work to do each poll brings another. */
const FULL_FOR_MS = 3_000;

/** SQL text, or SQL with a name: named ones are prepared once per session. A name stands for one text for ever. */
export type Sql = string | { name: string; text: string };

export interface Queryable {
  /** Rows; bigint, numeric and date as strings, timestamptz as Date, json and jsonb parsed. */
  query<T = Record<string, unknown>>(sql: Sql, values?: readonly unknown[]): Promise<T[]>;
}

/** The one way to the database for visible SQL, over the same pool that TypeORM's repositories use. */
@Injectable()
export class Database implements Queryable {
  private fullAtMs: number | undefined;
  private sessions = 0;

  constructor(private readonly pool: Pool) {
    pool.on('connect', () => void (this.sessions += 1));
  }

  /**
   * Sessions that were opened so far. What is kept in memory about rows holds while this stays the same: a new session may be with
   * another server than before, that has lost the last of them (a failover, a restored backup).
   */
  get sessionsOpened(): number {
    return this.sessions;
  }

  /** A statement was refused just now for want of disk space or the like, although the server answers. */
  get isFull(): boolean {
    return this.fullAtMs !== undefined && performance.now() - this.fullAtMs < FULL_FOR_MS;
  }

  async query<T = Record<string, unknown>>(sql: Sql, values: readonly unknown[] = []): Promise<T[]> {
    return this.withClient((client) => run<T>(client, sql, values));
  }

  /**
   * Runs `work` between begin and commit on one session. An error rolls back and is thrown on unchanged.
   * Whether a commit whose answer was lost took place is unknown to the caller: such work has to be repeatable.
   */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return this.withClient(async (client, discard) => {
      await client.query('begin');
      let open = true;
      const tx: Queryable = {
        query: (sql, values = []) =>
          // A query that was not awaited would otherwise run outside of it, on a session that others use.
          open ? run(client, sql, values) : Promise.reject(new Error('the transaction has ended')),
      };
      try {
        const result = await work(tx);
        open = false;
        await client.query('commit');
        return result;
      } catch (error) {
        open = false;
        // On a lost session the server rolls back by itself, and a rollback would queue behind the hung statement.
        if (!isConnectionLost(error)) await client.query('rollback').catch(discard);
        throw error;
      }
    });
  }

  /** pg's own pool.query closes the session after any error; a unique violation need not cost a reconnect. */
  private async withClient<T>(
    work: (client: PoolClient, discard: (reason: unknown) => void) => Promise<T>,
  ): Promise<T> {
    const client = await this.pool.connect();
    let lost = false;
    const discard = (): void => void (lost = true);
    // A checked-out client without a listener would end the process when Postgres goes away between two statements.
    client.on('error', discard);
    try {
      return await work(client, discard);
    } catch (error) {
      if (isConnectionLost(error)) discard();
      if (classifyDatabaseFailure(error) === 'full') this.fullAtMs = performance.now();
      throw error;
    } finally {
      client.off('error', discard);
      client.release(lost);
    }
  }
}

async function run<T>(client: PoolClient, sql: Sql, values: readonly unknown[]): Promise<T[]> {
  const config = typeof sql === 'string' ? { text: sql } : sql;
  const written = values.map((value) => (Array.isArray(value) ? (arrayLiteral(value) ?? value) : value));
  const result = await client.query({ ...config, values: written });
  // The driver's objects of one query keep those of the next alive until a full collection. They are small without these.
  written.length = 0;
  const rows = result.rows as T[];
  result.rows = [];
  return rows;
}
