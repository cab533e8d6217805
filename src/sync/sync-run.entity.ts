import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** One pass over the due accounts: a slot of the schedule or a resync. */
@Entity('sync_run')
export class SyncRunEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('text')
  trigger: 'schedule' | 'resync';

  /** The scheduled time; one run per slot. Absent for a resync. */
  @Column('timestamptz', { nullable: true })
  slot: Date | null;

  /** The selector as it was asked for. */
  @Column('jsonb')
  scope: Record<string, unknown>;

  /** Makes a new revision of unchanged balances. */
  @Column('boolean', { default: false })
  force: boolean;

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('integer', { default: 0 })
  accounts: number;

  /** The last account put in so far, while the run is being filled; null once it is complete. */
  @Column('bigint', { nullable: true })
  filledTo: string | null;

  /** Accounts by outcome, counted once when the run is finished. */
  @Column('jsonb', { nullable: true })
  outcomes: Record<string, number> | null;

  /** Its records by state, once all of them are settled. */
  @Column('jsonb', { nullable: true })
  records: Record<string, number> | null;

  @Column('timestamptz', { default: () => 'now()' })
  startedAt: Date;

  /** Set once every account of the run has an outcome. */
  @Column('timestamptz', { nullable: true })
  finishedAt: Date | null;
}
