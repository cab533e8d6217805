import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Direction, WireRules } from './rules';

export interface PumpParts {
  from: Socket;
  to: Socket;
  direction: Direction;
  rules: WireRules;
  /** Sees every piece before it is written on. False: the connection was ended instead. */
  onPass(piece: Buffer): boolean;
  /** Ends both sides. */
  cut(): void;
}

/** Pieces on their way before the sender has to wait. */
const MOST_PENDING = 64;

/** Carries one direction of a connection, with the faults in force at the moment a piece passes. */
export class Pump {
  private last: Promise<void> = Promise.resolve();
  private pending = 0;
  private passed = 0;
  private timedOut = false;

  constructor(private readonly parts: PumpParts) {
    const { from } = parts;
    from.on('data', (piece: Buffer) => this.add(piece));
    from.on('end', () => this.queue(() => this.end()));
  }

  /** Everything that has come so far is passed on, its end included. */
  done(): Promise<void> {
    return this.last;
  }

  private add(piece: Buffer): void {
    const arrivedMs = performance.now();
    this.pending += 1;
    if (this.pending >= MOST_PENDING) this.parts.from.pause();
    this.queue(async () => {
      await this.pass(piece, arrivedMs);
      this.pending -= 1;
      this.parts.from.resume();
    });
  }

  private queue(work: () => Promise<void>): void {
    this.last = this.last.then(work).catch(() => this.parts.cut());
  }

  private async end(): Promise<void> {
    const { rules, direction, to } = this.parts;
    const slow = rules.find('slow_close', direction);
    if (slow) await wait(slow.ms);
    to.end();
  }

  private async pass(piece: Buffer, arrivedMs: number): Promise<void> {
    const { rules, direction } = this.parts;
    await this.hold();
    if (this.parts.to.destroyed) return;
    const latency = rules.find('latency', direction);
    if (latency) {
      const jitter = (Math.random() * 2 - 1) * (latency.jitterMs ?? 0);
      await wait(Math.max(0, arrivedMs + latency.ms + jitter - performance.now()));
    }
    const limit = rules.find('limit_data', direction);
    const room = limit ? Math.max(0, limit.bytes - this.passed) : piece.length;
    const allowed = room < piece.length ? piece.subarray(0, room) : piece;
    this.passed += allowed.length;
    if (allowed.length > 0 && !this.parts.onPass(allowed)) return;
    await this.write(allowed);
    if (limit && allowed.length < piece.length && rules.use(limit)) this.parts.cut();
  }

  /** Stands still while a `timeout` is in force. */
  private async hold(): Promise<void> {
    const { rules, direction, to } = this.parts;
    for (;;) {
      const timeout = rules.find('timeout', direction);
      if (!timeout || to.destroyed) return;
      if (timeout.ms > 0 && !this.timedOut) {
        this.timedOut = true;
        if (!rules.use(timeout)) return;
        await wait(timeout.ms);
        this.parts.cut();
        return;
      }
      await rules.changed();
    }
  }

  private async write(piece: Buffer): Promise<void> {
    const { rules, direction, to } = this.parts;
    const slicer = rules.find('slicer', direction);
    const bandwidth = rules.find('bandwidth', direction);
    const size = slicer?.bytes ?? piece.length;
    for (let at = 0; at < piece.length; at += size) {
      const slice = piece.subarray(at, at + size);
      if (to.destroyed) return;
      // A sender of small pieces must not be faster than the receiver takes them.
      if (!to.write(slice)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
      if (bandwidth) await wait((slice.length / bandwidth.bytesPerSecond) * 1000);
      if (slicer?.delayMs !== undefined && slicer.delayMs > 0) await wait(slicer.delayMs);
    }
  }
}
