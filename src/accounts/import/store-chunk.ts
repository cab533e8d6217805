import type { Queryable } from '../../shared/database';
import type { FieldError } from '../../shared/problem';
import type { AccountFields } from '../account-rules';
import { moveAccounts } from '../account-writes';
import { lockNames, unitsLike, WHY_SHARED } from '../refuse-shared-name';
import { distinctRounds, type PlacedLine } from './rounds';

export interface ValidLine {
  line: number;
  account: AccountFields;
}

export interface StoredChunk {
  created: number;
  updated: number;
  rejected: { line: number; errors: FieldError[] }[];
}

// These statements are not prepared: the table may grow from nothing to millions of rows within one import, and each chunk
// needs a plan for the table as it is by then. `limit 1`, which the unique indexes make true anyway, keeps the planner to
// one index look-up a line; left to itself it scans the whole table for every chunk (64 ms instead of 24 at 100,000 rows).

// Both identities of every line at once: who is already at this place in the bank, who already has this name in AMLYZE.
// AMLYZE_BUSINESS_UNIT ($7) makes two units one name there.
const FIND_PRESENT = `
select l.at::int as at, b.id as id, b.account_ext_id, coalesce(b.business_unit, '') as unit, b.consent_id, b.status, n.id as namesake, n.unit as namesake_unit
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) with ordinality
  as l(connection_id, bank_code, provider_account_id, currency, account_ext_id, unit, at)
left join lateral (
  select * from account where connection_id = l.connection_id and bank_code = l.bank_code
    and provider_account_id = l.provider_account_id and currency = l.currency limit 1
) b on true
left join lateral (
  select id, coalesce(business_unit, '') as unit from account
  where coalesce(business_unit, '') = any(${unitsLike('l.unit', '$7::text')}) and account_ext_id = l.account_ext_id limit 1
) n on true
order by l.at`;

const INSERT_SUBJECTS = `
insert into access_subject (consent_id, bank_code, provider_account_id)
select distinct * from unnest($1::bigint[], $2::text[], $3::text[]) as l(consent_id, bank_code, provider_account_id)
order by 1, 2, 3 on conflict do nothing`;

const INSERT_ACCOUNTS = `
insert into account (connection_id, consent_id, subject_id, bank_code, provider_account_id, currency, account_ext_id, business_unit)
select l.connection_id, l.consent_id, s.id, l.bank_code, l.provider_account_id, l.currency, l.account_ext_id, nullif(l.unit, '')
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) with ordinality
  as l(connection_id, bank_code, provider_account_id, currency, account_ext_id, unit, consent_id, at)
cross join lateral (
  select id from access_subject where consent_id = l.consent_id and bank_code = l.bank_code
    and provider_account_id = l.provider_account_id limit 1
) s
order by l.at
on conflict do nothing
returning connection_id, bank_code, provider_account_id, currency`;

interface Present {
  at: number;
  id: string | null;
  account_ext_id: string | null;
  unit: string;
  consent_id: string | null;
  status: string | null;
  namesake: string | null;
  namesake_unit: string | null;
}

interface InsertedRow {
  connection_id: string;
  bank_code: string;
  provider_account_id: string;
  currency: string;
}

/**
 * Stores one chunk of valid lines in the caller's transaction, with the result that storing them one by one would have.
 *
 * @param configured AMLYZE_BUSINESS_UNIT
 */
export async function storeChunk(
  tx: Queryable,
  lines: readonly ValidLine[],
  configured: string | undefined,
): Promise<StoredChunk> {
  await lockNames(tx, configured);
  const stored: StoredChunk = { created: 0, updated: 0, rejected: [] };
  const placed = await place(tx, lines, stored);
  // Lines that meet in one of the two identities depend on each other, so the later one waits for the next round.
  for (const round of distinctRounds(placed, configured)) await storeRound(tx, round, stored, configured);
  return stored;
}

async function place(tx: Queryable, lines: readonly ValidLine[], stored: StoredChunk): Promise<PlacedLine[]> {
  const ids = [...new Set(lines.map(({ account }) => account.consentId))];
  const consents = await tx.query<{ id: string; connection_id: string; bank_code: string }>(
    `select id, connection_id, bank_code from consent where id = any($1::bigint[]) for key share`,
    [ids],
  );
  const byId = new Map(consents.map((consent) => [consent.id, consent]));
  return lines.flatMap(({ line, account }): PlacedLine[] => {
    const consent = byId.get(account.consentId);
    if (!consent) {
      reject(stored, line, 'consentId', 'must be the id of an existing consent');
      return [];
    }
    return [{ line, account, connectionId: consent.connection_id, bankCode: consent.bank_code }];
  });
}

async function storeRound(
  tx: Queryable,
  round: readonly PlacedLine[],
  stored: StoredChunk,
  configured: string | undefined,
): Promise<void> {
  const present = await tx.query<Present>(FIND_PRESENT, [...identities(round), configured ?? null]);
  const fresh: PlacedLine[] = [];
  const moves: { accountId: string; consentId: string }[] = [];
  for (const found of present) {
    const placed = round[found.at - 1];
    if (!placed) continue;
    const { line, account } = placed;
    if (found.id === null) {
      if (found.namesake === null) fresh.push(placed);
      else
        reject(
          stored,
          line,
          'accountExtId',
          inUse(found.namesake, found.namesake_unit === (account.businessUnit ?? '')),
        );
      continue;
    }
    const faults = changesNotAllowed(found, account);
    if (faults.length > 0) {
      stored.rejected.push({ line, errors: faults });
      continue;
    }
    stored.updated += 1;
    if (found.consent_id !== account.consentId) moves.push({ accountId: found.id, consentId: account.consentId });
  }
  if (moves.length > 0) await moveAccounts(tx, moves);
  const missed = fresh.length > 0 ? await insertFresh(tx, fresh) : [];
  stored.created += fresh.length - missed.length;
  // Another request stored the same account in between: the insert has waited for its end, so now it can be seen.
  if (missed.length > 0) await storeRound(tx, missed, stored, configured);
}

/** @returns the lines that ran into an account which was not there a moment ago */
async function insertFresh(tx: Queryable, fresh: readonly PlacedLine[]): Promise<PlacedLine[]> {
  const consentIds = fresh.map(({ account }) => account.consentId);
  const bankCodes = fresh.map(({ bankCode }) => bankCode);
  const numbers = fresh.map(({ account }) => account.providerAccountId);
  await tx.query(INSERT_SUBJECTS, [consentIds, bankCodes, numbers]);
  const inserted = await tx.query<InsertedRow>(INSERT_ACCOUNTS, [...identities(fresh), consentIds]);
  if (inserted.length === fresh.length) return [];
  const keys = new Set(
    inserted.map((row) => JSON.stringify([row.connection_id, row.bank_code, row.provider_account_id, row.currency])),
  );
  return fresh.filter(({ connectionId, bankCode, account }) => {
    const key = JSON.stringify([connectionId, bankCode, account.providerAccountId, account.currency]);
    return !keys.has(key);
  });
}

function inUse(namesake: string, sameUnit: boolean): string {
  return sameUnit
    ? `is in use in this business unit already, by account ${namesake}`
    : `is in use already, by account ${namesake}, which is the same account at AMLYZE: ${WHY_SHARED}`;
}

function changesNotAllowed(found: Present, account: AccountFields): FieldError[] {
  const errors: FieldError[] = [];
  const change = `would change account ${found.id ?? ''}: use PATCH with a reason`;
  if (found.account_ext_id !== account.accountExtId) errors.push({ field: 'accountExtId', message: change });
  if (found.unit !== (account.businessUnit ?? '')) errors.push({ field: 'businessUnit', message: change });
  if (found.status === 'closed') {
    errors.push({ field: '', message: `is account ${found.id ?? ''}, which is closed: open it again by PATCH first` });
  }
  return errors;
}

function identities(lines: readonly PlacedLine[]): (string | null)[][] {
  return [
    lines.map(({ connectionId }) => connectionId),
    lines.map(({ bankCode }) => bankCode),
    lines.map(({ account }) => account.providerAccountId),
    lines.map(({ account }) => account.currency),
    lines.map(({ account }) => account.accountExtId),
    lines.map(({ account }) => account.businessUnit ?? ''),
  ];
}

function reject(stored: StoredChunk, line: number, field: string, message: string): void {
  stored.rejected.push({ line, errors: [{ field, message }] });
}
