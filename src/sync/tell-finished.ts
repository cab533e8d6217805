import type { Logger } from '@nestjs/common';
import type { FinishedRun } from './runs';

/** Says in the log which runs are over, and loudly where one does not add up. */
export function tellFinished(logger: Pick<Logger, 'log' | 'error'>, runs: readonly FinishedRun[]): void {
  for (const { runId, accounts, outcomes, seconds, missing } of runs) {
    logger.log({ msg: 'run finished', runId, accounts, seconds, outcomes });
    if (missing !== 0)
      logger.error({ msg: 'accounts of a run have no outcome, by a fault of the gateway', runId, accounts: missing });
  }
}
