import { Column, Entity, PrimaryColumn } from 'typeorm';

/** This database's own name, made once, so that two installations on one AMLYZE tenant never share numbers. */
@Entity('installation')
export class InstallationEntity {
  @PrimaryColumn('boolean', { default: true })
  singleton: boolean;

  /** Twelve hexadecimal digits. */
  @Column('text')
  id: string;

  @Column('timestamptz')
  createdAt: Date;
}
