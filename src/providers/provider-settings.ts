import 'reflect-metadata';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsIn, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import type { ValidationArguments, ValidationOptions } from 'class-validator';
import { Check } from '../admin/check';
import { text } from '../admin/rules';
import { comparableCode } from '../balances/type-map';

/** One line of the ordered map from a bank's balance type to AMLYZE's. */
export class BalanceTypeEntry {
  /** The bank's word, compared without case and without the provider's prefix. */
  @Check(text(100))
  type: string;

  /** AMLYZE `balanceType` code. */
  @Check(text(100))
  code: string;

  static of(type: string, code: string): BalanceTypeEntry {
    return Object.assign(new BalanceTypeEntry(), { type, code });
  }
}

const IANA_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** Node also takes offsets such as "+03:00" as a zone; they have no daylight-saving rules, so only names are let in. */
function isTimeZoneName(value: unknown): boolean {
  if (typeof value !== 'string' || !IANA_NAME.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

function IsTimeZoneName(): PropertyDecorator {
  return ValidateBy({
    name: 'isTimeZoneName',
    validator: {
      validate: isTimeZoneName,
      defaultMessage: () => '$property must be an IANA time zone such as Asia/Riyadh',
    },
  });
}

/** Absent is fine, null is not: class-validator's IsOptional takes both. */
function MayBeAbsent(): PropertyDecorator {
  return ValidateIf((_settings, value) => value !== undefined);
}

/** A path below the base URL: no query, no fragment, no way up, and the placeholders that it must carry. */
export function IsApiPath(placeholders: readonly string[] = [], options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isApiPath',
      validator: {
        validate: (value: unknown) =>
          typeof value === 'string' &&
          /^(\/[A-Za-z0-9._~{}-]+)+$/.test(value) &&
          !/\/\.{1,2}(\/|$)/.test(value) &&
          placeholders.every((placeholder) => value.split(placeholder).length === 2),
        defaultMessage: () =>
          `$property must be a path such as /v1/name${placeholders.length > 0 ? ` with ${placeholders.join(', ')}` : ''}`,
      },
    },
    options,
  );
}

/** ValidateNested looks into lists within the list, and is content with what it finds there. */
function HasEntriesOnly(): PropertyDecorator {
  return ValidateBy({
    name: 'hasEntriesOnly',
    validator: {
      validate: (value: unknown) => Array.isArray(value) && value.every((entry) => entry instanceof BalanceTypeEntry),
      defaultMessage: () => '$property must be a list of objects with a type and a code',
    },
  });
}

/** Compared as a bank's answer is, or one balance of the bank would become two records. */
function HasNoTypeTwice(): PropertyDecorator {
  return ValidateBy({
    name: 'hasNoTypeTwice',
    validator: {
      validate: (value: unknown, settings) => {
        if (!Array.isArray(value)) return false;
        const prefix = prefixOf(settings);
        const types = value.map((entry: unknown) =>
          entry instanceof BalanceTypeEntry && typeof entry.type === 'string'
            ? comparableCode(entry.type, prefix)
            : entry,
        );
        return new Set(types).size === types.length;
      },
      defaultMessage: (settings) => {
        const prefix = prefixOf(settings);
        return `$property must not name a type twice, in any case${prefix === undefined ? '' : ', with or without the typePrefix'}`;
      },
    },
  });
}

/** Of the providers that have one. */
function prefixOf(settings: ValidationArguments | undefined): string | undefined {
  const object = settings?.object;
  return object && 'typePrefix' in object && typeof object.typePrefix === 'string' ? object.typePrefix : undefined;
}

interface Bounds {
  min: number;
  max: number;
  unit: string;
  /** Absent: whole numbers only. */
  fractions?: true;
}

/** One decorator and so one message, which names the bounds and the unit. */
function IsNumberWithin({ min, max, unit, fractions }: Bounds): PropertyDecorator {
  const what = fractions ? 'number' : 'whole number';
  return ValidateBy({
    name: 'isNumberWithin',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'number' && value >= min && value <= max && (fractions || Number.isInteger(value)),
      defaultMessage: () => `$property must be a ${what} of ${unit} from ${min} to ${max}`,
    },
  });
}

/** Settings that every provider understands; each provider's class adds its own and may replace the defaults. */
export class ProviderSettings {
  /** Ordered: of several types that map to one code the first one in the answer is sent. */
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(50)
  @HasEntriesOnly()
  @HasNoTypeTwice()
  @ValidateNested({ each: true })
  @Type(() => BalanceTypeEntry)
  balanceTypes: BalanceTypeEntry[] = [];

  /** Zone of bank times that come without an offset. */
  @MayBeAbsent()
  @IsTimeZoneName()
  timeZone?: string;

  /** Upper bound of calls per second to this connection; absent means none. */
  @MayBeAbsent()
  @IsNumberWithin({ min: 0.001, max: 10_000, unit: 'calls per second', fractions: true })
  requestsPerSecond?: number;

  /** Total deadline of one call to the bank, in milliseconds. */
  @IsNumberWithin({ min: 100, max: 120_000, unit: 'milliseconds' })
  timeoutMs: number = 10_000;

  /** What the budget of unattended reads is counted by. */
  @IsIn(['account', 'consent'])
  accessScope: 'account' | 'consent' = 'account';

  /** The window of that budget. */
  @IsIn(['rolling-24h', 'calendar-day'])
  accessWindow: 'rolling-24h' | 'calendar-day' = 'rolling-24h';

  /** Calls in a row that find the bank unavailable before it is no longer asked, but for one probe at a time. */
  @IsNumberWithin({ min: 1, max: 1_000, unit: 'calls' })
  breakerFailures: number = 5;

  /** Seconds between two probes of a bank that is unavailable. */
  @IsNumberWithin({ min: 1, max: 3_600, unit: 'seconds' })
  breakerSeconds: number = 30;

  /** Failures in a row after which the bank suspends our access; the connection pauses three before. Absent: it does not. */
  @MayBeAbsent()
  @IsNumberWithin({ min: 4, max: 100_000, unit: 'failures' })
  suspendAfterFailures?: number;
}
