import { CURRENCIES } from '../shared/currencies';
import { instantMs, isCalendarDate } from '../shared/instant';
import type { Rule } from './check';
import { isRowId } from './row-id';

/** Text of one line that reads the same in a log, a header and another system. */
export function text(maxLength: number): Rule {
  return (value) => {
    if (typeof value !== 'string') return 'must be a text';
    if (value.length < 1 || value.length > maxLength) return `must have 1 to ${maxLength} characters`;
    if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(value)) return 'must not contain control characters or line breaks';
    return value.trim() === value ? undefined : 'must not begin or end with a blank';
  };
}

/** Text that goes into an HTTP header as it is. */
export function headerText(maxLength: number): Rule {
  return (value) => {
    if (typeof value !== 'string' || value.length < 1 || value.length > maxLength) return text(maxLength)(value);
    return /^[\x21-\x7e]+$/.test(value) ? undefined : 'must consist of visible ASCII characters without blanks';
  };
}

export function oneOf(values: readonly string[]): Rule {
  return (value) =>
    typeof value === 'string' && values.includes(value) ? undefined : `must be one of: ${values.join(', ')}`;
}

export function rowId(what: string): Rule {
  return (value) =>
    isRowId(value) ? undefined : `must be the id of ${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}, as a text of digits`;
}

export const flag: Rule = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

export const jsonObject: Rule = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'must be a JSON object';

export const currency: Rule = (value) => {
  if (typeof value !== 'string' || !/^[A-Z]{3}$/.test(value)) {
    return 'must be an ISO 4217 currency code in capital letters such as EUR';
  }
  return CURRENCIES.has(value) ? undefined : 'must be the ISO 4217 code of a currency: this one is not in use as money';
};

/** RFC 3339 with offset: a time without one would mean another instant in another place. */
export const instant: Rule = (value) =>
  typeof value === 'string' && instantMs(value) !== undefined
    ? undefined
    : 'must be an RFC 3339 time with offset such as 2027-01-31T12:00:00Z, in UTC within the years 1 to 9999';

export const calendarDate: Rule = (value) =>
  typeof value === 'string' && isCalendarDate(value) ? undefined : 'must be a calendar date such as 2027-01-31';

export function wholeNumber(min: number, max: number): Rule {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? undefined
      : `must be a whole number from ${min} to ${max}`;
}
