import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An account of a run, due until it has an outcome. */
@Entity('sync_run_account')
export class SyncRunAccountEntity {
  @PrimaryColumn('bigint')
  runId: string;

  @PrimaryColumn('bigint')
  accountId: string;

  @Column('bigint')
  connectionId: string;

  @Column('bigint')
  subjectId: string;

  @Column('timestamptz', { default: () => 'now()' })
  dueAt: Date;

  @Column('smallint', { default: 0 })
  tries: number;

  @Column('text', { nullable: true })
  outcome: string | null;

  /** The reading that counts for the run. */
  @Column('bigint', { nullable: true })
  readingId: string | null;
}
