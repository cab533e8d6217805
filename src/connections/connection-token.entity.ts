import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The provider's own access token, shared by all replicas. */
@Entity('connection_token')
export class ConnectionTokenEntity {
  @PrimaryColumn('bigint')
  connectionId: string;

  /** Sealed. */
  @Column('text', { nullable: true })
  accessToken: string | null;

  @Column('timestamptz', { nullable: true })
  expiresAt: Date | null;

  /** Lease of the replica that renews. */
  @Column('timestamptz', { nullable: true })
  refreshingUntil: Date | null;

  /** Fence: a renewal is stored only under the epoch it began with. */
  @Column('bigint', { default: 0 })
  epoch: string;
}
