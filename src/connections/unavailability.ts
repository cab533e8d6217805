/** Columns of `connection_health`, null where the connection has no row in it: the bank never failed. */
export interface BreakerRow {
  open_since: Date | null;
  open_until: Date | null;
  last_reason: string | null;
}

export interface Unavailability {
  unavailableSince: string | null;
  unavailableReason: string | null;
  nextProbeAt: string | null;
}

/** What an open breaker says. The last reason outlives the failures that it is about, so it is shown only while it holds. */
export function toUnavailability(row: BreakerRow): Unavailability {
  return {
    unavailableSince: row.open_since?.toISOString() ?? null,
    unavailableReason: row.open_since === null ? null : row.last_reason,
    nextProbeAt: row.open_until?.toISOString() ?? null,
  };
}
