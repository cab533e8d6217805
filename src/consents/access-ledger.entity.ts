import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A read that may have reached the bank, committed before the call: the budget counts these rows. */
@Entity('access_ledger')
export class AccessLedgerEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('bigint')
  subjectId: string;

  @Column('bigint')
  consentId: string;

  @Column('timestamptz', { default: () => 'now()' })
  readAt: Date;

  /** The account owner was present; such reads cost no budget. */
  @Column('boolean', { default: false })
  attended: boolean;

  @Column('text')
  purpose: 'schedule' | 'resync' | 'preview';

  /** X-Request-ID of the call. */
  @Column('uuid')
  requestId: string;
}
