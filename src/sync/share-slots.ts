/** A connection that wants calls, and how many it has under way. */
export interface Wanting {
  connectionId: string;
  inFlight: number;
}

/**
 * Shares free places among connections, one at a time to the one with the fewest calls under way. A connection that is
 * alone may take them all; beside others (`contended`) it never gets the last quarter, so that a slow bank cannot shut out
 * the rest. Pure.
 */
export function shareSlots(
  concurrency: number,
  wanting: readonly Wanting[],
  inFlightTotal: number,
  contended = wanting.length > 1,
): Map<string, number> {
  const quotas = new Map<string, number>();
  const load = new Map(wanting.map((w) => [w.connectionId, w.inFlight]));
  const ceiling = contended ? Math.max(1, Math.floor(concurrency * 0.75)) : concurrency;
  for (let free = concurrency - inFlightTotal; free > 0; free--) {
    let least: string | undefined;
    for (const [id, calls] of load) {
      if (calls < ceiling && (least === undefined || calls < (load.get(least) ?? 0))) least = id;
    }
    if (least === undefined) break;
    quotas.set(least, (quotas.get(least) ?? 0) + 1);
    load.set(least, (load.get(least) ?? 0) + 1);
  }
  return quotas;
}
