import { placesForOne } from './read-slots';

/** A connection that wants calls, and how many places it has. Below 0: so many more may be claimed ahead without a place. */
export interface Wanting {
  connectionId: string;
  inFlight: number;
}

/**
 * Shares free places among connections, one at a time to the one with the fewest. A connection that is alone may take them
 * all; beside others (`contended`) it never gets the last quarter. What may be claimed ahead comes on top. Pure.
 */
export function shareSlots(
  concurrency: number,
  wanting: readonly Wanting[],
  inFlightTotal: number,
  contended = wanting.length > 1,
): Map<string, number> {
  const quotas = new Map<string, number>();
  const load = new Map<string, number>();
  for (const { connectionId, inFlight } of wanting) {
    if (inFlight < 0) quotas.set(connectionId, -inFlight);
    load.set(connectionId, Math.max(0, inFlight));
  }
  const ceiling = placesForOne(concurrency, contended);
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
