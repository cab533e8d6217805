import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** One request that brought operations, and how far it is committed. */
@Entity('operation_import')
export class OperationImportEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  @Column('text', { nullable: true })
  idempotencyKey: string | null;

  @Column('text')
  source: 'json' | 'ndjson' | 'csv';

  @Column('text', { default: 'running' })
  status: 'running' | 'finished' | 'interrupted';

  /** Fence: raised by every request that goes on with this import. */
  @Column('integer', { default: 1 })
  epoch: number;

  /** First line that is not committed yet. */
  @Column('bigint', { default: 1 })
  nextLine: string;

  /** Lines with content so far: taken, unchanged and refused ones. */
  @Column('bigint', { default: 0 })
  lines: string;

  @Column('bigint', { default: 0 })
  taken: string;

  @Column('bigint', { default: 0 })
  unchanged: string;

  @Column('bigint', { default: 0 })
  refused: string;

  /** Lines with a warning or a dropped field; they are among the others. */
  @Column('bigint', { default: 0 })
  warned: string;

  /** Some operations are younger than 24 hours. */
  @Column('boolean', { default: false })
  young: boolean;

  @Column('timestamptz', { default: () => 'now()' })
  startedAt: Date;

  /** Of the last committed chunk. */
  @Column('timestamptz', { default: () => 'now()' })
  touchedAt: Date;

  @Column('timestamptz', { nullable: true })
  finishedAt: Date | null;

  /** Keyed, over the lines that are committed; null where no key lets the import be repeated. */
  @Column('bytea', { nullable: true })
  bodyDigest: Buffer | null;
}
