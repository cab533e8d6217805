/** Statuses after Berlin Group's NextGenPSD2, in its spelling; reads need `valid`. */
export const CONSENT_STATUSES = [
  'received',
  'rejected',
  'partiallyAuthorised',
  'valid',
  'revokedByPsu',
  'expired',
  'terminatedByTpp',
] as const;
export type ConsentStatus = (typeof CONSENT_STATUSES)[number];
