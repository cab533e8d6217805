import type { JsonValue } from '../shared/json';
import { readBalanceAt } from './balance-at';
import { Refusal } from './outcome';

const FETCHED_AT = new Date('2026-12-31T23:00:00.000Z');

function at(dateTime: JsonValue | undefined, timeZone?: string): string {
  const result = readBalanceAt(dateTime, { timeZone, fetchedAt: FETCHED_AT });
  return result instanceof Refusal ? result.reason : result;
}

describe('readBalanceAt', () => {
  it.each([
    ['UTC stays', '2026-03-10T10:40:00.123Z', '2026-03-10T10:40:00.123Z'],
    ['absent milliseconds are zero', '2026-03-10T10:40:00Z', '2026-03-10T10:40:00.000Z'],
    ['a tenth of a second is 100 ms', '2026-03-10T10:40:00.1Z', '2026-03-10T10:40:00.100Z'],
    ['finer digits are cut, not rounded', '2026-03-10T10:40:00.123999999Z', '2026-03-10T10:40:00.123Z'],
    ['an offset east of UTC is subtracted', '2026-03-10T01:40:00+02:00', '2026-03-09T23:40:00.000Z'],
    ['an offset west of UTC is added', '2026-03-10T22:40:00-05:30', '2026-03-11T04:10:00.000Z'],
    ['an offset may stand without colon', '2026-03-10T10:40:00.000+0300', '2026-03-10T07:40:00.000Z'],
    ['lower-case t and z are RFC 3339 too', '2026-03-10t10:40:00z', '2026-03-10T10:40:00.000Z'],
    ['the unknown offset -00:00 is UTC', '2026-03-10T10:40:00-00:00', '2026-03-10T10:40:00.000Z'],
    ['29 February exists in a leap year', '2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['five minutes ahead of the fetch is clock drift', '2026-12-31T23:05:00.000Z', '2026-12-31T23:05:00.000Z'],
  ])('%s', (_title, dateTime, expected) => {
    expect(at(dateTime)).toBe(expected);
  });

  it.each<[string, JsonValue | undefined]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a placeholder', 'YYYY-MM-DDTHH:MM:SS.SSSZ'],
    ['a date only', '2026-03-10'],
    ['a time without seconds', '2026-03-10T10:40Z'],
    ['a space in place of the T', '2026-03-10 10:40:00Z'],
    ['a point without digits', '2026-03-10T10:40:00.Z'],
    ['a decimal comma', '2026-03-10T10:40:00,5Z'],
    ['30 February', '2026-02-30T10:40:00Z'],
    ['29 February of a common year', '2026-02-29T10:40:00Z'],
    ['month 13', '2026-13-01T10:40:00Z'],
    ['day 0', '2026-03-00T10:40:00Z'],
    ['hour 24', '2026-03-10T24:00:00Z'],
    ['minute 60', '2026-03-10T10:60:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['an offset of 24 hours', '2026-03-10T10:40:00+24:00'],
    ['an offset with minute 60', '2026-03-10T10:40:00+02:60'],
    ['an offset of hours only', '2026-03-10T10:40:00+02'],
    ['a year of five digits', '+12026-03-10T10:40:00Z'],
    ['the year 1, which means no time', '0001-01-01T00:00:00Z'],
    ['text after the time', '2026-03-10T10:40:00Z '],
    ['digits of another script', '٢٠٢٦-03-10T10:40:00Z'],
    ['an epoch number', ['1773139200000']],
  ])('refuses %s', (_title, dateTime) => {
    expect(at(dateTime)).toContain('not a date and time such as');
  });

  it('refuses more than five minutes in the future, by the instant and not by the text', () => {
    expect(at('2026-12-31T23:05:00.001Z')).toContain('more than 5 minutes later than its fetch');
    expect(at('2027-01-01T01:00:00+03:00')).toBe('2026-12-31T22:00:00.000Z');
    expect(at('2026-12-31T20:00:00-05:00')).toContain('more than 5 minutes later');
  });

  it('refuses a time without offset where the connection has no zone', () => {
    expect(at('2026-03-10T10:40:00')).toContain('has no offset, and the connection has no timeZone');
  });

  it.each([
    ['a zone without summer time', 'Asia/Riyadh', '2026-03-10T10:40:00.5', '2026-03-10T07:40:00.500Z'],
    ['winter', 'Europe/Sofia', '2026-01-15T10:40:00', '2026-01-15T08:40:00.000Z'],
    ['summer', 'Europe/Sofia', '2026-07-15T10:40:00', '2026-07-15T07:40:00.000Z'],
    ['the last moment before the gap', 'Europe/Sofia', '2026-03-29T02:59:59.999', '2026-03-29T00:59:59.999Z'],
    ['the first moment after the gap', 'Europe/Sofia', '2026-03-29T04:00:00', '2026-03-29T01:00:00.000Z'],
    ['the last moment before the doubled hour', 'Europe/Sofia', '2026-10-25T02:59:59.999', '2026-10-24T23:59:59.999Z'],
    ['the first moment after the doubled hour', 'Europe/Sofia', '2026-10-25T04:00:00', '2026-10-25T02:00:00.000Z'],
    ['a zone behind UTC', 'America/New_York', '2026-03-08T01:59:59', '2026-03-08T06:59:59.000Z'],
    [
      'the first moment after the gap behind UTC',
      'America/New_York',
      '2026-03-08T03:00:00',
      '2026-03-08T07:00:00.000Z',
    ],
    ['a zone of quarter hours', 'Asia/Kathmandu', '2026-03-10T10:40:00', '2026-03-10T04:55:00.000Z'],
    ['a zone 14 hours ahead', 'Pacific/Kiritimati', '2026-03-10T10:40:00', '2026-03-09T20:40:00.000Z'],
    ['UTC by name', 'UTC', '2026-03-10T10:40:00', '2026-03-10T10:40:00.000Z'],
  ])('reads a local time in %s', (_title, zone, local, expected) => {
    expect(at(local, zone)).toBe(expected);
  });

  it.each([
    ['the hour that is left out in spring', 'Europe/Sofia', '2026-03-29T03:30:00', 'does not exist'],
    ['its first moment', 'Europe/Sofia', '2026-03-29T03:00:00', 'does not exist'],
    ['the hour that comes twice in autumn', 'Europe/Sofia', '2026-10-25T03:30:00', 'exists twice'],
    ['its first moment', 'Europe/Sofia', '2026-10-25T03:00:00', 'exists twice'],
    ['its last millisecond', 'Europe/Sofia', '2026-10-25T03:59:59.999', 'exists twice'],
    ['a half hour that comes twice', 'Australia/Lord_Howe', '2026-04-05T01:45:00', 'exists twice'],
    ['the day that Samoa left out', 'Pacific/Apia', '2011-12-30T12:00:00', 'does not exist'],
  ])('refuses %s', (_title, zone, local, reason) => {
    expect(at(local, zone)).toContain(`${reason} in ${zone}`);
  });

  it('takes an offset before the zone, also in a doubled hour', () => {
    expect(at('2026-10-25T03:30:00+03:00', 'Europe/Sofia')).toBe('2026-10-25T00:30:00.000Z');
    expect(at('2026-10-25T03:30:00+02:00', 'Europe/Sofia')).toBe('2026-10-25T01:30:00.000Z');
  });
});
