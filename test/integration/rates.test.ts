import { RateBook } from '../../src/balances/rate-book';
import { RatesModule } from '../../src/balances/rates.module';
import { Environment } from '../../src/config/environment';
import type { Database, Queryable } from '../../src/shared/database';
import { type AdminApp, startAdminApp } from '../support/admin-app';

/** The database's day: what the rate book keeps in memory is counted from it. */
let today: string;
const daysAgo = (days: number): string => new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);

const rate = (more: object = {}): object => ({
  base: 'EUR',
  quote: 'SAR',
  date: today,
  rate: '4.25',
  source: 'ECB',
  ...more,
});

const RATE = { base: 'EUR', quote: 'SAR', date: '2020-01-01', rate: '1', source: 'ECB' };

describe('exchange rates', () => {
  let admin: AdminApp;

  beforeAll(async () => {
    admin = await startAdminApp([RatesModule], { EQUIVALENT_CURRENCY: 'EUR' });
    const [row] = await admin.testDatabase.database.query<{ day: string }>('select current_date::text as day');
    today = String(row?.day);
  });
  afterAll(() => admin.close());

  it('loads rates, replaces a rate of the same pair and day, and gives the latest within seven days', async () => {
    const book = admin.app.get(RateBook);
    const first = await admin.api
      .put('/admin/rates')
      .send({ rates: [rate(), rate({ quote: 'PLN', date: daysAgo(3), rate: '4.3000000001' })] });
    expect([first.status, first.body]).toEqual([200, { loaded: 2 }]);
    expect(book.rate('SAR', 'EUR', today)).toEqual({
      base: 'EUR',
      quote: 'SAR',
      rateDate: today,
      rate: '4.25',
      source: 'ECB',
    });
    expect(book.rate('PLN', 'EUR', today)?.rate).toBe('4.3000000001');
    expect(book.rate('PLN', 'EUR', daysAgo(4))).toBeUndefined();
    expect(book.rate('SAR', 'USD', today)).toBeUndefined();
    await admin.api.put('/admin/rates').send({ rates: [rate({ rate: '4.26', source: 'desk' })] });
    expect(book.rate('SAR', 'EUR', today)).toMatchObject({ rate: '4.26', source: 'desk' });
    const old = await admin.api.put('/admin/rates').send({ rates: [rate({ quote: 'USD', date: daysAgo(8) })] });
    expect(old.status).toBe(200);
    expect(book.rate('USD', 'EUR', today)).toBeUndefined();
    expect(book.rate('USD', 'EUR', daysAgo(1))).toBeDefined();
  });

  it('gives a rate of its day for a balance of long ago', async () => {
    const book = admin.app.get(RateBook);
    const rates = [rate({ quote: 'NOK', date: daysAgo(2_000) }), rate({ quote: 'NOK', date: daysAgo(500), rate: '5' })];
    await admin.api.put('/admin/rates').send({ rates });
    expect(
      [2_001, 2_000, 1_993, 1_992, 501, 500, 493, 492].map((days) => book.rate('NOK', 'EUR', daysAgo(days))?.rate),
    ).toEqual([undefined, '4.25', '4.25', undefined, undefined, '5', '5', undefined]);
  });

  it('takes the rate that multiplies where both directions have one of the day', async () => {
    const book = admin.app.get(RateBook);
    const date = daysAgo(20);
    const rates = [
      rate({ base: 'DKK', quote: 'EUR', date, rate: '0.13' }),
      rate({ quote: 'DKK', date, rate: '7.4' }),
      rate({ quote: 'DKK', date: daysAgo(19), rate: '7.5' }),
    ];
    await admin.api.put('/admin/rates').send({ rates });
    expect(book.rate('DKK', 'EUR', date)?.rate).toBe('0.13');
    expect(book.rate('DKK', 'EUR', daysAgo(18))?.rate).toBe('7.5');
  });

  it('writes down who loaded how many', async () => {
    const rates = [rate({ quote: 'CHF', date: daysAgo(3) }), rate({ quote: 'SEK' })];
    expect((await admin.api.put('/admin/rates').send({ rates })).status).toBe(200);
    const trail = await admin.testDatabase.database.query(
      `select actor, action, detail from audit_entry order by id desc limit 1`,
    );
    expect(trail).toEqual([
      { actor: 'admin', action: 'rates.load', detail: { count: 2, from: daysAgo(3), to: today } },
    ]);
  });

  it.each([
    ['a number', { rate: 4.25 }, 'rates[1].rate'],
    ['zero', { rate: '0.00' }, 'rates[1].rate'],
    ['a negative rate', { rate: '-1' }, 'rates[1].rate'],
    ['an exponent', { rate: '1e3' }, 'rates[1].rate'],
    ['NaN', { rate: 'NaN' }, 'rates[1].rate'],
    ['the currency XXX', { base: 'XXX' }, 'rates[1].base'],
    ['one currency twice', { quote: 'EUR' }, 'rates[1].quote'],
    ['a date that does not exist', { date: '2027-02-30' }, 'rates[1].date'],
    ['a rate without source', { source: undefined }, 'rates[1].source'],
    ['a second rate for one pair and day', { date: '2020-01-01' }, 'rates[1]'],
    ['an unknown field', { bid: '1' }, 'rates[1].bid'],
  ])('refuses %s and stores none of the list', async (_what, change, field) => {
    const answer = await admin.api
      .put('/admin/rates')
      .send({ rates: [rate({ date: '2020-01-01' }), rate({ date: '2020-01-02', ...change })] });
    expect(answer.body).toMatchObject({ status: 400, errors: [{ field }] });
    expect(
      await admin.testDatabase.database.query(`select 1 from exchange_rate where rate_date < '2020-02-01'`),
    ).toEqual([]);
  });

  it.each<[string, object, string, string]>([
    ['that is missing', {}, 'rates', 'is required, and must be a list of rates'],
    ['that is empty', { rates: [] }, 'rates', 'must hold at least one rate'],
    ['that is an object', { rates: {} }, 'rates', 'must be a list of rates'],
    ['that is a text', { rates: 'ECB' }, 'rates', 'must be a list of rates'],
    [
      'that is too long',
      { rates: Array.from({ length: 5_001 }, () => 7) },
      'rates',
      'must hold at most 5000 rates: send the rest in another call',
    ],
    ['with a number', { rates: [7] }, 'rates[0]', 'must be a JSON object'],
    ['with null', { rates: [null] }, 'rates[0]', 'must be a JSON object'],
    ['with an empty list', { rates: [[]] }, 'rates[0]', 'must be a JSON object'],
    ['with a list of rates', { rates: [[RATE]] }, 'rates[0]', 'must be a JSON object'],
    ['with lists in lists', { rates: [RATE, [[RATE]]] }, 'rates[1]', 'must be a JSON object'],
  ])('says of a list %s in one sentence what it has to be', async (_what, body, field, message) => {
    const answer = await admin.api.put('/admin/rates').send(body);
    expect([answer.status, answer.body.errors]).toEqual([400, [{ field, message }]]);
  });

  it('refuses a list in place of the body', async () => {
    expect((await admin.api.put('/admin/rates').send([])).status).toBe(400);
  });

  describe('in memory', () => {
    const database = (): Database => admin.testDatabase.database;

    it('are those of a load that was committed after one that began later', async () => {
      const book = admin.app.get(RateBook);
      await admin.api.put('/admin/rates').send({ rates: [rate({ quote: 'CZK', date: daysAgo(1) })] });
      await admin.api.put('/admin/rates').send({ rates: [rate({ quote: 'CZK' })] });
      // Replaced by a call that looked at the clock before the second one, and was committed after it.
      await database().query(
        `update exchange_rate set rate = 25, loaded_at = (select max(loaded_at) - interval '1 microsecond' from exchange_rate)
where quote = 'CZK' and rate_date = $1`,
        [daysAgo(1)],
      );
      await book.refresh();
      expect(book.rate('CZK', 'EUR', daysAgo(1))?.rate).toBe('25');
    });

    it('stay as they are where the look after a load fails, which is no failure of the load', async () => {
      const away: Queryable = { query: () => Promise.reject(new Error('Connection terminated')) };
      const book = new RateBook(away as Database, admin.app.get(Environment));
      await expect(book.tryRefresh()).resolves.toBeUndefined();
    });

    it('are never taken back by a look that began before they were loaded and ended after', async () => {
      const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
      const { promise: reached, resolve: reach } = Promise.withResolvers<undefined>();
      let looks = 0;
      const slow: Queryable = {
        query: async (sql, values) => {
          const rows = await database().query(sql, values);
          if (!JSON.stringify(sql).includes('order by rate_date') || (looks += 1) > 1) return rows as never;
          // The rows of the first look come late.
          reach(undefined);
          await held;
          return rows as never;
        },
      };
      // It asks queries only.
      const book = new RateBook(slow as Database, admin.app.get(Environment));
      await admin.api.put('/admin/rates').send({ rates: [rate({ quote: 'HUF', rate: '390' })] });
      const first = book.refresh();
      await reached;
      await admin.api.put('/admin/rates').send({ rates: [rate({ quote: 'HUF', rate: '395' })] });
      const second = book.refresh();
      // Time enough for the second look, where it does not wait for the first.
      for (let query = 0; query < 20; query += 1) await database().query('select 1');
      letGo(undefined);
      await Promise.all([first, second]);
      expect(book.rate('HUF', 'EUR', today)?.rate).toBe('395');
    });
  });

  it('needs nothing in memory where no equivalent value is wanted', async () => {
    const plain = await startAdminApp([RatesModule]);
    try {
      expect((await plain.api.put('/admin/rates').send({ rates: [rate()] })).status).toBe(200);
      expect(plain.app.get(RateBook).rate('SAR', 'EUR', today)).toBeUndefined();
    } finally {
      await plain.close();
    }
  });
});
