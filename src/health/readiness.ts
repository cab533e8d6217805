import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { AmlyzeClient } from '../amlyze/amlyze.client';
import { pendingMigrations } from '../database/migrations';
import { findEndpoints } from '../delivery/endpoint-state';
import { Database } from '../shared/database';
import { classifyDatabaseFailure } from '../shared/database-failure';
import { LATE, within } from '../shared/within';
import { Backlog } from './backlog';

const PING_TIMEOUT_MS = 2_000;
/** A record that has waited longer than this means that delivery is behind. */
const BEHIND_MS = 15 * 60 * 1_000;

/**
 * The parts of readiness. Only what keeps this replica from working is `down`; a paused AMLYZE or a backlog needs a
 * person perhaps, but taking the replica out of service would not help: `degraded`.
 */
@Injectable()
export class Readiness {
  private migrated = false;

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly backlog: Backlog,
    private readonly amlyze: AmlyzeClient,
  ) {}

  async databaseAnswers(): Promise<HealthIndicatorResult> {
    const check = this.indicators.check('database');
    const ping = this.database.query('select 1').then(
      () => undefined,
      (error: unknown) => classifyDatabaseFailure(error),
    );
    const failure = await within(PING_TIMEOUT_MS, ping);
    // It answers, but what is done here cannot be written down.
    if (failure === undefined) return this.database.isFull ? check.down({ reason: 'full' }) : check.up();
    // Anybody may look at this page, so it says what kind of failure it is and not where the database stands.
    return check.down({ reason: failure === LATE ? 'timeout' : failure });
  }

  async migrationsApplied(): Promise<HealthIndicatorResult> {
    const check = this.indicators.check('migrations');
    // Once applied they stay applied for the life of this process.
    if (!this.migrated) {
      const pending = await answered(pendingMigrations(this.dataSource));
      if (pending === undefined) return check.down({ reason: 'the database does not say' });
      if (pending.length > 0) return check.down({ pending });
      this.migrated = true;
    }
    return check.up();
  }

  async deliveryOpen(): Promise<HealthIndicatorResult> {
    const check = this.indicators.check('delivery');
    const endpoints = await answered(findEndpoints(this.database, this.amlyze.configurationHash()));
    if (!endpoints) return check.degraded({ reason: 'the database does not say' });
    const paused = endpoints.filter((endpoint) => endpoint.pause !== undefined);
    const refusing = endpoints.filter((endpoint) => endpoint.refusesThisReplica).map(({ endpoint }) => endpoint);
    if (paused.length === 0 && refusing.length === 0) return check.up({ paused: false });
    return check.degraded({
      paused: paused.length > 0,
      // Others may get through meanwhile: then nothing waits, and only this replica has a fault.
      ...(refusing.length > 0 && { refusesThisReplica: refusing }),
      // The reason holds AMLYZE's address and words: it is for those with a key.
      pauses: paused.map(({ endpoint, pause, pausedSince, pausedUntil }) => ({
        endpoint,
        pause,
        since: pausedSince?.toISOString(),
        until: pausedUntil?.toISOString(),
      })),
    });
  }

  async outboxDrains(): Promise<HealthIndicatorResult> {
    const check = this.indicators.check('outbox');
    const snapshot = await answered(this.backlog.snapshot());
    if (!snapshot) return check.degraded({ reason: 'the database does not say' });
    const { states, oldestPendingAt, now } = snapshot;
    const oldestPendingSeconds = oldestPendingAt ? Math.round((now.getTime() - oldestPendingAt.getTime()) / 1000) : 0;
    const data = { pending: (states['pending'] ?? 0) + (states['sending'] ?? 0), oldestPendingSeconds };
    return oldestPendingSeconds * 1000 > BEHIND_MS ? check.degraded(data) : check.up(data);
  }

  async slotsServed(): Promise<HealthIndicatorResult> {
    const check = this.indicators.check('schedule');
    const snapshot = await answered(this.backlog.snapshot());
    if (!snapshot) return check.degraded({ reason: 'the database does not say' });
    return check.up({ lastFinishedSlot: snapshot.lastFinishedSlot?.toISOString() ?? null });
  }
}

/** Undefined when the database does not answer in time, or with an error. */
async function answered<T>(work: Promise<T>): Promise<T | undefined> {
  const answer = await within(
    PING_TIMEOUT_MS,
    work.catch(() => undefined),
  );
  return answer === LATE ? undefined : answer;
}
