import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** An account at a bank, and what AMLYZE calls it. */
@Entity('account')
export class AccountEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('bigint')
  connectionId: string;

  @Column('bigint')
  consentId: string;

  @Column('bigint')
  subjectId: string;

  @Column('text', { default: '' })
  bankCode: string;

  @Column('text')
  providerAccountId: string;

  /** ISO 4217; the currency of the AMLYZE account. */
  @Column('text')
  currency: string;

  @Column('text')
  accountExtId: string;

  @Column('text', { nullable: true })
  businessUnit: string | null;

  /** A closed account is read no more; its history stays. */
  @Column('text', { default: 'active' })
  status: 'active' | 'closed';

  @Column('timestamptz', { nullable: true })
  closedAt: Date | null;

  /** AMLYZE balance type to the provider's balance type that its series is made of. */
  @Column('jsonb', { default: {} })
  pinnedTypes: Record<string, string>;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updatedAt: Date;
}
