import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How a bank API has been doing lately: the circuit breaker that all replicas share. */
@Entity('connection_health')
export class ConnectionHealthEntity {
  @PrimaryColumn('bigint')
  connectionId: string;

  /** Calls in a row that found the bank unavailable; what opens the breaker. */
  @Column('integer', { default: 0 })
  unavailableInRow: number;

  /** Calls in a row that failed in any way; what a bank may suspend us for. */
  @Column('integer', { default: 0 })
  failedInRow: number;

  @Column('text', { nullable: true })
  lastReason: string | null;

  @Column('timestamptz', { nullable: true })
  openSince: Date | null;

  /** Until then no call is made; afterwards one at a time may probe. */
  @Column('timestamptz', { nullable: true })
  openUntil: Date | null;

  /** Lease of the probe. */
  @Column('timestamptz', { nullable: true })
  probeUntil: Date | null;
}
