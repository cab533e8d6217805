/** What goes wrong on the wire. The seven names are those of https://github.com/Shopify/toxiproxy#toxics. */
export type WireFault =
  /** Every piece arrives `ms` later, give or take up to `jitterMs`. */
  | { kind: 'latency'; ms: number; jitterMs?: number }
  | { kind: 'bandwidth'; bytesPerSecond: number }
  /** The end of the connection is passed on `ms` late. */
  | { kind: 'slow_close'; ms: number }
  /** Nothing passes; the connection is closed after `ms`, or held until the rule goes where that is 0. */
  | { kind: 'timeout'; ms: number }
  /**
   * The client's side gets RST. Without `afterMs` at the first byte of an answer, which is lost: the other side has then read the
   * whole request and done its work. With it, so long after the connection's next piece.
   */
  | { kind: 'reset_peer'; afterMs?: number }
  /** Pieces of `bytes`, `delayMs` apart. */
  | { kind: 'slicer'; bytes: number; delayMs?: number }
  /** The connection is closed after so many bytes of this direction. */
  | { kind: 'limit_data'; bytes: number };

export type Direction = 'up' | 'down';

export type WireRule = WireFault & {
  /** `up` = to the server; reset_peer looks at `down` alone. */
  direction?: Direction;
  /** How many connections it ends (reset_peer, timeout, limit_data); without it until it is removed. */
  times?: number;
};

type OfKind<K extends WireFault['kind']> = Extract<WireRule, { kind: K }>;

/** The rules in force. Connections ask at every piece, so that a change takes effect on those that are open. */
export class WireRules {
  private rules: WireRule[] = [];
  private readonly waiting = new Set<() => void>();

  set(...rules: WireRule[]): void {
    this.rules = rules.map((rule) => ({ ...rule }));
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  find<K extends WireFault['kind']>(kind: K, direction: Direction): OfKind<K> | undefined {
    return this.rules.find(
      (rule): rule is OfKind<K> => rule.kind === kind && (rule.direction ?? 'down') === direction && rule.times !== 0,
    );
  }

  /** Counts one connection that the rule has ended; false where it was used up before. */
  use(rule: WireRule): boolean {
    if (!this.rules.includes(rule) || rule.times === 0) return false;
    if (rule.times !== undefined) rule.times -= 1;
    return true;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.add(resolve));
  }
}
