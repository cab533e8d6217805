import fc from 'fast-check';
import { canonicalInstant, instantMs, isCalendarDate, utcInstant } from './instant';

describe('instantMs', () => {
  it('agrees with the engine for every RFC 3339 time with offset', () => {
    const dates = fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
    const offsets = fc.tuple(fc.constantFrom('+', '-'), fc.nat(17), fc.nat(59));
    fc.assert(
      fc.property(dates, offsets, (date, [sign, hours, minutes]) => {
        const offset = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
        const text = date.toISOString().replace('Z', offset);
        expect(instantMs(text)).toBe(Date.parse(text));
      }),
    );
  });

  it.each([
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00+18:01',
    '9999-12-31T23:59:59-10:00',
    '0001-01-01T00:00:00+10:00',
  ])('knows that %s is none', (text) => {
    expect(instantMs(text)).toBeUndefined();
    expect(() => canonicalInstant(text)).toThrow(TypeError);
  });
});

describe('canonicalInstant', () => {
  it.each([
    ['2024-08-16T13:00:00Z', '2024-08-16T13:00:00Z'],
    ['2024-08-16T15:00:00.000+02:00', '2024-08-16T13:00:00Z'],
    ['2024-01-01T00:30:00.120000000+01:00', '2023-12-31T23:30:00.12Z'],
    ['1969-12-31T23:59:59.999999999Z', '1969-12-31T23:59:59.999999999Z'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalInstant(text)).toBe(canonical);
  });
});

describe('utcInstant', () => {
  it.each([
    ['2024-08-16T15:00:00+18:00', '2024-08-15T21:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999Z'],
  ])('writes %s as %s', (text, utc) => {
    expect(utcInstant(text)).toBe(utc);
  });
});

describe('isCalendarDate', () => {
  it.each(['2024-02-29', '0001-01-01', '9999-12-31'])('knows %s', (text) => expect(isCalendarDate(text)).toBe(true));
  it.each(['2023-02-29', '2024-13-01', '2024-1-1', '24-01-01', '2024-01-01T00:00:00Z', ''])('refuses %j', (text) => {
    expect(isCalendarDate(text)).toBe(false);
  });
});
