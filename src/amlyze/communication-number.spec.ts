import { communicationNumber, type NumberParts } from './communication-number';

const parts = (changes: Partial<NumberParts> = {}): NumberParts => ({
  prefix: 'obg-',
  installationId: 'k3f9',
  kind: 'balance',
  date: '2026-03-10',
  key: '17|STATEMENT_BALANCE|2026-03-10T10:40:00.000Z',
  revision: 1,
  ...changes,
});

describe('communicationNumber', () => {
  it('is prefix, installation, kind, date and a digest of 128 bits', () => {
    expect(communicationNumber(parts())).toMatch(/^obg-k3f9-b-20260310-[0-9a-f]{32}$/);
    expect(communicationNumber(parts({ kind: 'operation' }))).toMatch(/^obg-k3f9-o-20260310-[0-9a-f]{32}$/);
  });

  it('is the same for the same parts, in every release', () => {
    // A changed digest would send every open record a second time under another number.
    expect(communicationNumber(parts())).toBe('obg-k3f9-b-20260310-222a1c54a973be818f0cf84580b47e8b');
  });

  it.each<[string, Partial<NumberParts>]>([
    ['another key', { key: '18|STATEMENT_BALANCE|2026-03-10T10:40:00.000Z' }],
    ['another revision', { revision: 2 }],
    ['another kind', { kind: 'operation' }],
    ['another date', { date: '2026-03-11' }],
    ['another installation', { installationId: 'k3f8' }],
    ['another prefix', { prefix: 'obg2-' }],
  ])('differs for %s', (_title, changes) => {
    expect(communicationNumber(parts(changes))).not.toBe(communicationNumber(parts()));
  });

  it('differs for another installation also where prefix and id run together', () => {
    const one = communicationNumber(parts({ prefix: 'obg-1', installationId: '2' }));
    const other = communicationNumber(parts({ prefix: 'obg-', installationId: '12' }));
    expect(one.slice(0, 17)).toBe(other.slice(0, 17));
    expect(one).not.toBe(other);
  });

  it('sorts by date within one installation, so that indexes grow at their end', () => {
    const days = ['2026-12-31', '2026-01-02', '2027-01-01'].map((date) => communicationNumber(parts({ date })));
    expect(days.toSorted().map((number) => number.split('-')[3])).toEqual(['20260102', '20261231', '20270101']);
  });

  it('never exceeds 255 characters: it refuses a prefix that would make it', () => {
    const room = 255 - communicationNumber(parts({ prefix: '' })).length;
    expect(communicationNumber(parts({ prefix: 'p'.repeat(room) }))).toHaveLength(255);
    expect(() => communicationNumber(parts({ prefix: 'p'.repeat(room + 1) }))).toThrow(RangeError);
  });

  it('refuses a date or a revision that is none', () => {
    expect(() => communicationNumber(parts({ date: '10.03.2026' }))).toThrow(RangeError);
    expect(() => communicationNumber(parts({ revision: 0 }))).toThrow(RangeError);
    expect(() => communicationNumber(parts({ revision: 1.5 }))).toThrow(RangeError);
  });
});
