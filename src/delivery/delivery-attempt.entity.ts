import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { AttemptOutcome } from '../outbox/attempt';

/** One HTTP call to AMLYZE: inserted before the call, completed once (a trigger refuses more). Until then it is the claim of its records. */
@Entity('delivery_attempt')
export class DeliveryAttemptEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('text')
  endpoint: string;

  @Column('integer')
  records: number;

  @Column('text')
  replica: string;

  @Column('timestamptz', { default: () => 'now()' })
  startedAt: Date;

  @Column('timestamptz', { nullable: true })
  finishedAt: Date | null;

  @Column('smallint', { nullable: true })
  httpStatus: number | null;

  @Column('text', { nullable: true })
  outcome: AttemptOutcome | null;

  @Column('text', { nullable: true })
  detail: string | null;

  @Column('integer', { nullable: true })
  latencyMs: number | null;

  /** Until when the records are its own, if it is not renewed; null once it is complete. */
  @Column('timestamptz', { nullable: true })
  leaseUntil: Date | null;

  /** The records that it carries; null once it is complete, when delivery_result has them. */
  @Column('bigint', { nullable: true, array: true })
  recordIds: string[] | null;
}
