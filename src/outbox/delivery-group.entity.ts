import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Half of a batch that was cut in two; claimed whole. */
@Entity('delivery_group')
export class DeliveryGroupEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  /** The group of the first cut. */
  @Column('bigint')
  rootId: string;

  /** Cuts since the root. */
  @Column('smallint')
  depth: number;

  @Column('text')
  cause: 'bad-request' | 'whole-failure';

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
