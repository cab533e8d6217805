import { SchedulerRegistry } from '@nestjs/schedule';
import { Pool } from 'pg';
import { CardRetention } from '../../src/operations/card-retention';
import { OperationImport } from '../../src/operations/operation-import';
import { Upkeep } from '../../src/schedule/upkeep';
import { Database } from '../../src/shared/database';
import type { AdminApp } from '../support/admin-app';
import { startOperationsApp } from '../support/operations';

/** Takes every statement and answers none. */
class SilentDatabase extends Database {
  override query<T>(): Promise<T[]> {
    return new Promise<T[]>(() => undefined);
  }

  override transaction<T>(): Promise<T> {
    return new Promise<T>(() => undefined);
  }
}

describe('upkeep', () => {
  let admin: AdminApp;

  beforeAll(async () => {
    admin = await startOperationsApp();
  });
  afterAll(() => admin.close());
  afterEach(() => void jest.useRealTimers());

  it('that does not end holds up a stop for seven seconds of the ten that the exit may take, and no longer', async () => {
    const { app } = admin;
    const silent = new SilentDatabase(new Pool());
    jest.useFakeTimers();
    const upkeep = new Upkeep(new SchedulerRegistry(), app.get(CardRetention), app.get(OperationImport), silent);
    upkeep.onApplicationBootstrap();
    let stopped = false;
    void upkeep.beforeApplicationShutdown().then(() => (stopped = true));
    await jest.advanceTimersByTimeAsync(6_999);
    expect(stopped).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(stopped).toBe(true);
  });
});
