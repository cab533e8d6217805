import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** What one bank call reads: an account at the bank under a consent. The claim of a read lives here. */
@Entity('access_subject')
export class AccessSubjectEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('bigint')
  consentId: string;

  @Column('text', { default: '' })
  bankCode: string;

  @Column('text')
  providerAccountId: string;

  /** Fence of every write after a claim. */
  @Column('bigint', { default: 0 })
  epoch: string;

  /** Replica that reads now. */
  @Column('text', { nullable: true })
  claimedBy: string | null;

  @Column('timestamptz', { nullable: true })
  leaseUntil: Date | null;

  @Column('timestamptz', { nullable: true })
  notBefore: Date | null;

  @Column('text', { nullable: true })
  notBeforeReason: string | null;

  @Column('timestamptz', { nullable: true })
  lastReadAt: Date | null;
}
