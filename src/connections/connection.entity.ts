import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** How a bank API is reached. */
@Entity('connection')
export class ConnectionEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT' })
  id: string;

  /** Unique among connections. */
  @Column('text')
  name: string;

  /** Name of the provider folder: mypos, onesingleview. */
  @Column('text')
  provider: string;

  @Column('text')
  baseUrl: string;

  /** Validated by the provider's settings class. */
  @Column('jsonb', { default: {} })
  settings: Record<string, unknown>;

  /** Secret name to sealed text; opened only for a call. */
  @Column('jsonb', { default: {} })
  secrets: Record<string, string>;

  @Column('text', { default: 'active' })
  status: 'active' | 'paused';

  @Column('text', { nullable: true })
  pauseReason: string | null;

  /** The gateway pauses by itself where a certificate or signature is refused. */
  @Column('text', { nullable: true })
  pausedBy: 'operator' | 'gateway' | null;

  @Column('timestamptz', { nullable: true })
  pausedAt: Date | null;

  /** No call before this time: the bank's Retry-After, kept over restarts. */
  @Column('timestamptz', { nullable: true })
  notBefore: Date | null;

  @Column('text', { nullable: true })
  notBeforeReason: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updatedAt: Date;
}
