import { Column, Entity, PrimaryColumn } from 'typeorm';

/** 1 base = rate quote, loaded by operators. */
@Entity('exchange_rate')
export class ExchangeRateEntity {
  @PrimaryColumn('text')
  base: string;

  @PrimaryColumn('text')
  quote: string;

  /** YYYY-MM-DD. */
  @PrimaryColumn('date')
  rateDate: string;

  @Column('numeric')
  rate: string;

  @Column('text')
  source: string;

  @Column('timestamptz', { default: () => 'now()' })
  loadedAt: Date;
}
