import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RecordChannel, RecordState } from './record-state';
import type { Standing } from './standing';

/** How far a record got. The CHECKs of the table hold the state machine. No column that a claim changes may get into an index. */
@Entity('record_state')
export class RecordStateEntity {
  @PrimaryColumn('bigint')
  recordId: string;

  /** The AMLYZE endpoint that it goes to. */
  @Column('text')
  channel: RecordChannel;

  /** With the AMLYZE balance type the series, of which only the oldest open record may be sent; null for operations. */
  @Column('bigint', { nullable: true })
  accountId: string | null;

  @Column('text', { nullable: true })
  balanceType: string | null;

  @Column('timestamptz', { nullable: true })
  balanceAt: Date | null;

  @Column('integer', { default: 1 })
  revision: number;

  @Column('bigint', { nullable: true })
  runId: string | null;

  @Column('text', { default: 'pending' })
  state: RecordState;

  @Column('text', { nullable: true })
  reason: string | null;

  /** AMLYZE's code and words, verbatim. */
  @Column('text', { nullable: true })
  errorCode: string | null;

  @Column('text', { nullable: true })
  errorDescription: string | null;

  /** Bytes may have reached AMLYZE and no definite answer came; stays until the record is accepted. */
  @Column('boolean', { default: false })
  inDoubt: boolean;

  /** Times it was claimed; each leaves a row in delivery_result. */
  @Column('integer', { default: 0 })
  claims: number;

  /** Attempts that were its own fault. */
  @Column('smallint', { default: 0 })
  attempts: number;

  /** Batches with this record that failed as a whole while others succeeded. */
  @Column('smallint', { default: 0 })
  wholeFailures: number;

  @Column('bigint', { nullable: true })
  batchGroup: string | null;

  /** Its place among what is due, also while it is being sent; null once it is settled. */
  @Column('timestamptz', { nullable: true, default: () => 'now()' })
  nextAttemptAt: Date | null;

  /** The attempt that it is under way with, which is the fence of every write after a claim. */
  @Column('bigint', { nullable: true })
  attemptId: string | null;

  /** Set where the payload is sealed. */
  @Column('text', { nullable: true })
  cardData: 'kept' | 'shredded' | null;

  /** When it was put into the queue: with its record, and again by a requeue. Its age among what waits. */
  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  settledAt: Date | null;

  /** Made by the database out of state and settled_at; null for accepted records. Told to TypeORM as generated, it would want a table. */
  @Column({ type: 'text', nullable: true, insert: false, update: false })
  standing: Standing | null;
}
