import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { StoredStep } from './step';

/** What the bank said in one read of one account, with its outcome; never changed afterwards. */
@Entity('balance_reading')
export class BalanceReadingEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('bigint')
  accountId: string;

  @Column('bigint', { nullable: true })
  runId: string | null;

  @Column('text')
  outcome: string;

  /** Why not READ, in words for an operator. */
  @Column('text', { nullable: true })
  reason: string | null;

  @Column('timestamptz', { nullable: true })
  nextReadAt: Date | null;

  @Column('timestamptz', { default: () => 'now()' })
  fetchedAt: Date;

  @Column('boolean', { default: false })
  attended: boolean;

  @Column('uuid', { nullable: true })
  requestId: string | null;

  @Column('smallint', { nullable: true })
  httpStatus: number | null;

  @Column('integer', { nullable: true })
  latencyMs: number | null;

  /** The bank's answer as it came. */
  @Column('text', { nullable: true })
  rawBody: string | null;

  @Column('timestamptz', { nullable: true })
  balanceAt: Date | null;

  @Column('text', { nullable: true })
  balanceAtSource: 'bank' | 'fetch' | null;

  @Column('text', { nullable: true })
  communicationNumber: string | null;

  /** What the mapping did: of each step the number of its wording and its figures. json, so that its order and digits stay. */
  @Column('json', { nullable: true })
  steps: StoredStep[] | null;

  /** Of a reading that was made once for several runs, in all but one of them: the one that has its traces. */
  @Column('bigint', { nullable: true })
  firstReadingId: string | null;

  /** It ends the account's part in the run; false where the run goes on with another try. */
  @Column('boolean', { default: true })
  final: boolean;
}
