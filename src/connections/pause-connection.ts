import { CONNECTION_VERSION } from '../providers/connection-version';
import type { Queryable } from '../shared/database';

export interface GatewayPause {
  reason: string;
  /** Only the connection that the reason was met with, not one that was changed since (`ProviderConnection.version`). */
  version?: string;
}

/** The gateway's own pause, which a person has to end. False where the connection is paused already, or another version. */
export async function pauseConnection(tx: Queryable, connectionId: string, pause: GatewayPause): Promise<boolean> {
  const paused = await tx.query(
    `update connection set status = 'paused', pause_reason = $2, paused_by = 'gateway', paused_at = now(), updated_at = now()
where id = $1 and status = 'active' and ($3::text is null or ${CONNECTION_VERSION} = $3) returning id`,
    [connectionId, pause.reason, pause.version],
  );
  return paused.length > 0;
}
