import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Who changed what and why; append-only by trigger. */
@Entity('audit_entry')
export class AuditEntryEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('timestamptz', { default: () => 'now()' })
  at: Date;

  @Column('text')
  actor: string;

  @Column('text')
  action: string;

  /** Kind and id of what was changed. */
  @Column('text')
  target: string;

  @Column('text', { nullable: true })
  reason: string | null;

  /** Never holds secrets. */
  @Column('jsonb', { default: {} })
  detail: Record<string, unknown>;

  @Column('text')
  correlationId: string;
}
