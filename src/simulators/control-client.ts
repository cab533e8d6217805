import type { FaultRule } from './faults';
import type { AccessEntry } from './kernel/access-log';
import type { BalanceEntry, OperationEntry } from './amlyze/ledger';

type Shown<E> = Omit<E, 'at'> & { at: string; position: number };
export type ShownLedgerEntry = Shown<BalanceEntry>;
export type ShownOperation = Shown<OperationEntry>;

/** The interface under /_sim/ of a running simulator, for the sandbox, tests and measurements. */
export class SimulatorControl {
  /** @param url as printed by the simulator, without a slash at the end */
  constructor(readonly url: string) {}

  /** One control call; throws with the simulator's words where it is refused. */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/_sim/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, unknown>; // the control interface answers objects only
    if (!response.ok) throw new Error(`${method} /_sim/${path}: ${String(answer['error'])}`);
    return answer;
  }

  /** Adds accounts or replaces those of the same number. */
  async putAccounts(accounts: readonly object[]): Promise<void> {
    await this.call('POST', 'accounts', { accounts });
  }

  /** Changes the given fields of accounts that are there. */
  async changeAccounts(accounts: readonly object[]): Promise<void> {
    await this.call('PATCH', 'accounts', { accounts });
  }

  async addFault(...rules: FaultRule[]): Promise<void> {
    await this.call('POST', 'faults', { rules });
  }

  async clearFaults(): Promise<void> {
    await this.call('DELETE', 'faults');
  }

  async stats(): Promise<Record<string, unknown>> {
    return this.call('GET', 'stats');
  }

  async settings(settings: object): Promise<Record<string, unknown>> {
    return this.call('POST', 'settings', settings);
  }

  async reset(): Promise<void> {
    await this.call('POST', 'reset');
  }

  /** Every balance that AMLYZE accepted and still remembers, in order; optionally of one account. */
  async ledger(accountExtId?: string): Promise<ShownLedgerEntry[]> {
    const filter = accountExtId === undefined ? '' : `&accountExtId=${encodeURIComponent(accountExtId)}`;
    return this.all<ShownLedgerEntry>('ledger', `&kind=balance${filter}`);
  }

  /** Every operation that AMLYZE accepted and still remembers, in order. */
  async operationLedger(): Promise<ShownOperation[]> {
    return this.all<ShownOperation>('ledger', '&kind=operation');
  }

  /** Every request that is still remembered, in order of arrival. */
  async accessLog(filter: { account?: string; path?: string; status?: number } = {}): Promise<AccessEntry[]> {
    const parts = Object.entries(filter).map(([name, value]) => `&${name}=${encodeURIComponent(String(value))}`);
    return this.all<AccessEntry>('access-log', parts.join(''));
  }

  private async all<T>(list: string, filter: string): Promise<T[]> {
    const found: T[] = [];
    for (let offset: number | null = 0; offset !== null;) {
      const page = await this.call('GET', `${list}?limit=10000&offset=${String(offset)}${filter}`);
      // The simulators' own answer, whose form ledger.ts and access-log.ts declare.
      const { items, nextOffset } = page as { items: T[]; nextOffset: number | null };
      found.push(...items);
      offset = nextOffset;
    }
    return found;
  }
}
