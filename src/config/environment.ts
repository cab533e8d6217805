import { Injectable } from '@nestjs/common';

export interface EncryptionKey {
  id: string;
  key: Buffer;
}

export interface Endpoint {
  method: 'POST' | 'PUT';
  path: string;
}

/** What the gateway was started with, validated. */
@Injectable()
export class Environment {
  readonly port: number = 3000;
  readonly host: string = '127.0.0.1';
  readonly databaseUrl?: string;
  readonly dataDir: string = '.data';
  readonly adminApiKey: string;
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly amlyzeBaseUrl: string;
  readonly amlyzeToken?: string;
  readonly amlyzeTokenFile?: string;
  readonly amlyzeRequester: string = 'open-banking-gateway';
  readonly amlyzeBusinessUnit?: string;
  readonly amlyzeTenantHeader?: { name: string; value: string };
  readonly amlyzeBatchSize: number = 500;
  readonly amlyzeConcurrency: number = 4;
  readonly amlyzeTimeoutMs: number = 30_000;
  readonly amlyzeMaxAttempts: number = 12;
  readonly amlyzeBatchEndpoint: Endpoint = { method: 'POST', path: '/amlyze-ws-rest/batch-account-balances' };
  readonly amlyzeSingleEndpoint: Endpoint = { method: 'PUT', path: '/amlyze-ws-rest/account-balance' };
  readonly communicationNumberPrefix: string = 'obg-';
  readonly syncCron: string = '0 6,12,18 * * *';
  readonly syncConcurrency: number = 32;
  readonly equivalentCurrency?: string;
  readonly leaseSeconds: number = 30;
  readonly pollIntervalMs: number = 500;
  readonly allowPrivateAddresses: boolean = false;
  readonly logLevel: string = 'info';
  readonly metricsPublic: boolean = false;
}

export function loadEnvironment(env: NodeJS.ProcessEnv): Environment {
  void env;
  return new Environment();
}
