import { createHash } from 'node:crypto';
import type { Environment } from '../config/environment';
import { blankSecrets } from '../shared/blank-secrets';
import type { Answer, CallFailure, HttpClient } from '../shared/http-client';
import { AmlyzeToken } from './amlyze-token';

/** The part of the configuration that decides whom we call and as whom. */
export type AmlyzeSettings = Pick<
  Environment,
  | 'amlyzeBaseUrl'
  | 'amlyzeToken'
  | 'amlyzeTokenFile'
  | 'amlyzeTenantHeader'
  | 'amlyzeBusinessUnit'
  | 'amlyzeTimeoutMs'
  | 'amlyzeBatchEndpoint'
  | 'amlyzeSingleEndpoint'
  | 'amlyzeOperationEndpoint'
  | 'amlyzeBatchOperationsEndpoint'
  | 'amlyzeValidateOperationsEndpoint'
>;

type Endpoint = AmlyzeSettings['amlyzeBatchEndpoint'];

/**
 * Speaks to AMLYZE, and only that: one call in, one answer or failure out. Whether to repeat a call, and what an
 * answer means, is decided by those who know the records (the verdict table and the delivery).
 */
export class AmlyzeClient {
  private readonly token: AmlyzeToken;

  constructor(
    private readonly http: Pick<HttpClient, 'send'>,
    private readonly settings: AmlyzeSettings,
    token: AmlyzeToken = new AmlyzeToken(settings),
  ) {
    this.token = token;
  }

  /** Sends frozen balances as one batch. */
  async sendBatch(payloads: readonly string[]): Promise<Answer | CallFailure> {
    return await this.send(this.settings.amlyzeBatchEndpoint, batchOf('accountBalances', payloads));
  }

  /** Sends one frozen balance to the single endpoint, byte for byte. */
  async sendSingle(payload: string): Promise<Answer | CallFailure> {
    return await this.send(this.settings.amlyzeSingleEndpoint, payload);
  }

  /** Sends one frozen operation to the single endpoint, byte for byte. */
  async sendOperation(payload: string): Promise<Answer | CallFailure> {
    return await this.send(this.settings.amlyzeOperationEndpoint, payload);
  }

  /** Sends frozen operations as one batch; AMLYZE imports them without evaluation and without screening. */
  async sendOperationBatch(payloads: readonly string[]): Promise<Answer | CallFailure> {
    return await this.send(this.settings.amlyzeBatchOperationsEndpoint, batchOf('operations', payloads));
  }

  /** Asks what AMLYZE would say to a batch of operations; it stores nothing. */
  async validateOperationBatch(payloads: readonly string[]): Promise<Answer | CallFailure> {
    return await this.send(this.settings.amlyzeValidateOperationsEndpoint, batchOf('operations', payloads));
  }

  /**
   * Changes when something changes that a pause for configuration can be about: address, endpoints, tenant header, token, and the
   * business unit of what is made from now on. A pause that began under one hash need not outlive it. SHA-256 in hex; the token enters as a digest.
   */
  configurationHash(): string {
    const { settings } = this;
    const endpoints = [
      settings.amlyzeBatchEndpoint,
      settings.amlyzeSingleEndpoint,
      settings.amlyzeOperationEndpoint,
      settings.amlyzeBatchOperationsEndpoint,
      settings.amlyzeValidateOperationsEndpoint,
    ].flatMap(({ method, path }) => [method, path]);
    const { amlyzeBaseUrl, amlyzeBusinessUnit, amlyzeTenantHeader } = settings;
    const tenant = amlyzeTenantHeader ? [amlyzeTenantHeader.name, amlyzeTenantHeader.value] : [];
    const parts = [trimSlashes(amlyzeBaseUrl), ...endpoints, this.token.digest(), ...tenant, amlyzeBusinessUnit];
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  private async send(endpoint: Endpoint, body: string): Promise<Answer | CallFailure> {
    const token = this.token.current();
    if (!token.ok) {
      // Without a token every call would end in 401; the verdict table reads this as the same fault, one of
      // configuration.
      return {
        kind: 'failure',
        cause: 'invalid-request',
        bytesMayHaveLeft: false,
        detail: token.problem,
        latencyMs: 0,
      };
    }
    const { amlyzeBaseUrl, amlyzeTenantHeader, amlyzeTimeoutMs } = this.settings;
    const result = await this.http.send({
      method: endpoint.method,
      url: `${trimSlashes(amlyzeBaseUrl)}${endpoint.path}`,
      headers: {
        ...(amlyzeTenantHeader ? { [amlyzeTenantHeader.name]: amlyzeTenantHeader.value } : {}),
        authorization: `Bearer ${token.token}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body,
      deadlineMs: amlyzeTimeoutMs,
    });
    if (result.status === 401) this.token.distrust();
    return result.kind === 'answer' ? withoutToken(result, token.token, body) : result;
  }
}

/**
 * AMLYZE, or a firewall before it, may quote the call that it refuses, and its words are logged and kept. Blanked out here, before
 * anybody judges or cuts them. Where the records themselves hold that text, as an identifier may where the token is a plain word, an
 * answer that names them has to be understood.
 */
function withoutToken(answer: Answer, token: string, sent: string): Answer {
  const body = blankSecrets(answer.body, [token]);
  return body === answer.body || sent.includes(token) ? answer : { ...answer, body };
}

/** The records are joined as text: parsing and writing them again could change a digit. */
function batchOf(list: string, payloads: readonly string[]): string {
  if (payloads.length === 0) throw new RangeError('a batch holds at least one record');
  return `{"${list}":[${payloads.join(',')}]}`;
}

function trimSlashes(url: string): string {
  return url.replace(/\/+$/, '');
}
