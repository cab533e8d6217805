import type { Fields } from '../kernel/fields';
import type { Spelling } from './envelope';
import type { TokenSettings } from './token-mint';

/** What the vendor's pages leave open or say in two ways, as settings. */
export interface OneSingleViewSettings extends TokenSettings {
  /** how far `dateTimeStamp` may be from now; not documented */
  stampToleranceMs: number;
  /** the older pages ask for signature and Authorization only */
  headerSet: 'four' | 'two';
  /** refuses a body that is not written as JSON.stringify would write it */
  strictSerialisation: boolean;
  envelopeSpelling: Spelling;
}

export const DEFAULT_SETTINGS: OneSingleViewSettings = {
  tokenLifetimeMs: 3_600_000,
  tokenFormat: 'jwt',
  reportedExpiresIn: null,
  stampToleranceMs: 15 * 60_000,
  headerSet: 'four',
  strictSerialisation: true,
  envelopeSpelling: 'sample',
};

/** The settings with what is given taken over. */
export function changedSettings(former: OneSingleViewSettings, given: Fields): OneSingleViewSettings {
  return {
    tokenLifetimeMs: given.optionalNumber('tokenLifetimeMs') ?? former.tokenLifetimeMs,
    tokenFormat: given.choice('tokenFormat', ['jwt', 'opaque']) ?? former.tokenFormat,
    reportedExpiresIn: given.has('reportedExpiresIn')
      ? (given.optionalNumber('reportedExpiresIn') ?? null)
      : former.reportedExpiresIn,
    stampToleranceMs: given.optionalNumber('stampToleranceMs') ?? former.stampToleranceMs,
    headerSet: given.choice('headerSet', ['four', 'two']) ?? former.headerSet,
    strictSerialisation: given.flag('strictSerialisation', former.strictSerialisation),
    envelopeSpelling: given.choice('envelopeSpelling', ['sample', 'table']) ?? former.envelopeSpelling,
  };
}
