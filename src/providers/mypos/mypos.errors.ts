import { bankErrorTable, VERDICTS } from '../bank-errors';

/** myPOS documents no errors at all; Berlin Group's common table, plus the one credential that is its own. */
export const MYPOS_ERRORS = bankErrorTable({
  first: [
    {
      name: 'API key refused',
      status: [400, 403],
      forms: ['json', 'text'],
      text: /\bapi[-_ ]?key\b|\bconsumer key\b/i,
      then: VERDICTS.identityRefused,
    },
    {
      name: 'API key code',
      status: [400, 403],
      code: /^(API_?KEY_\w+|INVALID_API_?KEY)$/i,
      then: VERDICTS.identityRefused,
    },
  ],
});
