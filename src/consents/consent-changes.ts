import { utcInstant } from '../shared/instant';
import type { UpdateConsentDto } from './consent.dto';
import type { ConsentRow } from './consent.row';

type Seal = (column: 'access_token' | 'refresh_token', plain: string) => string | null;

/**
 * What a PATCH writes, by column. A renewal ends the stop that it answers: a new token ends TOKEN_REJECTED; a valid
 * status, another end or another consent at the bank end CONSENT_REQUIRED.
 */
export function changesOf(stored: ConsentRow, dto: UpdateConsentDto, seal: Seal): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  if (dto.consentId !== undefined) changes['consent_id'] = dto.consentId;
  if (dto.frequencyPerDay !== undefined) changes['frequency_per_day'] = dto.frequencyPerDay;
  if (dto.agreementReference !== undefined) changes['agreement_reference'] = dto.agreementReference;
  if (dto.scaPerformedAt !== undefined) changes['sca_performed_at'] = utcOrNull(dto.scaPerformedAt);
  if (dto.validUntil !== undefined) changes['valid_until'] = utcOrNull(dto.validUntil);
  if (dto.refreshToken !== undefined) {
    changes['refresh_token'] = dto.refreshToken === null ? null : seal('refresh_token', dto.refreshToken);
  }
  if (dto.accessToken !== undefined) {
    changes['access_token'] = seal('access_token', dto.accessToken);
    // The old token's end says nothing about the new one.
    changes['access_token_expires_at'] = null;
  }
  if (dto.accessTokenExpiresAt !== undefined) {
    changes['access_token_expires_at'] = utcOrNull(dto.accessTokenExpiresAt);
  }
  const status = dto.status ?? statusByEnd(stored, dto);
  if (status !== undefined) changes['status'] = status;
  if (endsStop(stored, dto)) Object.assign(changes, { stopped_outcome: null, stopped_reason: null, stopped_at: null });
  return changes;
}

/** A time as its column takes it. */
export function utcOrNull(time: string | null | undefined): string | null {
  return typeof time === 'string' ? utcInstant(time) : null;
}

/** A later end revives a consent that had only run out, an end in the past ends a valid one. */
function statusByEnd(stored: ConsentRow, { validUntil }: UpdateConsentDto): ConsentRow['status'] | undefined {
  if (validUntil === undefined) return undefined;
  const past = validUntil !== null && new Date(validUntil) <= stored.now;
  if (past) return stored.status === 'valid' ? 'expired' : undefined;
  return stored.status === 'expired' ? 'valid' : undefined;
}

function endsStop(stored: ConsentRow, dto: UpdateConsentDto): boolean {
  switch (stored.stopped_outcome) {
    case 'TOKEN_REJECTED':
      // A provider whose token is not the consent's (OneSingleView) has nothing to replace: there a person's word ends it.
      return dto.accessToken !== undefined || dto.status === 'valid';
    case 'CONSENT_REQUIRED':
      return dto.status === 'valid' || dto.validUntil !== undefined || dto.consentId !== undefined;
    default:
      return false;
  }
}
