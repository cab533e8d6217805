import { Column, Entity, PrimaryColumn } from 'typeorm';

/** When the next call of a connection with a `requestsPerSecond` may start, over all replicas. */
@Entity('connection_pace')
export class ConnectionPaceEntity {
  @PrimaryColumn('bigint')
  connectionId: string;

  @Column('timestamptz', { default: () => "'-infinity'" })
  nextCallAt: Date;
}
