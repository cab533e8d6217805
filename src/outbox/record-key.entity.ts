import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The latest revision of a business key; outlives the records themselves. */
@Entity('record_key')
export class RecordKeyEntity {
  @PrimaryColumn('bigint')
  accountId: string;

  /** AMLYZE's code. */
  @PrimaryColumn('text')
  balanceType: string;

  /** The balance's time, or the run's slot where the bank gives no time. */
  @PrimaryColumn('text')
  key: string;

  @Column('integer')
  revision: number;

  @Column('numeric')
  value: string;

  @Column('text')
  communicationNumber: string;

  /** Of the mapping settings that made the value. */
  @Column('text')
  settingsHash: string;
}
