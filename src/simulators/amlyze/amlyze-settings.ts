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
  /** the current pages say POST for all three endpoints of operations */
  operationMethods: readonly string[];
  /** classifier operationType; CARD_PAYMENT is the one that this simulator knows the fields of */
  operationTypes: readonly string[];
  /** classifiers; null: every code of their form */
  cardOperationSubTypes: readonly string[] | null;
  riskManagementCategories: readonly string[] | null;
  countries: readonly string[] | null;
  currencies: readonly string[] | null;
  /** risk categories that exist, but for customers and not for operations */
  customerRiskCategories: readonly string[];
  /** a party with this BIC is the institution's own; null: any BIC says so, as only own accounts carry one */
  institutionBic: string | null;
}

export const DEFAULT_SETTINGS: AmlyzeSettings = {
  rejectedConsumesNumber: false,
  tenantHeader: null,
  businessUnits: null,
  batchMethods: ['POST'],
  singleMethods: ['PUT'],
  maxBatchItems: null,
  operationMethods: ['POST'],
  operationTypes: ['CARD_PAYMENT', 'SEPA', 'PIS', 'INTERNAL'],
  cardOperationSubTypes: null,
  riskManagementCategories: null,
  countries: null,
  currencies: null,
  customerRiskCategories: ['CUSTOMER_DEFAULT'],
  institutionBic: null,
};

function tenantHeaderFrom(given: Fields): AmlyzeSettings['tenantHeader'] {
  const header = given.object('tenantHeader');
  return header === undefined ? null : { name: header.text('name').toLowerCase(), value: header.text('value') };
}

/** The settings with what is given taken over; null takes a limit, a demand or a classifier away. */
export function changedSettings(former: AmlyzeSettings, given: Fields): AmlyzeSettings {
  const classifier = (name: keyof AmlyzeSettings, known: readonly string[] | null): readonly string[] | null =>
    given.has(name) ? (given.texts(name) ?? null) : known;
  return {
    rejectedConsumesNumber: given.flag('rejectedConsumesNumber', former.rejectedConsumesNumber),
    tenantHeader: given.has('tenantHeader') ? tenantHeaderFrom(given) : former.tenantHeader,
    businessUnits: classifier('businessUnits', former.businessUnits),
    batchMethods: given.texts('batchMethods') ?? former.batchMethods,
    singleMethods: given.texts('singleMethods') ?? former.singleMethods,
    maxBatchItems: given.has('maxBatchItems') ? (given.optionalNumber('maxBatchItems') ?? null) : former.maxBatchItems,
    operationMethods: given.texts('operationMethods') ?? former.operationMethods,
    operationTypes: given.texts('operationTypes') ?? former.operationTypes,
    cardOperationSubTypes: classifier('cardOperationSubTypes', former.cardOperationSubTypes),
    riskManagementCategories: classifier('riskManagementCategories', former.riskManagementCategories),
    countries: classifier('countries', former.countries),
    currencies: classifier('currencies', former.currencies),
    customerRiskCategories: given.texts('customerRiskCategories') ?? former.customerRiskCategories,
    institutionBic: given.has('institutionBic')
      ? (given.optionalText('institutionBic') ?? null)
      : former.institutionBic,
  };
}
