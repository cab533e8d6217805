import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';
import type { BalanceProvider } from './provider';
import type { ProviderSettings } from './provider-settings';

export interface SettingsProblem {
  /** Path below `settings`, such as `balanceTypes.0.code`. */
  field: string;
  message: string;
}

export type ParsedSettings<S extends ProviderSettings> =
  { ok: true; settings: S } | { ok: false; problems: SettingsProblem[] };

/** Validates the settings of a connection against its provider's class and fills in the defaults. */
export function parseSettings<S extends ProviderSettings>(
  provider: Pick<BalanceProvider<S>, 'settingsClass'>,
  raw: unknown,
): ParsedSettings<S> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { ok: false, problems: [{ field: '', message: 'settings must be an object' }] };
  }
  const settings = plainToInstance(provider.settingsClass, raw);
  const errors = validateSync(settings, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  return errors.length === 0
    ? { ok: true, settings }
    : { ok: false, problems: errors.flatMap((error) => flatten(error)) };
}

function flatten(error: ValidationError, parent = ''): SettingsProblem[] {
  const field = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ field, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => flatten(child, field))];
}
