import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { jsonObject } from '../admin/rules';
import { STRICT, toFieldErrors } from '../admin/validation.pipe';
import { ApiProblem, type FieldError } from '../shared/problem';
import { RateDto } from './rates.dto';

/**
 * The entries of a list as rates. Looked at one by one: class-validator's nested validation is content with lists in the list, and says
 * of what is no object that every one of its fields is missing.
 *
 * @throws ApiProblem 400 that names the fields of all entries that are no rates, or the rates that stand twice
 */
export function readRates(entries: readonly unknown[]): RateDto[] {
  const rates: RateDto[] = [];
  const errors: FieldError[] = [];
  for (const [at, entry] of entries.entries()) {
    const field = `rates[${at}]`;
    const noObject = jsonObject(entry);
    if (noObject !== undefined) errors.push({ field, message: noObject });
    else {
      const rate = plainToInstance(RateDto, entry);
      errors.push(...toFieldErrors(validateSync(rate, STRICT), field));
      rates.push(rate);
    }
  }
  if (errors.length === 0) errors.push(...contradictionsIn(rates));
  if (errors.length > 0) throw ApiProblem.invalid(errors);
  return rates;
}

function contradictionsIn(rates: readonly RateDto[]): FieldError[] {
  const seen = new Map<string, number>();
  return rates.flatMap(({ base, quote, date }, at): FieldError[] => {
    if (base === quote) return [{ field: `rates[${at}].quote`, message: 'must be another currency than base' }];
    const key = `${base} ${quote} ${date}`;
    const first = seen.get(key);
    seen.set(key, first ?? at);
    if (first === undefined) return [];
    return [{ field: `rates[${at}]`, message: `is a second rate for the pair and day of rates[${first}]: send one` }];
  });
}
