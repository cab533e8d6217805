import { Body, Controller, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuditTrail } from '../admin/audit-trail';
import { ApiProblems } from '../admin/open-api';
import { Database } from '../shared/database';
import { RateBook } from './rate-book';
import { LoadedRatesDto, PutRatesDto } from './rates.dto';
import { readRates } from './read-rates';

@ApiTags('rates')
@Controller('admin/rates')
export class RatesController {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
    private readonly book: RateBook,
  ) {}

  @Put()
  @ApiOperation({ summary: 'Load exchange rates for equivalentValue; a rate of the same pair and day is replaced' })
  @ApiOkResponse({ type: LoadedRatesDto })
  @ApiProblems(400, 413)
  async put(@Body() body: PutRatesDto): Promise<LoadedRatesDto> {
    const rates = readRates(body.rates);
    await this.database.transaction(async (tx) => {
      await tx.query(
        `insert into exchange_rate (base, quote, rate_date, rate, source, loaded_at)
         select base, quote, rate_date, rate, source, clock_timestamp()
         from unnest($1::text[], $2::text[], $3::date[], $4::numeric[], $5::text[]) as r(base, quote, rate_date, rate, source)
         order by base, quote, rate_date
         on conflict (base, quote, rate_date)
           do update set rate = excluded.rate, source = excluded.source, loaded_at = excluded.loaded_at`,
        [
          rates.map(({ base }) => base),
          rates.map(({ quote }) => quote),
          rates.map(({ date }) => date),
          rates.map(({ rate }) => rate),
          rates.map(({ source }) => source),
        ],
      );
      const dates = rates.map(({ date }) => date).sort();
      const detail = { count: rates.length, from: dates[0], to: dates.at(-1) };
      await this.audit.append(tx, { action: 'rates.load', target: 'rates', detail });
    });
    await this.book.tryRefresh();
    return { loaded: rates.length };
  }
}
