import { Injectable } from '@nestjs/common';
import { AmlyzeClient } from '../amlyze/amlyze.client';
import { judgeOperation, judgeOperationAlone, judgeOperationBatch } from '../amlyze/operation-verdict';
import type { CallVerdict, SentRecord } from '../amlyze/record-verdict';
import { Environment } from '../config/environment';
import type { Lane } from '../delivery/lane';
import type { ClaimedRecord } from '../outbox/claimed-record';
import type { Answer, CallFailure } from '../shared/http-client';
import { SecretProblem } from '../shared/secret-box';
import { CardVault } from './card-vault';
import { maskedVerdict } from './masked-verdict';

/**
 * What does not open, its key gone or its bytes damaged, may be one record's own fault: nothing is sent, and the record is looked for as
 * one that AMLYZE cannot read.
 */
function openAll(vault: CardVault, records: readonly ClaimedRecord[]): string[] | CallFailure {
  try {
    return records.map((record) => vault.openPayload(record));
  } catch (error) {
    if (!(error instanceof SecretProblem)) throw error;
    const detail = `a frozen request does not open, check CARD_DATA_KEYS: ${error.message}`;
    return { kind: 'failure', cause: 'sealed-request', bytesMayHaveLeft: false, detail, latencyMs: 0 };
  }
}

/** Operations one by one: the default, and for those that ask for screening the only way. */
@Injectable()
export class OperationSingleLane implements Lane {
  readonly kind = 'operation';
  readonly channel = 'operation-single';
  readonly endpoint = 'operations';
  readonly batchSize = 1;
  readonly oneByOne = true;
  readonly concurrency: number;

  constructor(
    private readonly client: AmlyzeClient,
    private readonly vault: CardVault,
    environment: Environment,
  ) {
    this.concurrency = environment.amlyzeConcurrency;
  }

  configurationHash(): string {
    return this.client.configurationHash();
  }

  sendBatch(): Promise<Answer | CallFailure> {
    throw new Error('this channel has no batch');
  }

  /** The plain bytes exist in memory from here to the socket. */
  async sendSingle(record: ClaimedRecord): Promise<Answer | CallFailure> {
    const opened = openAll(this.vault, [record]);
    return Array.isArray(opened) ? this.client.sendOperation(opened.join()) : opened;
  }

  judgeBatch(): CallVerdict {
    throw new Error('this channel has no batch');
  }

  judgeSingle(result: Answer | CallFailure, record: SentRecord, now: Date): CallVerdict {
    return maskedVerdict(judgeOperation(result, record, now));
  }
}

/** Operations in batches. What a batch cannot settle is sent as a batch of one: the bytes lack what the single endpoint asks for. */
@Injectable()
export class OperationBatchLane implements Lane {
  readonly kind = 'operation';
  readonly channel = 'operation-batch';
  readonly endpoint = 'operation-batches';
  readonly batchSize: number;
  readonly oneByOne = false;
  readonly concurrency: number;

  constructor(
    private readonly client: AmlyzeClient,
    private readonly vault: CardVault,
    environment: Environment,
  ) {
    this.batchSize = environment.amlyzeBatchSize;
    this.concurrency = environment.amlyzeConcurrency;
  }

  configurationHash(): string {
    return this.client.configurationHash();
  }

  async sendBatch(records: readonly ClaimedRecord[]): Promise<Answer | CallFailure> {
    const opened = openAll(this.vault, records);
    return Array.isArray(opened) ? this.client.sendOperationBatch(opened) : opened;
  }

  sendSingle(record: ClaimedRecord): Promise<Answer | CallFailure> {
    return this.sendBatch([record]);
  }

  judgeBatch(result: Answer | CallFailure, records: readonly SentRecord[], now: Date): CallVerdict {
    return maskedVerdict(judgeOperationBatch(result, records, now));
  }

  judgeSingle(result: Answer | CallFailure, record: SentRecord, now: Date): CallVerdict {
    return maskedVerdict(judgeOperationAlone(result, record, now));
  }
}
