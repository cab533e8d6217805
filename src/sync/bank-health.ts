import { Injectable, Logger } from '@nestjs/common';
import { ConnectionDirectory } from '../connections/connection-directory';
import { pauseConnection } from '../connections/pause-connection';
import type { ProviderSettings } from '../providers/provider-settings';
import { Database, type Queryable } from '../shared/database';
import { pausedReason } from './decide-read';
import type { SubjectResult } from './subject-result';

/** How long an open breaker lets accounts wait for the bank; then their outcome is BANK_UNAVAILABLE until the next slot. */
const PATIENCE_SECONDS = 300;
/** A bank that suspends after N failures in a row is left alone this many before. */
export const SUSPENSION_MARGIN = 3;

/**
 * What may be asked of a bank now. `probe`: one read, its place kept `until` then. `waiting`: come back after. `denied`: no read,
 * an outcome instead.
 */
export type Permission =
  | { kind: 'free'; failedInRow: number }
  | { kind: 'probe'; until: string; failedInRow: number }
  | { kind: 'waiting'; waitMs: number }
  | { kind: 'denied'; outcome: 'BANK_UNAVAILABLE' | 'PAUSED'; reason: string };

/** Why a breaker is open, for people. */
export function unavailableSaying(row: { unavailable_in_row: number; last_reason: string | null }): string {
  return `the bank was unavailable ${row.unavailable_in_row} times in a row, last: ${row.last_reason ?? 'no reason'}`;
}

interface HealthRow {
  connection_id: string;
  paused: boolean;
  pause_reason: string | null;
  troubled: boolean;
  open: boolean;
  wait_ms: number;
  probing: boolean;
  impatient: boolean;
  unavailable_in_row: number;
  failed_in_row: number;
  last_reason: string | null;
}

const FIND = {
  name: 'bank-health-find',
  text: `
select h.connection_id, c.status = 'paused' as paused, c.pause_reason, failed_in_row > 0 as troubled, open_until is not null as open,
  greatest(0, extract(epoch from coalesce(greatest(open_until, probe_until), now()) - now()) * 1000)::float8 as wait_ms,
  coalesce(probe_until > now(), false) as probing,
  coalesce(open_until > now() and open_since < now() - make_interval(secs => $2::float8), false) as impatient,
  unavailable_in_row, failed_in_row, last_reason
from connection_health h join connection c on c.id = h.connection_id where h.connection_id = any($1::bigint[])`,
};

const TAKE_PROBE = {
  name: 'bank-health-take-probe',
  text: `
update connection_health set probe_until = now() + make_interval(secs => $2::float8)
where connection_id = $1 and open_until <= now() and (probe_until is null or probe_until < now())
returning probe_until::text as until`,
};

const RETURN_PROBES = {
  name: 'bank-health-return-probes',
  text: `
with mine as (
  select h.connection_id from unnest($1::bigint[], $2::timestamptz[]) as p(connection_id, until)
  join connection_health h on h.connection_id = p.connection_id and h.probe_until = p.until
  order by h.connection_id for update of h
)
update connection_health h set probe_until = null from mine where h.connection_id = mine.connection_id`,
};

/**
 * Counts a group of calls. A success in the group ends what was counted before it; enough unavailable ones in a row open
 * the breaker, or open it again where the probe failed.
 */
const RECORD = {
  name: 'bank-health-record',
  text: `
with given as (
  select * from unnest($1::bigint[], $2::boolean[], $3::integer[], $4::integer[], $5::text[], $6::integer[], $7::float8[], $8::boolean[])
    as g(connection_id, succeeded, unavailable, failed, reason, breaker_failures, breaker_seconds, answered)
), counted as (
  select g.*, case when g.answered then 0 else h.unavailable_in_row end + g.unavailable as unavailable_in_row,
    case when g.succeeded then 0 else h.failed_in_row end + g.failed as failed_in_row, h.open_since
  from given g join connection_health h on h.connection_id = g.connection_id
  order by g.connection_id for update of h
)
update connection_health h
set unavailable_in_row = c.unavailable_in_row, failed_in_row = c.failed_in_row, last_reason = coalesce(c.reason, h.last_reason),
    open_since = case when c.unavailable_in_row >= c.breaker_failures then coalesce(c.open_since, now()) end,
    open_until = case when c.unavailable_in_row >= c.breaker_failures then now() + make_interval(secs => c.breaker_seconds) end,
    probe_until = null
from counted c where h.connection_id = c.connection_id
returning h.connection_id, h.unavailable_in_row, h.failed_in_row, h.open_until is not null as open, c.open_since is not null as was_open`,
};

interface RecordedRow {
  connection_id: string;
  unavailable_in_row: number;
  failed_in_row: number;
  open: boolean;
  was_open: boolean;
}

interface Tally {
  connectionId: string;
  succeeded: boolean;
  /** Some call found the bank there, well or not. */
  answered: boolean;
  unavailable: number;
  failed: number;
  reason: string | null;
}

/** The circuit breaker of each connection, kept in Postgres so that all replicas ask a bank that is down only once. */
@Injectable()
export class BankHealth {
  private readonly logger = new Logger(BankHealth.name);
  /** Connections that had failures when last looked at; successes of the others need not be written down. */
  private troubled = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly directory: ConnectionDirectory,
  ) {}

  /** What may be asked of each of the connections now. A `probe` is taken: the caller has to make it or give it back. */
  async permissions(connectionIds: readonly string[], probeSeconds: number): Promise<Map<string, Permission>> {
    const rows = await this.database.query<HealthRow>(FIND, [connectionIds, PATIENCE_SECONDS]);
    this.troubled = new Set(rows.filter((row) => row.troubled || row.open).map((row) => row.connection_id));
    const permissions = new Map<string, Permission>();
    for (const row of rows) permissions.set(row.connection_id, await this.permission(row, probeSeconds));
    return permissions;
  }

  private async permission(row: HealthRow, probeSeconds: number): Promise<Permission> {
    // Said here and not left to each read's own decision: the connection may be resumed meanwhile, with all that was claimed.
    if (row.paused) return { kind: 'denied', outcome: 'PAUSED', reason: pausedReason(row.pause_reason ?? undefined) };
    if (!row.open) return { kind: 'free', failedInRow: row.failed_in_row };
    if (row.impatient && !row.probing) {
      return {
        kind: 'denied',
        outcome: 'BANK_UNAVAILABLE',
        reason: `not asked: ${unavailableSaying(row)}`,
      };
    }
    if (row.wait_ms === 0) {
      const [taken] = await this.database.query<{ until: string }>(TAKE_PROBE, [row.connection_id, probeSeconds]);
      if (taken) return { kind: 'probe', until: taken.until, failedInRow: row.failed_in_row };
    }
    return { kind: 'waiting', waitMs: Math.max(row.wait_ms, 50) };
  }

  /** Gives up probes, by connection, that came to no call: whoever was claimed for one may not be asked. The next one may be. */
  async returnProbes(probes: ReadonlyMap<string, string>): Promise<void> {
    if (probes.size > 0) await this.database.query(RETURN_PROBES, [[...probes.keys()], [...probes.values()]]);
  }

  /**
   * Prepares to count the calls of a group of results; what it returns does so in the transaction that keeps their
   * readings. The settings are loaded before, so that no transaction waits for a second session.
   */
  async recorder(
    results: readonly SubjectResult[],
  ): Promise<(tx: Queryable, kept: readonly SubjectResult[]) => Promise<void>> {
    const limits = new Map<string, ProviderSettings>();
    for (const { connectionId } of tally(results)) {
      if (this.isWorthCounting(results, connectionId))
        limits.set(connectionId, (await this.directory.load(connectionId)).settings);
    }
    return (tx, kept) => this.record(tx, kept, limits);
  }

  /** Successes of a bank that had no failures need not be written down. */
  private isWorthCounting(results: readonly SubjectResult[], connectionId: string): boolean {
    return (
      this.troubled.has(connectionId) ||
      results.some(({ subject, call }) => call?.failed && subject.state.connectionId === connectionId)
    );
  }

  private async record(
    tx: Queryable,
    kept: readonly SubjectResult[],
    limits: ReadonlyMap<string, ProviderSettings>,
  ): Promise<void> {
    const counted = tally(kept).flatMap((each) => {
      const settings = limits.get(each.connectionId);
      return settings ? [{ ...each, settings }] : [];
    });
    if (counted.length === 0) return;
    const ids = counted.map((each) => each.connectionId);
    await tx.query('insert into connection_health (connection_id) select unnest($1::bigint[]) on conflict do nothing', [
      ids,
    ]);
    const rows = await tx.query<RecordedRow>(RECORD, [
      ids,
      counted.map((each) => each.succeeded),
      counted.map((each) => each.unavailable),
      counted.map((each) => each.failed),
      counted.map((each) => each.reason),
      counted.map((each) => each.settings.breakerFailures),
      counted.map((each) => each.settings.breakerSeconds),
      counted.map((each) => each.answered),
    ]);
    for (const row of rows) {
      const { breakerSeconds, suspendAfterFailures: suspendAfter } = limits.get(row.connection_id) ?? {};
      this.tell(row, breakerSeconds);
      if (suspendAfter !== undefined) await this.protect(tx, row, suspendAfter);
    }
  }

  /** Without the reason, which holds words of the bank: the connection shows it. */
  private tell(row: RecordedRow, probeEverySeconds: number | undefined): void {
    const { connection_id: connectionId, unavailable_in_row: inRow, open, was_open: wasOpen } = row;
    if (open && !wasOpen) {
      const msg = 'a bank is unavailable; it is probed until it answers';
      this.logger.warn({ msg, connectionId, outcome: 'BANK_UNAVAILABLE', inRow, probeEverySeconds });
    }
    if (!open && wasOpen) this.logger.log({ msg: 'a bank answers again', connectionId });
  }

  /** Three failures before the bank would suspend us, a person has to look. It counts them whatever settings they were made with. */
  private async protect(tx: Queryable, row: RecordedRow, suspendAfter: number): Promise<void> {
    if (row.failed_in_row < suspendAfter - SUSPENSION_MARGIN) return;
    const reason = `${row.failed_in_row} failures in a row; the bank suspends us after ${suspendAfter}: find out why, then set the connection active`;
    if (await pauseConnection(tx, row.connection_id, { reason }))
      this.logger.error({ msg: 'a connection is paused', connectionId: row.connection_id, reason });
  }
}

/** Per connection, the failures since the last success of the group, in the order of the results. */
function tally(results: readonly SubjectResult[]): Tally[] {
  const tallies = new Map<string, Tally>();
  for (const { subject, call, readings } of results) {
    if (!call) continue;
    const { connectionId } = subject.state;
    const each = tallies.get(connectionId) ?? {
      connectionId,
      succeeded: false,
      answered: false,
      unavailable: 0,
      failed: 0,
      reason: null,
    };
    tallies.set(connectionId, each);
    const failure = readings.find((reading) => reading.outcome !== 'ACCOUNT_CLOSED');
    if (call.failed) {
      each.failed += 1;
      const unavailable = failure?.outcome === 'BANK_UNAVAILABLE';
      each.unavailable = unavailable ? each.unavailable + 1 : 0;
      each.answered ||= !unavailable;
      each.reason = failure?.reason ?? null;
    } else {
      Object.assign(each, { succeeded: true, answered: true, unavailable: 0, failed: 0 });
    }
  }
  return [...tallies.values()];
}
