import { readOptions } from './options';

const measures = ['throughput', 'fleet'];

describe('readOptions', () => {
  it('asks for a whole run of everything where nothing is said', () => {
    expect(readOptions([], measures)).toEqual({
      quick: false,
      only: [],
      json: '.data/bench/latest.json',
      rounds: undefined,
      accounts: undefined,
      records: undefined,
    });
  });

  it('reads names, numbers and the file', () => {
    const given = ['--quick', '--only', 'fleet,throughput', '--rounds', '5', '--accounts', '3000', '--json', 'a.json'];
    expect(readOptions(given, measures)).toMatchObject({
      quick: true,
      only: ['fleet', 'throughput'],
      rounds: 5,
      accounts: 3_000,
      json: 'a.json',
    });
  });

  it.each([
    [['--only', 'speed'], '--only speed: there is throughput, fleet'],
    [['--rounds', '0'], '--rounds'],
    [['--rounds', 'x'], '--rounds'],
    [['--accounts', '10'], '--accounts'],
    [['--slow'], '--slow'],
  ])('refuses %j', (args, words) => {
    expect(() => readOptions(args, measures)).toThrow(words);
  });
});
