import { Slots } from './slots';

const at = (text: string): Date => new Date(text);

describe('Slots', () => {
  it.each([
    ['0 6,12,18 * * *', '2027-03-05T12:00:01Z', '2027-03-05T12:00:00Z', '2027-03-05T18:00:00Z'],
    ['0 6,12,18 * * *', '2027-03-05T05:59:59.999Z', '2027-03-04T18:00:00Z', '2027-03-05T06:00:00Z'],
    ['*/10 * * * * *', '2027-03-05T12:00:09.999Z', '2027-03-05T12:00:00Z', '2027-03-05T12:00:10Z'],
    ['30 15 6 * * *', '2027-03-05T06:15:29Z', '2027-03-04T06:15:30Z', '2027-03-05T06:15:30Z'],
    ['0 0 1 1 *', '2027-12-31T23:59:59Z', '2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z'],
    ['0 7 * * 1', '2027-03-07T12:00:00Z', '2027-03-01T07:00:00Z', '2027-03-08T07:00:00Z'],
    ['0 0 29 2 *', '2027-03-05T00:00:00Z', '2024-02-29T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00Z', '2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'],
  ])('of %s at %s the newest is %s and the next %s', (cron, now, newest, next) => {
    const slots = new Slots(cron);
    expect(slots.newest(at(now))).toEqual(at(newest));
    expect(slots.next(at(now))).toEqual(at(next));
  });

  it('answers again and again at no cost, and for any time, not only a later one', () => {
    const slots = new Slots('0 0 29 2 *');
    expect(slots.newest(at('2027-03-05T00:00:00Z'))).toEqual(at('2024-02-29T00:00:00Z'));
    const startedAt = performance.now();
    for (let i = 0; i < 1000; i++) slots.newest(new Date(Date.parse('2027-03-05T00:00:00Z') + i));
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect(slots.newest(at('2028-02-28T23:59:59.999Z'))).toEqual(at('2024-02-29T00:00:00Z'));
    expect(slots.newest(at('2028-02-29T00:00:00Z'))).toEqual(at('2028-02-29T00:00:00Z'));
    expect(slots.newest(at('2024-02-28T23:00:00Z'))).toEqual(at('2020-02-29T00:00:00Z'));
  });

  it('counts a slot as come at its very instant, and not a millisecond before', () => {
    const slots = new Slots('0 6 * * *');
    expect(slots.newest(at('2027-03-05T06:00:00.000Z'))).toEqual(at('2027-03-05T06:00:00Z'));
    expect(slots.newest(at('2027-03-05T05:59:59.999Z'))).toEqual(at('2027-03-04T06:00:00Z'));
  });

  it.each([
    ['the night that has no 02:30 in Vienna', '2027-03-28T02:31:00Z', '2027-03-28T02:30:00Z'],
    ['the night that has 02:30 twice in Vienna', '2027-10-31T00:45:00Z', '2027-10-30T02:30:00Z'],
    ['the same night, later', '2027-10-31T03:00:00Z', '2027-10-31T02:30:00Z'],
  ])('knows no summer time: %s', (_night, now, newest) => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Europe/Vienna';
    try {
      expect(new Slots('30 2 * * *').newest(at(now))).toEqual(at(newest));
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it('finds the newest slot of an hour full of slots a day later without going through them one by one', () => {
    const slots = new Slots('* * 6 * * *');
    const startedAt = performance.now();
    expect(slots.newest(at('2027-03-05T05:59:00Z'))).toEqual(at('2027-03-04T06:59:59Z'));
    expect(performance.now() - startedAt).toBeLessThan(200);
  });
});
