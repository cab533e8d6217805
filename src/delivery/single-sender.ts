import { Logger } from '@nestjs/common';
import type { CallVerdict } from '../amlyze/record-verdict';
import type { Environment } from '../config/environment';
import type { ClaimedRecord } from '../outbox/claimed-record';
import { extendLeases } from '../outbox/settle';
import type { Promised, TurnClaim } from '../outbox/turn';
import type { Database } from '../shared/database';
import { Doorbell } from '../shared/doorbell';
import { failPoint } from '../shared/fail-point';
import { LastingTrouble } from '../shared/lasting-trouble';
import { within } from '../shared/within';
import { Answers } from './answers';
import { toSent, type Call } from './call';
import { askLeave, extendProbe, returnProbe, type EndpointState, type Leave } from './endpoint-state';
import type { Lane } from './lane';
import { returnToPool } from './settlements';
import type { Settling } from './settling';

/** Records that a replica holds of a channel without batches, as a multiple of its calls under way. */
const AHEAD = 4;
/** How long an answer waits for others to be settled with. */
const ANSWERS_GATHER_MS = 5;
/** Claims go on where the last one ended, but so often they look for records that came to be due before. */
const FROM_START_EVERY_MS = 1_000;

type OpenLeave = Exclude<Leave, { kind: 'closed' }>;

/** A record whose attempt is committed, and what was known of the endpoint at that time. */
interface Ready extends Promised {
  state: EndpointState;
}

export interface SingleSenderParts {
  lane: Lane;
  database: Database;
  environment: Environment;
  settling: Settling;
  replica: string;
}

/**
 * Sends the records of a channel that has no batch, one call each. While calls are under way one turn after the other
 * settles the answers that came in since the last one and claims, in the same commit, the records of the calls to come,
 * whose attempts it logs. So no call waits for the database, and the group of a turn grows with the load.
 */
export class SingleSender {
  private readonly logger = new Logger(SingleSender.name);
  private readonly trouble = new LastingTrouble(this.logger, {
    fails: 'a turn of the delivery was not committed; trying again at every poll',
    works: 'turns of the delivery are committed again',
  });
  private readonly bell = new Doorbell();
  /** All that this sender has claimed and not yet settled or given back: attempts by the ids of their records. */
  private readonly held = new Map<string, string>();
  private readonly answers: Answers;
  private readonly ready: Ready[] = [];
  /** Calls under way, by attempt. */
  private readonly calls = new Map<string, ClaimedRecord>();
  /** Calls and the settling of their answers. */
  private readonly open = new Set<Promise<void>>();
  /** Until a pause or a resume. */
  private leave: OpenLeave | undefined;
  /** Where the next claim goes on. */
  private lastDue: Date | undefined;
  private fromStartMs = 0;
  /** What the probe under way saw of the endpoint. */
  private probe: EndpointState | undefined;
  /** Answers that say something about the endpoint and are not settled yet: until then nothing is sent or claimed. */
  private troubles = 0;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;

  constructor(private readonly parts: SingleSenderParts) {
    this.answers = new Answers(parts, () => this.bell.ring());
  }

  start(): void {
    this.loop ??= this.work();
    this.renewal ??= setInterval(() => void this.renew(), (this.parts.environment.leaseSeconds * 1000) / 3);
  }

  /** There may be something due: look now instead of at the next poll. */
  wake(): void {
    this.bell.ring();
  }

  /** Starts no more calls, waits for those under way, gives the rest back. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    this.bell.ring();
    await within(graceMs, Promise.all([this.loop, ...this.open]));
    clearInterval(this.renewal);
    await this.giveBack('gateway-stopped');
    await Promise.all(
      [...this.calls].map(([attemptId, record]) =>
        this.parts.settling.writer.abandonAtStop(attemptId, [
          returnToPool(record, { verdict: 'in-doubt', reason: 'gateway-stopped' }),
        ]),
      ),
    );
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      let moved = false;
      try {
        moved = await this.turn();
      } catch (error) {
        this.trouble.failed(error, { endpoint: this.parts.lane.endpoint });
      }
      if (this.stopping) break;
      if (!moved) await this.bell.wait(this.parts.environment.pollIntervalMs);
      await this.gather();
    }
    this.answers.end();
  }

  /** While there is something to send, a turn waits for its full group, but not for a slow AMLYZE. */
  private async gather(): Promise<void> {
    const full = (AHEAD / 2) * this.parts.lane.concurrency;
    const untilMs = performance.now() + ANSWERS_GATHER_MS;
    while (!this.stopping && this.ready.length > 0 && this.answers.due < full) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return;
      await this.bell.wait(leftMs);
    }
  }

  /** False where there was nothing to settle and nothing to claim. */
  private async turn(): Promise<boolean> {
    if (this.answers.due === 0 && this.leave === undefined) await this.takeLeave();
    const { leave } = this;
    const { due } = this.answers;
    const claim = leave && this.claimFor(leave, due);
    if (due === 0 && claim === undefined) return false;
    const result = await this.answers.turn(claim);
    this.trouble.worked({ endpoint: this.parts.lane.endpoint });
    if (!leave || !claim) return due > 0;
    // Less than was asked for: everything that is due later is claimed.
    const exhausted = result.promised.length < claim.limit;
    this.lastDue = exhausted ? undefined : result.lastDue;
    if (!result.open) {
      this.leave = undefined;
      await this.takeLeave();
      return true;
    }
    if (result.promised.length > 0) await this.take(result.promised, leave);
    else if (leave.kind === 'probe') return this.probeAnother(leave);
    return due > 0 || result.promised.length > 0 || claim.dueFrom !== undefined;
  }

  private async takeLeave(): Promise<void> {
    const { lane, database, environment } = this.parts;
    // A probe is one call alone.
    if (this.troubles > 0 || this.probe) return;
    const leave = await askLeave(database, lane, environment.leaseSeconds);
    // Nothing that was promised under an earlier leave may pass a pause that others have begun since.
    if (leave.kind !== 'open') await this.giveBack('endpoint-paused');
    if (leave.kind === 'closed') return;
    if (leave.kind === 'probe' && this.held.size > 0) return returnProbe(database, lane.endpoint, leave.state);
    this.leave = leave;
  }

  private claimFor({ kind, state }: OpenLeave, settling: number): TurnClaim | undefined {
    const { lane, environment, replica } = this.parts;
    const free = AHEAD * lane.concurrency - this.held.size + settling;
    // A claim alone waits until half of the room is free: one a record would cost more than the send. Beside answers it is cheap.
    const least = settling > 0 ? lane.concurrency : (AHEAD / 2) * lane.concurrency;
    if (this.troubles > 0 || free < least) return undefined;
    const probe = kind === 'probe';
    const fromStart = probe || this.lastDue === undefined || performance.now() - this.fromStartMs > FROM_START_EVERY_MS;
    if (fromStart) this.fromStartMs = performance.now();
    return {
      channel: lane.channel,
      endpoint: lane.endpoint,
      replica,
      leaseSeconds: environment.leaseSeconds,
      limit: probe ? 1 : free,
      generation: state.generation,
      probe,
      exceptIds: probe ? state.lastFailedIds : [],
      dueFrom: fromStart ? undefined : this.lastDue,
    };
  }

  private async take(promised: readonly Promised[], leave: OpenLeave): Promise<void> {
    failPoint('after-claim');
    for (const { record, attemptId } of promised) {
      this.held.set(record.id, attemptId);
      this.ready.push({ record, attemptId, state: leave.state });
    }
    if (leave.kind === 'probe') {
      this.probe = leave.state;
      this.leave = undefined;
    } else if (this.leave !== leave) {
      // An answer that came meanwhile spoke against sending.
      await this.giveBack('endpoint-paused');
    }
    this.pump();
  }

  /** A probe prefers records that were not in the call that failed: a poison record must not keep the endpoint shut. */
  private async probeAnother({ state }: OpenLeave): Promise<boolean> {
    const preferred = state.lastFailedIds.length > 0 && this.leave !== undefined;
    this.leave = preferred ? { kind: 'probe', state: { ...state, lastFailedIds: [] } } : undefined;
    if (!preferred) await returnProbe(this.parts.database, this.parts.lane.endpoint, state);
    return preferred;
  }

  /** Starts calls while there is room; called whenever something has changed. */
  private pump(): void {
    const { lane } = this.parts;
    while (!this.stopping && this.troubles === 0 && this.calls.size < lane.concurrency) {
      const next = this.ready.shift();
      if (!next) break;
      this.calls.set(next.attemptId, next.record);
      const done = this.call(next);
      this.open.add(done);
      void done.finally(() => this.open.delete(done));
    }
  }

  private async call({ record, attemptId, state }: Ready): Promise<void> {
    const { lane, settling } = this.parts;
    try {
      const result = await lane.sendSingle(record);
      failPoint('after-response');
      this.calls.delete(attemptId);
      const verdict = lane.judgeSingle(result, toSent(record), new Date());
      const batch = { attemptId, group: undefined, records: [record] };
      const call: Call = { lane, batch, state, result, single: true };
      if (verdict.kind === 'settled' || verdict.kind === 'unopened') {
        this.pump();
        await settling.apply(this.stopping ? call : { ...call, write: this.answers.add }, verdict);
      } else {
        await this.applyTrouble(call, verdict);
      }
    } catch (error) {
      this.logger.error({
        msg: 'an answer could not be settled; its lease brings the record back',
        attemptId,
        error: String(error),
      });
    } finally {
      this.calls.delete(attemptId);
      this.release(record, attemptId);
      if (this.held.size === 0) this.probe = undefined;
      this.pump();
      this.bell.ring();
    }
  }

  /** Anything but a verdict about the record, or a record that was not sent, may pause the endpoint: what is not sent yet must not pass the pause. */
  private async applyTrouble(call: Call, verdict: CallVerdict): Promise<void> {
    this.troubles += 1;
    this.leave = undefined;
    try {
      await this.parts.settling.apply(call, verdict);
    } finally {
      await this.giveBack('endpoint-paused');
      this.troubles -= 1;
    }
  }

  /** What was promised to a call that is not made goes back as it was; where that cannot be written, its lease runs out. */
  private async giveBack(reason: string): Promise<void> {
    const failures: unknown[] = [];
    await Promise.all(
      this.ready.splice(0).map(async ({ record, attemptId }) => {
        try {
          await this.parts.settling.writer.abandon(attemptId, [returnToPool(record, { verdict: 'not-sent', reason })]);
        } catch (error) {
          failures.push(error);
        } finally {
          this.release(record, attemptId);
        }
      }),
    );
    if (failures.length === 0) return;
    this.logger.warn({
      msg: 'records that were not sent could not be given back; their leases bring them back',
      endpoint: this.parts.lane.endpoint,
      records: failures.length,
      error: String(failures[0]),
    });
  }

  /** From now on no lease is renewed for the attempt. The record may be held again by then, with another one. */
  private release(record: ClaimedRecord, attemptId: string): void {
    if (this.held.get(record.id) === attemptId) this.held.delete(record.id);
  }

  private async renew(): Promise<void> {
    const { database, environment, lane } = this.parts;
    try {
      await extendLeases(database, [...this.held.values()], environment.leaseSeconds);
      if (this.probe) await extendProbe(database, lane.endpoint, this.probe, environment.leaseSeconds);
    } catch (error) {
      this.logger.warn({ msg: 'leases could not be renewed', endpoint: lane.endpoint, error: String(error) });
    }
  }
}
