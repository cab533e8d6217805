import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** The words of one sentence of explanations, once for all readings that say it. */
@Entity('wording')
export class WordingEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'BY DEFAULT' })
  id: number;

  @Column('text')
  rule: string;

  /** The parts between the figures. */
  @Column('text', { array: true })
  words: string[];
}
