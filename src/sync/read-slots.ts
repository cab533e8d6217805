/** Beside others a connection never gets the last quarter of the places, so that a slow bank cannot shut out the rest. */
export function placesForOne(concurrency: number, contended: boolean): number {
  return contended ? Math.max(1, Math.floor(concurrency * 0.75)) : concurrency;
}

interface Line<S> {
  waiting: S[];
  calling: number;
}

/**
 * The places for calls of one replica, and what waits for one. A place that gets free goes to the connection with the
 * fewest calls under way, in the order of its claims.
 */
export class ReadSlots<S extends object> {
  /** Several connections want calls. */
  contended = false;
  private readonly lines = new Map<string, Line<S>>();
  private waitingTotal = 0;
  private callingTotal = 0;

  constructor(private readonly concurrency: number) {}

  get waiting(): number {
    return this.waitingTotal;
  }

  get free(): number {
    return this.concurrency - this.callingTotal;
  }

  add(connectionId: string, subject: S): void {
    this.line(connectionId).waiting.push(subject);
    this.waitingTotal += 1;
  }

  /** Takes a place for the next call; undefined where none is free or nobody may have it. The place is given back by `leave`. */
  enter(): { connectionId: string; subject: S } | undefined {
    if (this.free <= 0 || this.waitingTotal === 0) return undefined;
    const ceiling = placesForOne(this.concurrency, this.contended);
    let chosen: { connectionId: string; line: Line<S> } | undefined;
    for (const [connectionId, line] of this.lines) {
      if (line.waiting.length === 0 || line.calling >= ceiling) continue;
      if (!chosen || line.calling < chosen.line.calling) chosen = { connectionId, line };
    }
    const subject = chosen?.line.waiting.shift();
    if (!chosen || !subject) return undefined;
    chosen.line.calling += 1;
    this.callingTotal += 1;
    this.waitingTotal -= 1;
    return { connectionId: chosen.connectionId, subject };
  }

  leave(connectionId: string): void {
    const line = this.line(connectionId);
    line.calling -= 1;
    this.callingTotal -= 1;
    this.tidy(connectionId, line);
  }

  /** Takes out of the line what `wanted` says, or all that waits. */
  withdraw(wanted: (subject: S, connectionId: string) => boolean = () => true): S[] {
    return [...this.lines].flatMap(([connectionId, line]) => {
      const out: S[] = [];
      const staying: S[] = [];
      for (const subject of line.waiting) (wanted(subject, connectionId) ? out : staying).push(subject);
      line.waiting = staying;
      this.waitingTotal -= out.length;
      this.tidy(connectionId, line);
      return out;
    });
  }

  private line(connectionId: string): Line<S> {
    const line = this.lines.get(connectionId) ?? { waiting: [], calling: 0 };
    this.lines.set(connectionId, line);
    return line;
  }

  private tidy(connectionId: string, line: Line<S>): void {
    if (line.calling === 0 && line.waiting.length === 0) this.lines.delete(connectionId);
  }
}
