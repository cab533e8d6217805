import { calendarDate, currency, headerText, instant, rowId, text, wholeNumber } from './rules';

describe('rules', () => {
  it.each(['2027-01-31T12:00:00Z', '2028-02-29T23:59:59.123+14:00', '2027-01-31T00:00:00.000000001-00:30'])(
    'takes the time %s',
    (value) => expect(instant(value)).toBeUndefined(),
  );

  it.each([
    '2027-01-31',
    '2027-01-31T12:00:00',
    '2027-01-31 12:00:00Z',
    '2027-02-29T12:00:00Z',
    '2027-13-01T12:00:00Z',
    '2027-01-31T24:00:00Z',
    '2027-01-31T12:00:60Z',
    '2027-01-31T12:00:00+24:00',
    '+002027-01-31T12:00:00Z',
    '9999-12-31T23:59:59-05:00',
    1_800_000_000_000,
    null,
  ])('refuses the time %p and says what one looks like', (value) => expect(instant(value)).toContain('RFC 3339'));

  it('takes a calendar date only where the calendar has it', () => {
    expect(calendarDate('2028-02-29')).toBeUndefined();
    for (const value of ['2027-02-29', '2027-00-10', '0000-01-01', '2027-1-1', 20270101]) {
      expect(calendarDate(value)).toBeDefined();
    }
  });

  it('takes the currencies of countries and no other code', () => {
    for (const code of ['EUR', 'SAR', 'JPY', 'KWD', 'VED', 'XOF', 'XAF', 'XPF', 'XCD'])
      expect(currency(code)).toBeUndefined();
    for (const code of ['XXX', 'XTS', 'XAU', 'XDR', 'ZZZ', 'eur', 'EURO', '', 978])
      expect(currency(code)).toBeDefined();
  });

  it('takes text of one line and counts its characters', () => {
    for (const value of ['x', 'Čeština – 中文', 'a b', 'x'.repeat(10)])
      expect(text(10 + value.length)(value)).toBeUndefined();
    for (const value of ['', ' a', 'a ', 'a\nb', 'a\u0000', 'a\u2028b', '\ud800', 'x'.repeat(11)]) {
      expect(text(10)(value)).toBeDefined();
    }
  });

  it('lets only what a header can carry into a header', () => {
    expect(headerText(100)('eyJhbGciOi.J9-_~+/=')).toBeUndefined();
    for (const value of ['', 'a b', 'ä', 'a\r\nb', 'x'.repeat(101), 5]) expect(headerText(100)(value)).toBeDefined();
  });

  it('takes whole numbers within their bounds and no text', () => {
    expect(wholeNumber(1, 4)(4)).toBeUndefined();
    for (const value of [0, 5, 1.5, Number.NaN, Infinity, '2', null]) expect(wholeNumber(1, 4)(value)).toBeDefined();
  });
});

describe('rowId', () => {
  it.each([
    ['account', 'an account'],
    ['operation', 'an operation'],
    ['run', 'a run'],
  ])('names what the id is of: %s', (what, named) => {
    expect(rowId(what)('x')).toBe(`must be the id of ${named}, as a text of digits`);
    expect(rowId(what)('12')).toBeUndefined();
  });
});
