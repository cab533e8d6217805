import { pageOf } from '../kernel/control';
import { Fields } from '../kernel/fields';
import { accountRoutes } from '../kernel/grants';
import type { ControlHandler } from '../kernel/simulator';
import { accountFrom, type AccountRegister } from './accounts';
import type { Ledger, LedgerEntry } from './ledger';

interface ControlParts {
  readonly accounts: AccountRegister;
  readonly ledger: Ledger;
  /** registers them and says how many there are then */
  readonly putTokens: (given: Fields[]) => number;
}

/** What can be told to AMLYZE, and asked of its ledger, under /_sim/. */
export function amlyzeControl({ accounts, ledger, putTokens }: ControlParts): Readonly<Record<string, ControlHandler>> {
  return {
    ...accountRoutes({
      map: accounts,
      key: (given) => given.text('accountExtId'),
      read: accountFrom,
      list: (body) => Fields.list(body, 'accounts'),
    }),
    'POST /_sim/tokens': ({ body }) => ({ tokens: putTokens(Fields.list(body, 'tokens')) }),
    'POST /_sim/used-numbers': ({ body }) => {
      const numbers = Fields.of(body, 'body').texts('communicationNumbers') ?? [];
      for (const number of numbers) ledger.burn(number, 'somebody-else');
      return { burnt: numbers.length };
    },
    'POST /_sim/used-operations': ({ body }) => {
      const operations = Fields.list(body, 'operations');
      for (const each of operations)
        ledger.burnOperation(each.optionalText('businessUnit'), each.text('operationExtId'));
      return { burnt: operations.length };
    },
    'GET /_sim/ledger': ({ query }) => ledgerPage(ledger, query),
  };
}

function ledgerPage(ledger: Ledger, query: URLSearchParams): unknown {
  const number = query.get('communicationNumber');
  if (number !== null) {
    const entry = ledger.find(number);
    return { total: ledger.end, items: entry === undefined ? [] : [shown(entry)], nextOffset: null };
  }
  const [account, operation, kind] = ['accountExtId', 'operationExtId', 'kind'].map((name) => query.get(name));
  const passes = (entry: LedgerEntry): boolean =>
    (!kind || entry.kind === kind) &&
    (!account || (entry.kind === 'balance' && entry.accountExtId === account)) &&
    (!operation || (entry.kind === 'operation' && entry.operationExtId === operation));
  const { items, next } = ledger.page(pageOf(query), passes);
  const nextOffset = next < ledger.end ? next : null;
  return { total: ledger.end, firstKept: ledger.start, items: items.map(shown), nextOffset };
}

function shown<T extends { at: number }>(entry: T): Omit<T, 'at'> & { at: string } {
  return { ...entry, at: new Date(entry.at).toISOString() };
}
