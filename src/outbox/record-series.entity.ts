import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The balances of one account and type. Kept up by a trigger of amlyze_record. */
@Entity('record_series')
export class RecordSeriesEntity {
  @PrimaryColumn('bigint')
  accountId: string;

  /** AMLYZE's code. */
  @PrimaryColumn('text')
  balanceType: string;

  /** The latest instant that a record of the series has, whatever became of that record. */
  @Column('timestamptz')
  newestBalanceAt: Date;
}
