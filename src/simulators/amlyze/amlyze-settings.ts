import type { Fields } from '../kernel/fields';

/** What no vendor page settles, as settings; the defaults follow the pages. */
export interface AmlyzeSettings {
  /** Does a rejected record use up its number? Not documented; default false. */
  rejectedConsumesNumber: boolean;
  /** a header that every request must carry; null: none */
  tenantHeader: { name: string; value: string } | null;
  /** business units that exist; null: any */
  businessUnits: readonly string[] | null;
  /** the current pages say POST, an older one PUT */
  batchMethods: readonly string[];
  /** the current pages say PUT, an older one POST */
  singleMethods: readonly string[];
  /** larger batches are answered 413; null: no limit */
  maxBatchItems: number | null;
}

export const DEFAULT_SETTINGS: AmlyzeSettings = {
  rejectedConsumesNumber: false,
  tenantHeader: null,
  businessUnits: null,
  batchMethods: ['POST'],
  singleMethods: ['PUT'],
  maxBatchItems: null,
};

function tenantHeaderFrom(given: Fields): AmlyzeSettings['tenantHeader'] {
  const header = given.object('tenantHeader');
  return header === undefined ? null : { name: header.text('name').toLowerCase(), value: header.text('value') };
}

/** The settings with what is given taken over; null takes a limit or a demand away. */
export function changedSettings(former: AmlyzeSettings, given: Fields): AmlyzeSettings {
  return {
    rejectedConsumesNumber: given.flag('rejectedConsumesNumber', former.rejectedConsumesNumber),
    tenantHeader: given.has('tenantHeader') ? tenantHeaderFrom(given) : former.tenantHeader,
    businessUnits: given.has('businessUnits') ? (given.texts('businessUnits') ?? null) : former.businessUnits,
    batchMethods: given.texts('batchMethods') ?? former.batchMethods,
    singleMethods: given.texts('singleMethods') ?? former.singleMethods,
    maxBatchItems: given.has('maxBatchItems') ? (given.optionalNumber('maxBatchItems') ?? null) : former.maxBatchItems,
  };
}
