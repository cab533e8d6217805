import { HttpClient, type Answer, type CallFailure } from '../../src/shared/http-client';
import { SANDBOX_AMLYZE, SANDBOX_MYPOS } from '../../src/simulators/defaults';

/** The gateway's own defaults. */
export const BATCH_SIZE = 500;
export const READS_IN_FLIGHT = 32;
export const DELIVERIES_IN_FLIGHT = 4;
const DEADLINE_MS = 30_000;

export interface BankAnswer {
  body: string;
  /** Decimal text as the bank wrote it. */
  value: string;
  fetchedAt: string;
  latencyMs: number;
}

/** The two calls that every reference makes, through the gateway's HTTP client, with the gateway's headers. */
export class Calls {
  private readonly http = new HttpClient({ allowPrivateAddresses: true });

  constructor(
    private readonly bankUrl: string,
    private readonly amlyzeUrl: string,
  ) {}

  async balance(accountNumber: string, requestId: string): Promise<BankAnswer> {
    const answer = succeeded(
      await this.http.send({
        method: 'GET',
        url: `${this.bankUrl}/v1/accounts/${accountNumber}/balances`,
        headers: {
          Accept: 'application/json',
          'API-Key': SANDBOX_MYPOS.apiKey,
          'X-Request-ID': requestId,
          'Consent-ID': SANDBOX_MYPOS.consentId,
          Authorization: `Bearer ${SANDBOX_MYPOS.accessToken}`,
        },
        deadlineMs: DEADLINE_MS,
      }),
    );
    const [, value] = /"amount":(-?[0-9.]+)/.exec(answer.body) ?? [];
    if (value === undefined) throw new Error(`no amount: ${answer.body}`);
    return { body: answer.body, value, fetchedAt: new Date().toISOString(), latencyMs: answer.latencyMs };
  }

  /** The results of a batch, in AMLYZE's order; throws where one of them is not accepted. */
  async batch(payloads: readonly string[]): Promise<{ answer: Answer; results: AmlyzeResult[] }> {
    const body = `{"accountBalances":[${payloads.join(',')}]}`;
    const answer = await this.amlyze('POST', '/amlyze-ws-rest/batch-account-balances', body);
    const { results } = JSON.parse(answer.body) as { results: AmlyzeResult[] }; // the simulator's own form
    const refused = results.find(({ resultType }) => resultType !== 'REQUEST_ACCEPTED');
    if (refused || results.length !== payloads.length) throw new Error(`refused: ${JSON.stringify(refused)}`);
    return { answer, results };
  }

  async single(payload: string): Promise<Answer> {
    return this.amlyze('PUT', '/amlyze-ws-rest/account-balance', payload);
  }

  async operation(payload: string): Promise<Answer> {
    return this.amlyze('POST', '/amlyze-ws-rest/operation', payload);
  }

  private async amlyze(method: 'POST' | 'PUT', path: string, body: string): Promise<Answer> {
    return succeeded(
      await this.http.send({
        method,
        url: `${this.amlyzeUrl}${path}`,
        headers: {
          authorization: `Bearer ${SANDBOX_AMLYZE.token}`,
          'content-type': 'application/json',
          accept: 'application/json',
        },
        body,
        deadlineMs: DEADLINE_MS,
      }),
    );
  }
}

export interface AmlyzeResult {
  resultType: string;
  communicationNumber: string;
}

function succeeded(result: Answer | CallFailure): Answer {
  if (result.kind === 'failure') throw new Error(result.detail);
  if (result.status !== 200) throw new Error(`${result.status} ${result.body}`);
  return result;
}

/** The gateway's text of a balance, without a check. */
export function payloadOf(balance: {
  communicationNumber: string;
  accountExtId: string;
  balanceAt: string;
  value: string;
}): string {
  const { communicationNumber, accountExtId, balanceAt, value } = balance;
  return `{"communicationNumber":"${communicationNumber}","requester":"open-banking-gateway","balanceType":"STATEMENT_BALANCE","accountExtId":"${accountExtId}","balanceAt":"${balanceAt}","value":${value}}`;
}

/** Does `work` for every item, with at most `inFlight` at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  inFlight: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      const item = items[index];
      if (item !== undefined) results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return results;
}
