import { Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '../admin/audit-trail';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';

/** Whatever became of a record, its card data does not stay longer than this. */
const LONGEST_DAYS = 30;
const SHRED_LIMIT = 1_000;

// What is on its way to AMLYZE is left to the next pass: its lease ends in seconds. A record that was still due is held, since
// it has nothing left to send; a resubmission of the same content brings it back.
const SHRED = `
with due as materialized (
  select id from (
    (select s.record_id as id from record_state s join amlyze_record r on r.id = s.record_id
     where s.card_data = 'kept' and s.state in ('accepted', 'rejected')
       and s.settled_at < now() - make_interval(secs => $1) and r.sealed_at < now() - make_interval(secs => $1)
     order by s.settled_at limit $2)
    union
    (select r.id from amlyze_record r join record_state s on s.record_id = r.id
     where r.sealed and r.payload is not null and s.state <> 'sending' and r.sealed_at < now() - make_interval(days => ${LONGEST_DAYS})
     order by r.sealed_at limit $2)
  ) candidates
), held as materialized (
  select s.record_id as id from record_state s join due on due.id = s.record_id
  where s.state <> 'sending' and s.card_data = 'kept' for update of s skip locked
), stated as (
  update record_state s
  set card_data = 'shredded', state = case when s.state = 'pending' then 'held' else s.state end,
      reason = case when s.state = 'pending' then 'SHREDDED' else s.reason end,
      settled_at = case when s.state = 'pending' then now() else s.settled_at end,
      next_attempt_at = null, batch_group = case when s.state = 'pending' then null else s.batch_group end
  from held where s.record_id = held.id
)
update amlyze_record r set payload = null, shredded_at = now() from held where r.id = held.id
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

  /** Called every minute. Returns the number of records whose card data is gone now. */
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
