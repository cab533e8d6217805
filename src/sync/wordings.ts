import { Injectable, Logger } from '@nestjs/common';
import { sentence, type ShownStep, type Step, type StoredStep } from '../balances/step';
import { Database, type Queryable } from '../shared/database';

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
  private numbers = new WeakMap<readonly string[], number>();
  private sessions = 0;
  private readonly unknown = new Map<readonly string[], Step>();

  constructor(private readonly database: Database) {}

  /** One line of JSON, null for no steps. */
  readonly toJson = (steps: readonly Step[]): string | null => {
    if (steps.length === 0) return null;
    this.forgetOtherServers();
    return JSON.stringify(steps.map((step) => this.toStored(step)));
  };

  /** Gives numbers to what was met without one. */
  async learn(): Promise<void> {
    for (const [words, { rule }] of this.unknown) {
      this.unknown.delete(words);
      try {
        const number = await this.keep(rule, words);
        this.forgetOtherServers();
        this.numbers.set(words, number);
      } catch (error) {
        // The next reading that says so tries again.
        this.logger.warn({ msg: 'a wording could not be kept', rule, error: String(error) });
      }
    }
  }

  private async keep(rule: string, words: readonly string[]): Promise<number> {
    const sessions = this.database.sessionsOpened;
    const [row] = await this.database.query<{ id: number }>(KEEP, [rule, words]);
    if (!row) throw new Error('wording returned no row');
    // A session that was opened meanwhile may be with another server than the one that gave this number.
    return sessions === this.database.sessionsOpened ? row.id : this.keep(rule, words);
  }

  /** A number that a server has lost may be another sentence's there. */
  private forgetOtherServers(): void {
    if (this.sessions === this.database.sessionsOpened) return;
    this.sessions = this.database.sessionsOpened;
    this.numbers = new WeakMap();
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
