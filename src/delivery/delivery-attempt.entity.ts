import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** One HTTP call to AMLYZE: inserted before the call, completed once (a trigger refuses more). */
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
  outcome: string | null;

  @Column('text', { nullable: true })
  detail: string | null;

  @Column('integer', { nullable: true })
  latencyMs: number | null;
}
