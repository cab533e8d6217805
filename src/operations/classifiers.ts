import type { Environment } from '../config/environment';
import { ISO_COUNTRIES, ISO_CURRENCIES } from './iso-codes';
import type { OperationRules } from './operation';

type Configured = Pick<
  Environment,
  | 'operationsCardSubTypes'
  | 'operationsRiskCategories'
  | 'operationsCountries'
  | 'operationsCurrencies'
  | 'operationsBusinessUnits'
  | 'operationsUnknownCodes'
  | 'operationsCountriesRequired'
  | 'operationsCallerNumbers'
  | 'cardData'
  | 'amlyzeBusinessUnit'
>;

/** The rules that this installation is configured for, at this moment. Made once for an import. */
export function operationRules(environment: Configured, now: Date): OperationRules {
  const ownUnit = environment.amlyzeBusinessUnit;
  const units = environment.operationsBusinessUnits;
  return {
    classifiers: {
      cardOperationSubType: environment.operationsCardSubTypes,
      riskManagementCategory: environment.operationsRiskCategories,
      country: withIso(environment.operationsCountries, ISO_COUNTRIES),
      currency: withIso(environment.operationsCurrencies, ISO_CURRENCIES),
      businessUnit: units && ownUnit !== undefined ? [...units, ownUnit] : units,
      operationType: ['CARD_PAYMENT'],
    },
    unknownCodes: environment.operationsUnknownCodes,
    countriesRequired: environment.operationsCountriesRequired,
    callerNumbers: environment.operationsCallerNumbers,
    cardData: environment.cardData,
    defaultBusinessUnit: ownUnit,
    now,
  };
}

/** `ISO` in a configured list stands for the whole standard. */
function withIso(codes: readonly string[], iso: readonly string[]): readonly string[] {
  return codes.flatMap((code) => (code === 'ISO' ? iso : [code]));
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Membership in a list that is asked for every operation of an import. */
export function isListed(codes: readonly string[], code: string): boolean {
  let set = sets.get(codes);
  if (set === undefined) sets.set(codes, (set = new Set(codes)));
  return set.has(code);
}
