import { Injectable } from '@nestjs/common';
import * as parse from './parsers';
import type { Endpoint, EncryptionKey } from './parsers';
import type { FailPoint } from '../shared/fail-point';
import { Variable } from './variable';

export type { Endpoint, EncryptionKey } from './parsers';
export { ConfigurationProblem } from './configuration-problem';
export { databaseVariable, loadEnvironment, type DatabaseVariable } from './load-environment';

/**
 * What the gateway was started with: one property per environment variable, the same name in capitals. An absent or empty
 * variable has the default that stands here; one without a default is absent here too, or required where that is said.
 */
@Injectable()
export class Environment {
  /** TCP port of the REST API; 0 takes a free one. */
  @Variable(parse.wholeNumber(0, 65_535))
  readonly port: number = 3000;

  /** Address that the REST API listens on. Only loopback unless set; a container needs 0.0.0.0. */
  @Variable(parse.host)
  readonly host: string = '127.0.0.1';

  /**
   * Postgres 15 or newer, as postgres://user:password@host:port/database; `?sslmode=verify-full&sslrootcert=/path` for TLS.
   * Absent: the gateway runs a Postgres of its own in DATA_DIR.
   */
  @Variable(parse.databaseUrl)
  readonly databaseUrl?: string;

  /** Folder of the embedded database and the generated keys; not used with DATABASE_URL. */
  @Variable(parse.matching(/^[^\0]+$/, 'a folder'))
  readonly dataDir: string = '.data';

  /**
   * First admin key, at least 32 characters. Required with DATABASE_URL; otherwise generated once into DATA_DIR and printed at
   * that first start.
   */
  @Variable(parse.adminKey)
  readonly adminApiKey: string;

  /** True only at the start that made the admin key: the one time it is printed. Not a variable. */
  readonly adminApiKeyIsNew: boolean = false;

  /**
   * Keys that seal stored secrets: id:base64 of 32 bytes, several separated by commas. The first one writes, all of them read.
   * Required with DATABASE_URL; otherwise generated once into DATA_DIR.
   */
  @Variable(parse.encryptionKeys)
  readonly encryptionKeys: readonly EncryptionKey[];

  /** AMLYZE's base URL, https; http and private addresses only with ALLOW_PRIVATE_ADDRESSES. Required. */
  @Variable((text) => text.replace(/\/+$/, ''))
  readonly amlyzeBaseUrl: string;

  /** AMLYZE's API token. Either this or AMLYZE_TOKEN_FILE is required. */
  @Variable(parse.token)
  readonly amlyzeToken?: string;

  /** File that holds AMLYZE's API token; read again when it changes. */
  @Variable(parse.tokenFile)
  readonly amlyzeTokenFile?: string;

  /** Name of the calling system in every record, at most 100 characters. */
  @Variable(parse.text(100))
  readonly amlyzeRequester: string = 'open-banking-gateway';

  /** AMLYZE's businessUnit of every record that has none of its own; left out of the record unless set. */
  @Variable(parse.text(255))
  readonly amlyzeBusinessUnit?: string;

  /** Extra header of every call to AMLYZE, as "Name: value". */
  @Variable(parse.header)
  readonly amlyzeTenantHeader?: { name: string; value: string };

  /** Records in one call to AMLYZE. */
  @Variable(parse.wholeNumber(1, 5_000))
  readonly amlyzeBatchSize: number = 500;

  /** Calls to AMLYZE in flight, per replica: of balances, of operations one by one, and of operations in batches, each. */
  @Variable(parse.wholeNumber(1, 64))
  readonly amlyzeConcurrency: number = 4;

  /** Milliseconds until a call to AMLYZE is given up, from its start to the last byte of its answer. */
  @Variable(parse.wholeNumber(100, 600_000))
  readonly amlyzeTimeoutMs: number = 30_000;

  /** Attempts after which a record is exhausted; failures of the whole endpoint do not count. */
  @Variable(parse.wholeNumber(1, 1_000))
  readonly amlyzeMaxAttempts: number = 12;

  /** Method and path of the batch of balances, below AMLYZE_BASE_URL. */
  @Variable(parse.endpoint)
  readonly amlyzeBatchEndpoint: Endpoint = { method: 'POST', path: '/amlyze-ws-rest/batch-account-balances' };

  /** Method and path of a single balance, below AMLYZE_BASE_URL. */
  @Variable(parse.endpoint)
  readonly amlyzeSingleEndpoint: Endpoint = { method: 'PUT', path: '/amlyze-ws-rest/account-balance' };

  /** Begins every communicationNumber; a change of it makes new numbers. */
  @Variable(parse.matching(/^[A-Za-z0-9._-]{1,40}$/, 'at most 40 letters, digits, dots, dashes and underscores'))
  readonly communicationNumberPrefix: string = 'obg-';

  /**
   * Cron expression of the slots in which balances are read, UTC. Three a day leave the fourth unattended read that PSD2 allows
   * to an operator.
   */
  @Variable(parse.cronExpression)
  readonly syncCron: string = '0 6,12,18 * * *';

  /** Calls to banks in flight, per replica. */
  @Variable(parse.wholeNumber(1, 512))
  readonly syncConcurrency: number = 32;

  /** Reference currency for equivalentValue; the field is not sent unless set. */
  @Variable(parse.currency)
  readonly equivalentCurrency?: string;

  /** Seconds after which the work of a dead replica is taken over; renewed every third of it while the work lives. */
  @Variable(parse.wholeNumber(1, 3_600))
  readonly leaseSeconds: number = 30;

  /** Milliseconds between two looks for due work. */
  @Variable(parse.wholeNumber(10, 60_000))
  readonly pollIntervalMs: number = 500;

  /** Permits http and loopback or private addresses of banks and AMLYZE: sandbox and development only. */
  @Variable(parse.flag)
  readonly allowPrivateAddresses: boolean = false;

  /** Least severity that is logged. */
  @Variable(parse.oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'))
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent' = 'info';

  /** Serves /metrics without a key. */
  @Variable(parse.flag)
  readonly metricsPublic: boolean = false;

  /**
   * `without-monitoring` turns on the import of card payments. AMLYZE takes them as past operations and does not assess their
   * risk, so the institution has to say it in these words; absent, operations are refused.
   */
  @Variable(parse.oneOf('without-monitoring'))
  readonly operationsImport?: 'without-monitoring';

  /** How operations go out: one by one, or up to AMLYZE_BATCH_SIZE in a call; one that asks for screening always goes alone. */
  @Variable(parse.oneOf('single', 'batch'))
  readonly operationsDelivery: 'single' | 'batch' = 'single';

  /** Asks AMLYZE's validation of batches first, and sends what passes it. */
  @Variable(parse.flag)
  readonly operationsPreflight: boolean = false;

  /** What to do with a code that is not in its list: refuse the operation, or pass the code on with a warning. */
  @Variable(parse.oneOf('refuse', 'pass'))
  readonly operationsUnknownCodes: 'refuse' | 'pass' = 'refuse';

  /** Whether sourceCountry and destinationCountry have to be given: AMLYZE's fields call them optional, its errors mandatory. */
  @Variable(parse.flag)
  readonly operationsCountriesRequired: boolean = true;

  /** Whether a caller may bring communicationNumbers of its own. */
  @Variable(parse.flag)
  readonly operationsCallerNumbers: boolean = false;

  /** AMLYZE's cardOperationSubType codes of this client, separated by commas. */
  @Variable(parse.codes)
  readonly operationsCardSubTypes: readonly string[] = [
    'CARD_PURCHASE',
    'CARD_ACCOUNT_FUNDING_TRANSACTION',
    'CARD_PAYMENT_CREDIT',
    'CARD_REFUND',
  ];

  /** AMLYZE's riskManagementCategory codes of this client, separated by commas. */
  @Variable(parse.codes)
  readonly operationsRiskCategories: readonly string[] = ['OP_TRANSFER', 'OP_DEFAULT'];

  /** Country codes of this client; `ISO` stands for all of ISO 3166-1, so `ISO,XK` adds one. */
  @Variable(
    parse.codesOrIso({
      form: /^[A-Z]{2}$/,
      meaning: 'two capital letters',
      standard: 'ISO 3166-1',
      example: 'XK',
    }),
  )
  readonly operationsCountries: readonly string[] = ['ISO'];

  /** Currency codes of this client; `ISO` stands for all of ISO 4217. */
  @Variable(
    parse.codesOrIso({
      form: /^[A-Z0-9]{3,10}$/,
      meaning: '3 to 10 capital letters and digits',
      standard: 'ISO 4217',
      example: 'ETH',
    }),
  )
  readonly operationsCurrencies: readonly string[] = ['ISO'];

  /** Business units that operations may name, separated by commas; any unless set. */
  @Variable(parse.codes)
  readonly operationsBusinessUnits?: readonly string[];

  /** `encrypt` accepts card number, expiry date and holder and keeps them sealed; `refuse` refuses operations that have them. */
  @Variable(parse.oneOf('refuse', 'encrypt'))
  readonly cardData: 'refuse' | 'encrypt' = 'refuse';

  /**
   * Keys that seal requests with card data, written like ENCRYPTION_KEYS and different from them. Required with
   * CARD_DATA=encrypt and DATABASE_URL; without DATABASE_URL generated once into DATA_DIR.
   */
  @Variable(parse.encryptionKeys)
  readonly cardDataKeys?: readonly EncryptionKey[];

  /** Milliseconds that card data is kept after the verdict, written as 30m, 24h or 7d; it is shredded after 30 days in any case. */
  @Variable(parse.duration)
  readonly cardDataRetention: number = 24 * 3_600_000;

  /** Method and path of a single operation, below AMLYZE_BASE_URL. */
  @Variable(parse.endpoint)
  readonly amlyzeOperationEndpoint: Endpoint = { method: 'POST', path: '/amlyze-ws-rest/operation' };

  /** Method and path of the batch of operations, below AMLYZE_BASE_URL. */
  @Variable(parse.endpoint)
  readonly amlyzeBatchOperationsEndpoint: Endpoint = { method: 'POST', path: '/amlyze-ws-rest/batch-operations' };

  /** Method and path of the validation of a batch of operations, below AMLYZE_BASE_URL. */
  @Variable(parse.endpoint)
  readonly amlyzeValidateOperationsEndpoint: Endpoint = {
    method: 'POST',
    path: '/amlyze-ws-rest/validate-batch-operations',
  };

  /**
   * Places at which the process ends as by kill -9, for fault tests: after-claim, after-response, before-settle, separated by
   * commas. Only with ALLOW_PRIVATE_ADDRESSES.
   */
  @Variable(parse.failPoints)
  readonly failPoints: readonly FailPoint[] = [];
}
