import { randomUUID } from 'node:crypto';
import { HttpClient } from '../../shared/http-client';
import type { Answer, CallFailure, OutgoingRequest } from '../../shared/http-client';
import { apiUrl } from '../api-url';
import type { BalanceQuestion, ProviderConnection, PsuContext } from '../provider';
import type { MyposSettings } from './mypos.settings';

type MyposConnection = ProviderConnection<MyposSettings>;

/** HTTP as the myPOS PSD2 pages describe it, and nothing else: no verdicts, no mapping. */
export class MyposClient {
  constructor(private readonly http: HttpClient) {}

  /** undefined: this account number cannot be part of a URL. */
  async fetchBalances(
    connection: MyposConnection,
    question: BalanceQuestion & { accessToken: string },
  ): Promise<Answer | CallFailure | undefined> {
    const { balancePath, sendConsentId } = connection.settings;
    const url = apiUrl(connection.baseUrl, balancePath, { accountNumber: question.providerAccountId });
    if (url === undefined) return undefined;
    return this.get(connection, url, {
      'X-Request-ID': question.requestId,
      ...(sendConsentId ? { 'Consent-ID': question.consentId } : {}),
      Authorization: `Bearer ${question.accessToken}`,
      ...(question.psu ? psuHeaders(question.psu) : {}),
    });
  }

  /** Asks for the status of a consent that nobody has: reads nothing, and shows whether host, TLS and API key work. */
  async probe(connection: MyposConnection): Promise<Answer | CallFailure> {
    const url = `${connection.baseUrl.replace(/\/+$/, '')}/v1/consents/${randomUUID()}/status`;
    return this.get(connection, url, { 'X-Request-ID': randomUUID() });
  }

  private get(
    connection: MyposConnection,
    url: string,
    headers: Record<string, string>,
  ): Promise<Answer | CallFailure> {
    const request: OutgoingRequest = {
      method: 'GET',
      url,
      headers: { Accept: 'application/json', 'API-Key': connection.secrets.apiKey ?? '', ...headers },
      deadlineMs: connection.timeoutMs,
      ...(connection.tls ? { tls: connection.tls } : {}),
    };
    return this.http.send(request);
  }
}

function psuHeaders(psu: PsuContext): Record<string, string> {
  return {
    'PSU-IP-Address': psu.ipAddress,
    ...(psu.ipPort === undefined ? {} : { 'PSU-IP-Port': psu.ipPort }),
    ...(psu.deviceId === undefined ? {} : { 'PSU-Device-ID': psu.deviceId }),
    ...(psu.geoLocation === undefined ? {} : { 'PSU-Geo-Location': psu.geoLocation }),
  };
}
