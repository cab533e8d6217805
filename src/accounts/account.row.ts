import type { AccountDto } from './account.dto';

export const ACCOUNT_COLUMNS = `id, connection_id, consent_id, subject_id, bank_code, provider_account_id, currency, account_ext_id,
  business_unit, status, closed_at, pinned_types, created_at, updated_at`;

/** A row of the table `account`. */
export interface AccountRow {
  id: string;
  connection_id: string;
  consent_id: string;
  subject_id: string;
  bank_code: string;
  provider_account_id: string;
  currency: string;
  account_ext_id: string;
  business_unit: string | null;
  status: 'active' | 'closed';
  closed_at: Date | null;
  pinned_types: Record<string, string>;
  created_at: Date;
  updated_at: Date;
}

export function toAccountDto(row: AccountRow): AccountDto {
  return {
    id: row.id,
    consentId: row.consent_id,
    connectionId: row.connection_id,
    bankCode: row.bank_code === '' ? null : row.bank_code,
    providerAccountId: row.provider_account_id,
    currency: row.currency,
    accountExtId: row.account_ext_id,
    businessUnit: row.business_unit,
    status: row.status,
    closedAt: row.closed_at?.toISOString() ?? null,
    pinnedType: Object.values(row.pinned_types)[0] ?? null,
    pinnedTypes: row.pinned_types,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
