import type { Queryable } from '../shared/database';
import { ApiProblem } from '../shared/problem';
import type { AccountFields } from './account-rules';
import { ACCOUNT_COLUMNS, type AccountRow } from './account.row';

/** The subject is found or made in the statement that needs it, so that two accounts of one number share it. */
const INSERT = `
with consent as (
  select id, connection_id, bank_code from consent where id = $1
), subject as (
  insert into access_subject (consent_id, bank_code, provider_account_id)
  select id, bank_code, $2 from consent
  on conflict (consent_id, bank_code, provider_account_id) do update set provider_account_id = excluded.provider_account_id
  returning id
)
insert into account (connection_id, consent_id, subject_id, bank_code, provider_account_id, currency, account_ext_id, business_unit)
select consent.connection_id, consent.id, subject.id, consent.bank_code, $2, $3, $4, $5 from consent, subject
returning ${ACCOUNT_COLUMNS}`;

/** @returns undefined where there is no such consent */
export async function insertAccount(tx: Queryable, account: AccountFields): Promise<AccountRow | undefined> {
  const { consentId, providerAccountId, currency, accountExtId, businessUnit } = account;
  const rows = await tx.query<AccountRow>(INSERT, [
    consentId,
    providerAccountId,
    currency,
    accountExtId,
    businessUnit ?? null,
  ]);
  return rows[0];
}

export interface Move {
  accountId: string;
  consentId: string;
}

/**
 * Moves accounts to other consents of their own connection and bank. Reads that wait in a run follow, so that nothing is
 * read under the old consent any more.
 */
export async function moveAccounts(tx: Queryable, moves: readonly Move[]): Promise<void> {
  const values = [moves.map(({ accountId }) => accountId), moves.map(({ consentId }) => consentId)];
  await tx.query(
    `insert into access_subject (consent_id, bank_code, provider_account_id)
     select distinct m.consent_id, a.bank_code, a.provider_account_id
     from unnest($1::bigint[], $2::bigint[]) as m(account_id, consent_id) join account a on a.id = m.account_id
     order by 1, 2, 3 on conflict do nothing`,
    values,
  );
  const before = await tx.query<{ id: string; subject_id: string }>(
    'select id, subject_id from account where id = any($1::bigint[]) order by id for no key update',
    [values[0]],
  );
  await tx.query(
    `update account a set consent_id = m.consent_id, subject_id = s.id, updated_at = clock_timestamp()
     from unnest($1::bigint[], $2::bigint[]) as m(account_id, consent_id), access_subject s
     where a.id = m.account_id and s.consent_id = m.consent_id and s.bank_code = a.bank_code
       and s.provider_account_id = a.provider_account_id`,
    values,
  );
  // What waits is known by its subject, not by its account. In the order in which it is taken out of the queue.
  await tx.query(
    `select from waiting_account where subject_id = any($2::bigint[]) and account_id = any($1::bigint[]) order by run_id, account_id for update`,
    [before.map(({ id }) => id), before.map(({ subject_id: subjectId }) => subjectId)],
  );
  await tx.query(
    `update waiting_account r set subject_id = a.subject_id
     from unnest($1::bigint[], $2::bigint[]) as m(account_id, subject_id) join account a on a.id = m.account_id
     where r.subject_id = m.subject_id and r.account_id = m.account_id`,
    [before.map(({ id }) => id), before.map(({ subject_id: subjectId }) => subjectId)],
  );
}

/** Names the account that is in the way of another with the same place at the bank or the same place in AMLYZE. */
export async function duplicateProblem(
  db: Queryable,
  constraint: string,
  account: AccountFields & { connectionId?: string; bankCode?: string },
): Promise<ApiProblem> {
  const atBank = constraint === 'account_bank_identity';
  const [first] = atBank
    ? await db.query<{ id: string; status: string }>(
        `select a.id, a.status from account a join consent c on c.id = $1
         where a.connection_id = c.connection_id and a.bank_code = c.bank_code and a.provider_account_id = $2 and a.currency = $3`,
        [account.consentId, account.providerAccountId, account.currency],
      )
    : await db.query<{ id: string; status: string }>(
        `select id, status from account where coalesce(business_unit, '') = $1 and account_ext_id = $2`,
        [account.businessUnit ?? '', account.accountExtId],
      );
  const name = first ? `Account ${first.id}${first.status === 'closed' ? ' (closed)' : ''}` : 'Another account';
  const what = atBank
    ? 'has this providerAccountId and currency at this connection and bank already'
    : 'has this accountExtId in this business unit already';
  return ApiProblem.conflict(`${name} ${what}.`, first ? { conflictsWith: first.id } : {});
}
