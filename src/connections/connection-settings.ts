import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { STRICT, toFieldErrors } from '../admin/validation.pipe';
import type { BalanceProvider } from '../providers/provider';
import type { ProviderSettings } from '../providers/provider-settings';
import type { FieldError } from '../shared/problem';

export type GivenSettings = Readonly<Record<string, unknown>>;

/**
 * Reads settings with the provider's class: what was given, with the provider's defaults where nothing was.
 *
 * @param given what the operator sent or what is stored; only these keys are stored, so that a later default takes hold
 */
export function readSettings(
  provider: BalanceProvider,
  given: GivenSettings,
): { settings: ProviderSettings; errors: FieldError[] } {
  const settings = plainToInstance(provider.settingsClass, given, { enableImplicitConversion: false });
  // class-validator's IsOptional lets null through, which no setting means anything by.
  const nulls = Object.keys(given).filter((name) => given[name] === null);
  const errors = [
    ...nulls.map((name) => ({ field: name, message: 'must not be null: leave the setting out for its default' })),
    ...toFieldErrors(validateSync(settings, STRICT)),
  ];
  return { settings, errors: errors.map(({ field, message }) => ({ field: `settings.${field}`, message })) };
}

/** What is wrong with stored settings after a change. To take away what never was there is a misspelling. */
export function settingFaults(provider: BalanceProvider, stored: GivenSettings, changes: GivenSettings): FieldError[] {
  const absent = Object.entries(changes).filter(([name, value]) => value === null && !Object.hasOwn(stored, name));
  const misspelt = validateSync(plainToInstance(provider.settingsClass, Object.fromEntries(absent)), STRICT).filter(
    ({ constraints }) => constraints?.['whitelistValidation'] !== undefined,
  );
  return [...toFieldErrors(misspelt, 'settings'), ...readSettings(provider, mergeSettings(stored, changes)).errors];
}

/** Lays a change over stored settings: null takes a setting away, anything else replaces it whole. */
export function mergeSettings(stored: GivenSettings, changes: GivenSettings): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...stored, ...changes }).filter(([, value]) => value !== null));
}
