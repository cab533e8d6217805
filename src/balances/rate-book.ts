import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';
import type { Rate } from './balance';
import { latestRate, MAX_RATE_AGE_DAYS } from './equivalent-value';

/** How long rates that were loaded at another replica may go unseen, in milliseconds. */
const REFRESH_MS = 5_000;
/** A balance older than this gets no equivalent value; it bounds what is kept in memory. */
const KEPT_DAYS = 400;
const DAY_MS = 86_400_000;

interface RateRow {
  base: string;
  quote: string;
  rate_date: string;
  rate: string;
  source: string;
}

/** The exchange rates of the reference currency in memory, so that mapping can stay free of I/O. */
@Injectable()
export class RateBook implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(RateBook.name);
  /** By currency and day: a search through all days of a year would cost more than the rest of the mapping. */
  private byDay: ReadonlyMap<string, readonly Rate[]> = new Map();
  private version = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.environment.equivalentCurrency === undefined) return;
    await this.refresh();
    this.timer = setInterval(() => void this.tryRefresh(), REFRESH_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /**
   * @param on YYYY-MM-DD
   * @returns the latest rate between the two that is not after `on` and at most 7 days older; undefined where there is none
   *   or `to` is not EQUIVALENT_CURRENCY
   */
  rate(from: string, to: string, on: string): Rate | undefined {
    if (to !== this.environment.equivalentCurrency) return undefined;
    const rates = Array.from({ length: MAX_RATE_AGE_DAYS + 1 }, (_, age) => {
      const day = new Date(Date.parse(on) - age * DAY_MS).toISOString().slice(0, 10);
      return this.byDay.get(`${from} ${day}`) ?? [];
    });
    return latestRate(rates.flat(), from, to, on);
  }

  /** Takes in what the table holds now, unless nothing was loaded since. */
  async refresh(): Promise<void> {
    const currency = this.environment.equivalentCurrency;
    if (currency === undefined) return;
    const version = await this.findVersion();
    if (version === this.version) return;
    const rows = await this.database.query<RateRow>(
      `select base, quote, to_char(rate_date, 'YYYY-MM-DD') as rate_date, rate, source from exchange_rate
       where $1 in (base, quote) and rate_date > current_date - $2::int order by rate_date`,
      [currency, KEPT_DAYS],
    );
    const byDay = new Map<string, Rate[]>();
    for (const { rate_date: rateDate, ...rest } of rows) {
      const key = `${rest.base === currency ? rest.quote : rest.base} ${rateDate}`;
      byDay.set(key, [...(byDay.get(key) ?? []), { ...rest, rateDate }]);
    }
    this.byDay = byDay;
    this.version = version;
  }

  private async findVersion(): Promise<string> {
    const [row] = await this.database.query<{ version: string }>(
      `select count(*) || ' ' || coalesce(max(loaded_at)::text, '') || ' ' || current_date as version from exchange_rate`,
    );
    return row?.version ?? '';
  }

  /** The rates in memory stay in use while the database is away. */
  private async tryRefresh(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.logger.warn({ msg: 'exchange rates could not be refreshed', error: String(error) });
    }
  }
}
