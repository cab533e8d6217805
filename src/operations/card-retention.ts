import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';
import { interruptIdleImports } from './import-ledger';

/** Whatever became of a record, its card data does not stay longer than this. */
const LONGEST_DAYS = 30;
const SHRED_LIMIT = 1_000;
/** The server closes a silent connection after two minutes, so no request lives behind an import that stood still for this. */
const IDLE_IMPORT_MINUTES = 10;

// What is on its way to AMLYZE is left to the next pass: its lease ends in seconds. A record that was still due is held, since
// it has nothing left to send; a resubmission of the same content brings it back.
const SHRED = `
with due as materialized (
  select id from (
    (select id from amlyze_record
     where sealed and payload is not null and state in ('accepted', 'rejected')
       and settled_at < now() - make_interval(secs => $1) and sealed_at < now() - make_interval(secs => $1)
     order by settled_at limit $2)
    union
    (select id from amlyze_record
     where sealed and payload is not null and state <> 'sending' and sealed_at < now() - make_interval(days => ${LONGEST_DAYS})
     order by sealed_at limit $2)
  ) candidates
), held as materialized (
  select r.id from amlyze_record r join due using (id) where r.state <> 'sending' and r.payload is not null for update of r skip locked
)
update amlyze_record r
set payload = null, shredded_at = now(),
    state = case when r.state = 'pending' then 'held' else r.state end,
    reason = case when r.state = 'pending' then 'SHREDDED' else r.reason end,
    settled_at = case when r.state = 'pending' then now() else r.settled_at end,
    next_attempt_at = null, batch_group = case when r.state = 'pending' then null else r.batch_group end
from held where r.id = held.id
returning r.id`;

/** Takes card data away when its time has come, and says so in the audit trail. */
@Injectable()
export class CardRetention {
  private readonly logger = new Logger(CardRetention.name);

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
    private readonly audit: AuditTrail,
  ) {}

  /** Called every minute. */
  async tend(): Promise<void> {
    await this.shredDue();
    const idle = await interruptIdleImports(this.database, IDLE_IMPORT_MINUTES);
    for (const importId of idle) this.logger.warn({ msg: 'an import stood still and counts as interrupted', importId });
  }

  /** Returns the number of records whose card data is gone now. */
  async shredDue(): Promise<number> {
    let shredded = 0;
    for (let n = SHRED_LIMIT; n >= SHRED_LIMIT; shredded += n) n = await this.shredSome();
    if (shredded > 0) this.logger.log({ msg: 'card data was shredded', records: shredded });
    return shredded;
  }

  private async shredSome(): Promise<number> {
    return this.database.transaction(async (tx) => {
      const rows = await tx.query(SHRED, [this.environment.cardDataRetention / 1000, SHRED_LIMIT]);
      if (rows.length > 0) {
        const detail = { records: rows.length, retentionSeconds: this.environment.cardDataRetention / 1000 };
        await this.audit.append(tx, { action: 'card-data.shred', target: 'records', detail });
      }
      return rows.length;
    });
  }
}
