import { Column, Entity, PrimaryColumn } from 'typeorm';

/** State of an AMLYZE endpoint that all replicas share. */
@Entity('amlyze_endpoint')
export class AmlyzeEndpointEntity {
  @PrimaryColumn('text')
  endpoint: string;

  /** operator = waits for a person or a changed configuration; probed all the same. */
  @Column('text', { nullable: true })
  pause: 'backoff' | 'rate-limit' | 'operator' | null;

  @Column('text', { nullable: true })
  pauseReason: string | null;

  @Column('timestamptz', { nullable: true })
  pausedSince: Date | null;

  @Column('timestamptz', { nullable: true })
  pausedUntil: Date | null;

  /** Failed probes in a row: the exponent of the wait. */
  @Column('integer', { default: 0 })
  failures: number;

  /** Raised by every change, so that calls already in flight count once. */
  @Column('bigint', { default: 0 })
  generation: string;

  /** Lease of the probe that is on its way; without a pause, when replicas with a refused configuration try again. */
  @Column('timestamptz', { nullable: true })
  probeUntil: Date | null;

  /** Records of the last failure; a probe takes others where there are any. */
  @Column('bigint', { array: true, default: '{}' })
  lastFailedIds: string[];

  @Column('timestamptz', { nullable: true })
  lastSuccessAt: Date | null;

  /** Most records of a batch after a 413 or a time-out; null = as configured. */
  @Column('integer', { nullable: true })
  batchLimit: number | null;

  /** Of the configurations that AMLYZE has refused since one of them got through; see endpoint-state.ts. */
  @Column('text', { nullable: true })
  configurationHash: string | null;
}
