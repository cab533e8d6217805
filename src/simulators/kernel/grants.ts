import { ControlProblem, type Fields } from './fields';

export interface Token {
  token: string;
  /** milliseconds since the epoch; undefined: never */
  expiresAt: number | undefined;
  revoked: boolean;
  /** the only consent that it is good for; undefined: any */
  consentId: string | undefined;
}

export interface Consent {
  consentId: string;
  /** OneSingleView only */
  bankCode: string | undefined;
  /** after Berlin Group: valid, received, rejected, revokedByPsu, expired, terminatedByTpp */
  status: string;
  validUntil: number | undefined;
  /** the accounts it covers; undefined: all */
  accounts: ReadonlySet<string> | undefined;
}

/** `{token, expiresAt? | expiresInMs?, revoked?, consentId?}`; what is left out keeps its former value. */
export function tokenFrom(given: Fields, former: Token | undefined, now: number): Token {
  return {
    token: given.text('token'),
    expiresAt: given.optionalInstant('expiresAt', 'expiresInMs', now) ?? former?.expiresAt,
    revoked: given.flag('revoked', former?.revoked ?? false),
    consentId: given.optionalText('consentId') ?? former?.consentId,
  };
}

/** `{consentId, bankCode?, status?, validUntil? | validForMs?, accounts?}`; what is left out keeps its former value. */
export function consentFrom(given: Fields, former: Consent | undefined, now: number): Consent {
  const accounts = given.texts('accounts');
  return {
    consentId: given.text('consentId'),
    bankCode: given.optionalText('bankCode') ?? former?.bankCode,
    status: given.optionalText('status') ?? former?.status ?? 'valid',
    validUntil: given.optionalInstant('validUntil', 'validForMs', now) ?? former?.validUntil,
    accounts: accounts === undefined ? former?.accounts : new Set(accounts),
  };
}

export function isOver(instant: number | undefined, now: number): boolean {
  return instant !== undefined && instant <= now;
}

/** The three ways to write a register of accounts: PUT replaces it, POST adds or replaces entries, PATCH merges into them. */
export function accountRoutes<T>(register: {
  read(given: Fields, former: T | undefined): T;
  key(given: Fields): string;
  map: Map<string, T>;
  list(body: unknown): Fields[];
}): Record<string, (request: { body: unknown }) => unknown> {
  const { map } = register;
  const put = (accounts: Fields[], merge: boolean): unknown => {
    const read = accounts.map((given) => {
      const key = register.key(given);
      const former = map.get(key);
      if (merge && former === undefined) throw new ControlProblem(`no account ${key}`, 404);
      return { key, account: register.read(given, merge ? former : undefined) };
    });
    for (const { key, account } of read) map.set(key, account);
    return { accounts: map.size };
  };
  return {
    'PUT /_sim/accounts': ({ body }) => {
      const accounts = register.list(body);
      map.clear();
      return put(accounts, false);
    },
    'POST /_sim/accounts': ({ body }) => put(register.list(body), false),
    'PATCH /_sim/accounts': ({ body }) => put(register.list(body), true),
    'DELETE /_sim/accounts': () => {
      map.clear();
      return { accounts: 0 };
    },
  };
}
