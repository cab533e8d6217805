import { Injectable, Logger } from '@nestjs/common';
import { sentence, type Step } from '../balances/step';
import { Database, type Queryable } from '../shared/database';

/** A step as balance_reading keeps it: the number of its wording and its figures, or all of it where the wording had no number yet. */
export type StoredStep = [wording: number, ...figures: string[]] | ShownStep;

/** A step as people read it. */
export interface ShownStep {
  rule: string;
  text: string;
}

const KEEP = {
  name: 'sync-keep-wording',
  text: `insert into wording (rule, words) values ($1, $2::text[]) on conflict (rule, words) do update set rule = excluded.rule returning id`,
};

/**
 * Keeps the words of explanations apart from their figures. The first readings after a start carry whole sentences; what they
 * said gets its numbers afterwards, in a statement of its own, so that no number can be lost with a transaction.
 */
@Injectable()
export class Wordings {
  private readonly logger = new Logger(Wordings.name);
  /** By the array of words, of which each place in the code has one. */
  private readonly numbers = new WeakMap<readonly string[], number>();
  private readonly unknown = new Map<readonly string[], Step>();

  constructor(private readonly database: Database) {}

  /** One line of JSON, null for no steps. */
  readonly toJson = (steps: readonly Step[]): string | null =>
    steps.length === 0 ? null : JSON.stringify(steps.map((step) => this.toStored(step)));

  /** Gives numbers to what was met without one. */
  async learn(): Promise<void> {
    for (const [words, { rule }] of this.unknown) {
      this.unknown.delete(words);
      try {
        const [row] = await this.database.query<{ id: number }>(KEEP, [rule, words]);
        if (row) this.numbers.set(words, row.id);
      } catch (error) {
        // The next reading that says so tries again.
        this.logger.warn({ msg: 'a wording could not be kept', rule, error: String(error) });
      }
    }
  }

  private toStored(step: Step): StoredStep {
    const number = this.numbers.get(step.words);
    if (number !== undefined) return [number, ...step.figures];
    this.unknown.set(step.words, step);
    return { rule: step.rule, text: step.text };
  }
}

/** Stored steps as sentences again. */
export async function showSteps(db: Queryable, stored: readonly StoredStep[]): Promise<ShownStep[]> {
  const numbers = stored.flatMap((step) => (Array.isArray(step) ? [step[0]] : []));
  const rows = await db.query<{ id: number; rule: string; words: string[] }>(
    'select id, rule, words from wording where id = any($1::integer[])',
    [numbers],
  );
  const wordings = new Map(rows.map((row) => [row.id, row]));
  return stored.map((step) => {
    if (!Array.isArray(step)) return step;
    const [number, ...figures] = step;
    const wording = wordings.get(number);
    if (!wording) throw new Error(`wording ${number} of a step is missing`);
    return { rule: wording.rule, text: sentence(wording.words, figures) };
  });
}
