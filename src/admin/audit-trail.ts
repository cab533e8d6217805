import { Injectable } from '@nestjs/common';
import { maskCardNumbers } from '../shared/card-scan';
import type { Queryable } from '../shared/database';
import { requestContext } from './request-context';

export interface AuditEntry {
  /** `thing.verb`, such as `connection.update`. */
  action: string;
  /** `thing:id`, such as `connection:17`. */
  target: string;
  reason?: string | undefined;
  /** What changed. Names of secrets may be in it, their values never. */
  detail?: Readonly<Record<string, unknown>>;
}

/** Who changed what, when and why. The table refuses changes to what is in it. */
@Injectable()
export class AuditTrail {
  /** Appends in the caller's transaction: a change without its entry, or an entry without its change, cannot stay. */
  async append(tx: Queryable, { action, target, reason, detail }: AuditEntry): Promise<void> {
    const context = requestContext();
    await tx.query(
      `insert into audit_entry (actor, action, target, reason, detail, correlation_id) values ($1, $2, $3, $4, $5, $6)`,
      [
        context?.actor ?? 'gateway',
        action,
        target,
        reason === undefined ? null : maskCardNumbers(reason),
        JSON.stringify(detail ?? {}, withoutCardNumbers),
        context?.correlationId ?? 'none',
      ],
    );
  }
}

/** People write reasons and evidence, and an entry stays for ever. A communicationNumber is ours and is not looked into. */
function withoutCardNumbers(key: string, value: unknown): unknown {
  return typeof value === 'string' && key !== 'communicationNumber' ? maskCardNumbers(value) : value;
}
