import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Verdict } from '../outbox/attempt';

/** What one attempt brought for one record: the log an auditor reads, append-only by trigger. */
@Entity('delivery_result')
export class DeliveryResultEntity {
  @PrimaryColumn('bigint')
  recordId: string;

  @PrimaryColumn('bigint')
  attemptId: string;

  /** The answer came after the claim was lost and changed no state. */
  @PrimaryColumn('boolean', { default: false })
  late: boolean;

  @Column('text')
  verdict: Verdict;

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('text', { nullable: true })
  errorCode: string | null;

  @Column('text', { nullable: true })
  errorDescription: string | null;

  /** AMLYZE's item as it came. */
  @Column('text', { nullable: true })
  answer: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  settledAt: Date;
}
