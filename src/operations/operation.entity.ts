import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** The business key of an operation and its latest revision; kept for ever, so that nothing is imported twice. */
@Entity('operation')
export class OperationEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  /** Empty where there is none. */
  @Column('text', { default: '' })
  businessUnit: string;

  @Column('text')
  operationExtId: string;

  @Column('integer', { default: 1 })
  revision: number;

  /** Of the latest revision's content; keyed where it holds card data. */
  @Column('bytea')
  contentHash: Buffer;

  /** Of the latest revision. */
  @Column('text')
  communicationNumber: string;

  /** The import that brought the latest revision. */
  @Column('bigint')
  importId: string;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
