import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A record for AMLYZE: frozen bytes and how far they got. The CHECKs of the table hold the state machine. */
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

  @Column('text', { default: 'pending' })
  state: 'pending' | 'sending' | 'accepted' | 'rejected' | 'held' | 'exhausted';

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

  @Column('smallint', { default: 0 })
  attempts: number;

  /** Batches with this record that failed as a whole while others succeeded. */
  @Column('smallint', { default: 0 })
  wholeFailures: number;

  @Column('bigint', { nullable: true })
  batchGroup: string | null;

  @Column('timestamptz', { nullable: true, default: () => 'now()' })
  nextAttemptAt: Date | null;

  /** Fence of every write after a claim. */
  @Column('bigint', { default: 0 })
  epoch: string;

  @Column('timestamptz', { nullable: true })
  leaseUntil: Date | null;

  /** The attempt that is on its way, or the last one. */
  @Column('bigint', { nullable: true })
  attemptId: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  settledAt: Date | null;
}
