import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A record for AMLYZE: what it is about, and its frozen bytes. A trigger refuses every change but that card data goes. How far it got stands in record_state. */
@Entity('amlyze_record')
export class AmlyzeRecordEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('text')
  communicationNumber: string;

  @Column('text')
  kind: 'balance' | 'operation';

  /** The AMLYZE endpoint that it goes to. */
  @Column('text', { default: 'balance' })
  channel: 'balance' | 'operation-single' | 'operation-batch';

  @Column('bigint', { nullable: true })
  accountId: string | null;

  @Column('text', { nullable: true })
  accountExtId: string | null;

  @Column('text', { nullable: true })
  businessUnit: string | null;

  /** Set for operations. */
  @Column('text', { nullable: true })
  operationExtId: string | null;

  @Column('bigint', { nullable: true })
  readingId: string | null;

  @Column('bigint', { nullable: true })
  runId: string | null;

  /** AMLYZE's code. */
  @Column('text', { nullable: true })
  balanceType: string | null;

  @Column('timestamptz', { nullable: true })
  balanceAt: Date | null;

  /** Decimal text with the digits of the payload. */
  @Column('numeric', { nullable: true })
  value: string | null;

  @Column('integer', { default: 1 })
  revision: number;

  /** communicationNumber of the revision before. */
  @Column('text', { nullable: true })
  supersedes: string | null;

  @Column('text', { nullable: true })
  supersedesReason: string | null;

  /** The very JSON that is sent, in every attempt; its ciphertext where `sealed`, null once shredded. */
  @Column('text', { nullable: true })
  payload: string | null;

  /** The payload holds card data and is ciphertext. */
  @Column('boolean', { default: false })
  sealed: boolean;

  @Column('timestamptz', { nullable: true })
  sealedAt: Date | null;

  /** Keyed hash of the plain bytes of a sealed payload. */
  @Column('bytea', { nullable: true })
  payloadDigest: Buffer | null;

  @Column('timestamptz', { nullable: true })
  shreddedAt: Date | null;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
