import type { ConsentStatus } from './consent-status';
import type { ConsentDto } from './consent.dto';

export const CONSENT_COLUMNS = `id, connection_id, consent_id, bank_code, status, stopped_outcome, stopped_reason, stopped_at,
  access_token is not null as has_access_token, access_token_expires_at, refresh_token is not null as has_refresh_token,
  valid_until, sca_performed_at, frequency_per_day, agreement_reference, not_before, not_before_reason,
  created_at, updated_at, now() as now`;

/** A row of the table `consent` without its sealed tokens. */
export interface ConsentRow {
  id: string;
  connection_id: string;
  consent_id: string;
  bank_code: string;
  status: ConsentStatus;
  stopped_outcome: string | null;
  stopped_reason: string | null;
  stopped_at: Date | null;
  has_access_token: boolean;
  access_token_expires_at: Date | null;
  has_refresh_token: boolean;
  valid_until: Date | null;
  sca_performed_at: Date | null;
  frequency_per_day: number;
  agreement_reference: string | null;
  not_before: Date | null;
  not_before_reason: string | null;
  created_at: Date;
  updated_at: Date;
  /** Database clock. */
  now: Date;
}

const DAY_MS = 86_400_000;

/** @param used reads in the window that count against the consent's budget */
export function toConsentDto(row: ConsentRow, used: number): ConsentDto {
  return {
    id: row.id,
    connectionId: row.connection_id,
    consentId: row.consent_id,
    bankCode: row.bank_code === '' ? null : row.bank_code,
    status: effectiveStatus(row),
    stop:
      row.stopped_outcome === null || row.stopped_at === null
        ? null
        : { outcome: row.stopped_outcome, reason: row.stopped_reason, at: row.stopped_at.toISOString() },
    validUntil: row.valid_until?.toISOString() ?? null,
    daysLeft: row.valid_until && Math.max(0, Math.floor((row.valid_until.getTime() - row.now.getTime()) / DAY_MS)),
    readsLeft: Math.max(0, row.frequency_per_day - used),
    frequencyPerDay: row.frequency_per_day,
    agreementReference: row.agreement_reference,
    hasAccessToken: row.has_access_token,
    accessTokenExpiresAt: row.access_token_expires_at?.toISOString() ?? null,
    hasRefreshToken: row.has_refresh_token,
    scaPerformedAt: row.sca_performed_at?.toISOString() ?? null,
    notBefore: row.not_before?.toISOString() ?? null,
    notBeforeReason: row.not_before_reason,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** Nobody writes a row at the moment a consent runs out, so the clock decides. */
function effectiveStatus({ status, valid_until: validUntil, now }: ConsentRow): ConsentStatus {
  return status === 'valid' && validUntil !== null && validUntil <= now ? 'expired' : status;
}
