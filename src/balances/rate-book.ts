import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';
import type { Rate } from './balance';
import { latestRate, MAX_RATE_AGE_DAYS } from './equivalent-value';

/** How long rates that were loaded at another replica may go unseen, in milliseconds. */
const REFRESH_MS = 5_000;
/** Rates that can count for one day: one for each direction of a pair, of that day or of one before it. */
const RATES_LOOKED_AT = 2 * (MAX_RATE_AGE_DAYS + 1);

interface RateRow {
  base: string;
  quote: string;
  rate_date: string;
  rate: string;
  source: string;
}

/**
 * The exchange rates of the reference currency in memory, so that mapping can stay free of I/O. All of them, since a dormant account's
 * balance may be years old: 30 currencies make 11,000 rates a year, about 1 MB.
 */
@Injectable()
export class RateBook implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(RateBook.name);
  /** By the other currency, oldest first. */
  private byCurrency: ReadonlyMap<string, readonly Rate[]> = new Map();
  private version = '';
  /** Ends with the last look at the table that was asked for. */
  private looking: Promise<unknown> = Promise.resolve();
  private looks = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.environment.equivalentCurrency === undefined) return;
    await this.refresh();
    this.timer = setInterval(() => void this.refreshIfIdle(), REFRESH_MS);
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
    const rates = this.byCurrency.get(from) ?? [];
    const end = firstAfter(rates, on);
    return latestRate(rates.slice(Math.max(0, end - RATES_LOOKED_AT), end), from, to, on);
  }

  /** Takes in what the table holds now, unless nothing was loaded since. One look after the other: none ends with what an earlier one saw. */
  refresh(): Promise<void> {
    this.looks += 1;
    const look = this.looking.then(() => this.look()).finally(() => (this.looks -= 1));
    this.looking = look.catch(() => undefined);
    return look;
  }

  private async look(): Promise<void> {
    const currency = this.environment.equivalentCurrency;
    if (currency === undefined) return;
    const version = await this.findVersion();
    if (version === this.version) return;
    const rows = await this.database.query<RateRow>(
      `select base, quote, to_char(rate_date, 'YYYY-MM-DD') as rate_date, rate, source from exchange_rate
       where $1 in (base, quote) order by rate_date`,
      [currency],
    );
    const byCurrency = new Map<string, Rate[]>();
    // One text for all rates that have it: each row comes with texts of its own.
    const texts = new Map<string, string>();
    const kept = (text: string): string => texts.get(text) ?? (texts.set(text, text), text);
    for (const { base, quote, rate, ...row } of rows) {
      const other = base === currency ? quote : base;
      const rates = byCurrency.get(other) ?? [];
      byCurrency.set(other, rates);
      const [rateDate, source] = [kept(row.rate_date), kept(row.source)];
      rates.push({ base: kept(base), quote: kept(quote), rateDate, rate, source });
    }
    this.byCurrency = byCurrency;
    this.version = version;
  }

  /** Changes with every rate that is loaded or replaced. The latest time alone would not: a call that took its time first may be committed last. */
  private async findVersion(): Promise<string> {
    const [row] = await this.database.query<{ version: string }>(
      `select count(*) || ' ' || coalesce(sum(extract(epoch from loaded_at)), 0) as version from exchange_rate`,
    );
    return row?.version ?? '';
  }

  private async refreshIfIdle(): Promise<void> {
    if (this.looks === 0) await this.tryRefresh();
  }

  /** The rates in memory stay in use while the database is away; the next look is never far. */
  async tryRefresh(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.logger.warn({ msg: 'exchange rates could not be refreshed', error: String(error) });
    }
  }
}

/** Index of the first rate of a later day; a search through all days would cost more than the rest of the mapping. */
function firstAfter(rates: readonly Rate[], day: string): number {
  let [low, high] = [0, rates.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rates[middle]?.rateDate ?? '') <= day) low = middle + 1;
    else high = middle;
  }
  return low;
}
