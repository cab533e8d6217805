import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { AmlyzeClient } from '../amlyze/amlyze.client';
import { judgePreflight } from '../amlyze/operation-verdict';
import { Environment } from '../config/environment';
import { maskCardNumbers } from '../shared/card-scan';
import type { Candidate } from './candidate';
import type { CheckedLine } from './check-line';
import { asksForScreening } from './operation';
import { buildOperationRecord } from './operation-record';

/**
 * Asks AMLYZE's dry run about operations before they are taken, where the institution wants that: what only AMLYZE can know
 * is then refused line by line, and nothing of it reaches the outbox. The dry run stores nothing, so the numbers that it
 * sees are made up. It knows no screening; operations that ask for it are left to the real send.
 */
@Injectable()
export class Preflight {
  private readonly logger = new Logger(Preflight.name);

  constructor(
    private readonly client: AmlyzeClient,
    private readonly environment: Environment,
  ) {}

  /** The lines as they stand afterwards; unchanged where it is off, or where AMLYZE gives no list of results. */
  async ask(lines: readonly CheckedLine[]): Promise<readonly CheckedLine[]> {
    if (!this.environment.operationsPreflight) return lines;
    const refusals = new Map<number, string>();
    const asked = lines.flatMap(({ candidate }) =>
      candidate && !asksForScreening(candidate.operation) ? [candidate] : [],
    );
    for (let at = 0; at < asked.length; at += this.environment.amlyzeBatchSize) {
      await this.askBatch(asked.slice(at, at + this.environment.amlyzeBatchSize), refusals);
    }
    return lines.map((line) => {
      const words = refusals.get(line.line);
      if (words === undefined) return line;
      const message = `was refused by AMLYZE's validation: ${maskCardNumbers(words)}`;
      return { ...line, candidate: undefined, errors: [{ field: '', message }] };
    });
  }

  private async askBatch(candidates: readonly Candidate[], refusals: Map<number, string>): Promise<void> {
    const { amlyzeRequester: requester } = this.environment;
    const numbered = candidates.map((candidate) => ({ candidate, number: `preflight-${randomUUID()}` }));
    const result = await this.client.validateOperationBatch(
      numbered.map(({ candidate, number }) =>
        buildOperationRecord(candidate.operation, {
          communicationNumber: number,
          requester,
          channel: 'operation-batch',
        }),
      ),
    );
    const records = numbered.map(({ candidate, number }) => ({
      id: String(candidate.line),
      communicationNumber: number,
      accountExtId: undefined,
      operationExtId: candidate.key.operationExtId,
      ...(candidate.key.businessUnit !== undefined && { businessUnit: candidate.key.businessUnit }),
      inDoubtBefore: false,
      rejectedBefore: false,
      collidedBefore: false,
    }));
    const verdict = judgePreflight(result, records, new Date());
    if (verdict.kind === 'unchecked') {
      this.logger.warn({
        msg: "AMLYZE's validation gave no results; the operations are taken unvalidated",
        detail: maskCardNumbers(verdict.detail),
      });
      return;
    }
    for (const { id, errorCode, errorDescription } of verdict.refused) {
      refusals.set(Number(id), [errorCode, errorDescription].filter((words) => words !== undefined).join(' '));
    }
  }
}
