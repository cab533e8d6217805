import {
  ANYTHING_ELSE,
  bankErrorTable,
  CERTIFICATE_REFUSED,
  TOO_MANY_CALLS,
  UNAVAILABLE,
  VERDICTS,
} from '../bank-errors';
import type { BankErrorRow } from '../bank-errors';

// APIERR… is the Open Banking product's family of codes, MW-… that of the vendor's older middleware. The HTTP status
// that goes with them is not documented, so the number in the code decides, also under status 200.
const CALLS_BY_CODE: BankErrorRow = {
  name: 'too many calls, by code',
  code: /^(APIERR|MW-)429$/i,
  then: VERDICTS.tooManyCalls,
};

const UNAVAILABLE_BY_WORD: readonly BankErrorRow[] = [
  { name: 'server error, by code', code: /^(APIERR|MW-)5\d\d$/i, then: VERDICTS.unavailable },
  {
    name: 'server error, by message',
    status: [200, 299],
    text: /^(technical|internal|server)\b.{0,20}\berror\b/i,
    then: VERDICTS.unavailable,
  },
];

/** Error table of data calls. */
export const ONESINGLEVIEW_ERRORS = bankErrorTable({
  fallback: [
    {
      name: 'consent, by UK Open Banking code',
      code: /^(UK\.OBIE|KSAOB)\.(Reauthenticate|Resource\.InvalidConsentStatus)$/i,
      then: VERDICTS.consentRequired,
    },
    {
      name: 'account, by UK Open Banking code',
      code: /^(UK\.OBIE|KSAOB)\.Resource\.NotFound$/i,
      then: VERDICTS.accountUnknown,
    },
    CALLS_BY_CODE,
    {
      // "Module does not exist or you do not have permission": about the subscription, and no new token mends it.
      name: 'no permission',
      code: /^APIERR40[13]$/i,
      text: /\bmodule does not exist\b|\bpermission\b/i,
      then: VERDICTS.bankError,
    },
    // A wrong signature is refused in the same words; the renewal is signed too, so a wrong key shows there.
    { name: 'unauthorised, by code', code: /^(APIERR|MW-)401$/i, then: VERDICTS.tokenRejected },
    {
      name: 'unauthorised, by message',
      status: [200, 299],
      text: /^unauthori[sz]ed\b/i,
      then: VERDICTS.tokenRejected,
    },
    { name: 'account, by code', code: /^(APIERR|MW-)404$/i, then: VERDICTS.accountUnknown },
    ...UNAVAILABLE_BY_WORD,
  ],
});

/** Error table of the token call: a refusal there is about our own credentials and concerns the whole connection. */
export const ONESINGLEVIEW_TOKEN_ERRORS: readonly BankErrorRow[] = [
  TOO_MANY_CALLS,
  CALLS_BY_CODE,
  CERTIFICATE_REFUSED,
  { name: 'credentials, by status', status: [401, 401], then: VERDICTS.identityRefused },
  {
    name: 'credentials, by code',
    code: /^(APIERR401|MW-401|invalid_client|unauthorized_client)$/i,
    then: VERDICTS.identityRefused,
  },
  {
    name: 'credentials, by message',
    status: [200, 403],
    forms: ['json', 'text'],
    text: /^unauthori[sz]ed\b|\bsignature\b|\b(invalid|unknown|wrong) (client|merchant|credentials)/i,
    then: VERDICTS.identityRefused,
  },
  ...UNAVAILABLE,
  ...UNAVAILABLE_BY_WORD,
  ANYTHING_ELSE,
];
