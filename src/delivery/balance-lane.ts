import { Injectable } from '@nestjs/common';
import { AmlyzeClient } from '../amlyze/amlyze.client';
import type { CallVerdict, SentRecord } from '../amlyze/record-verdict';
import { judgeBatch, judgeSingle } from '../amlyze/verdict';
import { Environment } from '../config/environment';
import type { ClaimedRecord } from '../outbox/claimed-record';
import type { Answer, CallFailure } from '../shared/http-client';
import type { Lane } from './lane';

/** Account balances: a batch endpoint, and a single one for what a batch cannot settle. */
@Injectable()
export class BalanceLane implements Lane {
  readonly kind = 'balance';
  readonly channel = 'balance';
  readonly endpoint = 'balances';
  readonly batchSize: number;
  readonly oneByOne = false;
  readonly concurrency: number;

  constructor(
    private readonly client: AmlyzeClient,
    environment: Environment,
  ) {
    this.batchSize = environment.amlyzeBatchSize;
    this.concurrency = environment.amlyzeConcurrency;
  }

  configurationHash(): string {
    return this.client.configurationHash();
  }

  sendBatch(records: readonly ClaimedRecord[]): Promise<Answer | CallFailure> {
    return this.client.sendBatch(records.map((record) => record.payload));
  }

  sendSingle(record: ClaimedRecord): Promise<Answer | CallFailure> {
    return this.client.sendSingle(record.payload);
  }

  judgeBatch(result: Answer | CallFailure, records: readonly SentRecord[], now: Date): CallVerdict {
    return judgeBatch(result, records, now);
  }

  judgeSingle(result: Answer | CallFailure, record: SentRecord, now: Date): CallVerdict {
    return judgeSingle(result, record, now);
  }
}
