import type { LateAnswers, SettledCall } from '../outbox/settle';
import { takeTurn, type TurnClaim, type TurnResult } from '../outbox/turn';
import type { Database } from '../shared/database';
import type { Settling } from './settling';

/** Answers that are settled in one turn at most. */
const MAX_PER_TURN = 64;

interface Waiting {
  settled: SettledCall;
  resolve: (late: LateAnswers) => void;
  reject: (error: unknown) => void;
}

/** Answers whose settlements wait for the next turn of their sender. */
export class Answers {
  private waiting: Waiting[] = [];

  constructor(
    private readonly parts: { database: Database; settling: Settling },
    private readonly onNew: () => void,
  ) {}

  /** How many the next turn settles. */
  get due(): number {
    return Math.min(this.waiting.length, MAX_PER_TURN);
  }

  /** Resolves when a turn has settled it; see SettlementWriter.write, which this stands in for. */
  readonly add = (settled: SettledCall): Promise<LateAnswers> =>
    new Promise((resolve, reject) => {
      this.waiting.push({ settled, resolve, reject });
      this.onNew();
    });

  /** Settles what is due and makes the claim, in one commit. Where that fails, the answers are settled on their own. */
  async turn(claim: TurnClaim | undefined): Promise<TurnResult> {
    const due = this.waiting.splice(0, MAX_PER_TURN);
    const calls = due.map(({ settled }) => settled);
    try {
      const result = await takeTurn(this.parts.database, calls, claim);
      for (const { resolve } of due) resolve(result.late);
      return result;
    } catch (error) {
      // Whether it was committed is unknown: what was claimed comes back by its lease, in doubt. The answers are settled again
      // without the claim, and one by one where that fails too, so that only the guilty one is left.
      this.settleWithoutTurn(due);
      throw error;
    }
  }

  /** There will be no more turns. */
  end(): void {
    this.settleWithoutTurn(this.waiting.splice(0));
  }

  private settleWithoutTurn(answers: readonly Waiting[]): void {
    for (const { settled, resolve, reject } of answers) this.parts.settling.writer.write(settled).then(resolve, reject);
  }
}
