import type { Answer, CallFailure, HttpClient, OutgoingRequest } from '../../shared/http-client';
import type { BalanceQuestion, ProviderConnection } from '../provider';
import type { OneSingleViewSettings } from './onesingleview.settings';
import { signature } from './signature';

export type OneSingleViewConnection = ProviderConnection<OneSingleViewSettings>;

/** HTTP as the vendor's Open Banking pages describe it, and nothing else: no verdicts, no token store. */
export class OneSingleViewClient {
  constructor(
    private readonly http: HttpClient,
    private readonly now: () => Date,
  ) {}

  async requestToken(connection: OneSingleViewConnection): Promise<Answer | CallFailure> {
    const { settings, secrets } = connection;
    return this.post(connection, settings.tokenPath, {
      clientId: secrets.clientId,
      clientCode: secrets.clientCode,
      merchantId: settings.merchantId,
      grantType: settings.grantType,
    });
  }

  async fetchBalances(
    connection: OneSingleViewConnection,
    accessToken: string,
    question: BalanceQuestion,
  ): Promise<Answer | CallFailure> {
    const { settings } = connection;
    const [stampKey, requestKey] =
      settings.envelopeSpelling === 'sample' ? ['dateTimeStamp', 'requestID'] : ['DateTimeStamp', 'RequestID'];
    const body = {
      [stampKey]: stampOf(this.now()),
      [requestKey]: question.requestId,
      merchantId: settings.merchantId,
      banks: [{ code: question.bankCode, consentId: question.consentId, accountId: question.providerAccountId }],
    };
    return this.post(connection, settings.balancePath, body, accessToken);
  }

  private post(
    connection: OneSingleViewConnection,
    path: string,
    content: object,
    accessToken?: string,
  ): Promise<Answer | CallFailure> {
    const { settings, secrets } = connection;
    // Serialised once: the text that is signed is the text that is sent. JSON.stringify escapes neither "/" nor
    // non-ASCII, which is how the other side serialises the body again before it checks the signature.
    const body = JSON.stringify(content);
    const identity = { clientId: secrets.clientId ?? '', clientCode: secrets.clientCode ?? '' };
    const request: OutgoingRequest = {
      method: 'POST',
      url: connection.baseUrl.replace(/\/+$/, '') + path,
      headers: {
        Accept: 'application/json',
        'Content-Type': 'application/json',
        ...(settings.headerSet === 'four' ? identity : {}),
        signature: signature(body, secrets.signatureKey ?? ''),
        ...(accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` }),
      },
      body,
      deadlineMs: connection.timeoutMs,
      ...(connection.tls ? { tls: connection.tls } : {}),
    };
    return this.http.send(request);
  }
}

/** Whole seconds and a numeric offset, as in the vendor's sample `2024-12-31T10:40:00+02:00`. */
function stampOf(now: Date): string {
  return `${now.toISOString().slice(0, 19)}+00:00`;
}
