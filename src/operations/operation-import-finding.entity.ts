import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Finding } from './operation';

/** What an operator has to know about one line of an import; fields and rules, never values. */
@Entity('operation_import_finding')
export class OperationImportFindingEntity {
  @PrimaryColumn('bigint')
  importId: string;

  @PrimaryColumn('bigint')
  line: string;

  @PrimaryColumn('text')
  kind: 'refused' | 'conflict' | 'warned' | 'dropped';

  /** Masked where it could be a card number. */
  @Column('text', { nullable: true })
  operationExtId: string | null;

  @Column('json')
  findings: Finding[];
}
