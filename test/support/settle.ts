import type { AttemptEnd } from '../../src/outbox/attempt';
import { settleCalls, type LateAnswers, type Settlement } from '../../src/outbox/settle';
import type { Queryable } from '../../src/shared/database';

/** `settleCalls` for one call. */
export async function settle(
  db: Queryable,
  attemptId: string,
  settlements: readonly Settlement[],
  end: AttemptEnd,
): Promise<LateAnswers> {
  return settleCalls(db, [{ attemptId, settlements, end }]);
}
