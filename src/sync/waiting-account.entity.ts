import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An account that waits to be read in a run; gone with the reading that ends its part in it. */
@Entity('waiting_account')
export class WaitingAccountEntity {
  @PrimaryColumn('bigint')
  runId: string;

  @PrimaryColumn('bigint')
  accountId: string;

  @Column('bigint')
  connectionId: string;

  @Column('bigint')
  subjectId: string;

  @Column('timestamptz', { default: () => 'now()' })
  dueAt: Date;

  @Column('smallint', { default: 0 })
  tries: number;
}
