import { ApiProperty } from '@nestjs/swagger';
import { Check } from '../admin/check';
import { calendarDate, currency, text } from '../admin/rules';
import { isZero, parseAmount } from '../shared/decimal';

/** A rate is a decimal in text: a JSON number would have gone through a binary float on its way here. */
function rate(value: unknown): string | undefined {
  const parsed = typeof value === 'string' ? parseAmount(value) : undefined;
  return parsed !== undefined && !parsed.startsWith('-') && !isZero(parsed)
    ? undefined
    : 'must be a decimal above zero as a text such as "4.2567", at most 18 digits before and 10 after the point';
}

const MAX_RATES = 5_000;

/** What the entries have to be, `readRates` says. */
function rateList(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'must be a list of rates';
  if (value.length === 0) return 'must hold at least one rate';
  return value.length > MAX_RATES ? `must hold at most ${MAX_RATES} rates: send the rest in another call` : undefined;
}

export class RateDto {
  @ApiProperty({ description: '1 base = rate quote', example: 'EUR' })
  @Check(currency)
  base: string;

  @ApiProperty({ example: 'SAR' })
  @Check(currency)
  quote: string;

  @ApiProperty({ format: 'date', description: 'The day that the rate was published for', example: '2027-01-29' })
  @Check(calendarDate)
  date: string;

  @ApiProperty({ example: '4.2567' })
  @Check(rate)
  rate: string;

  @ApiProperty({ description: 'Who published it; part of every explanation that uses it', example: 'ECB' })
  @Check(text(100))
  source: string;
}

export class PutRatesDto {
  @ApiProperty({ type: [RateDto], maxItems: MAX_RATES })
  @Check(rateList)
  rates: unknown[];
}

export class LoadedRatesDto {
  @ApiProperty({ description: 'Rates stored or replaced', example: 31 })
  loaded: number;
}
