import { jsonLines } from './json-lines';

describe('jsonLines', () => {
  it('puts each text on a line of its own, as it is, and leaves the line of a null empty', () => {
    expect(jsonLines(['{"a":"\\"x\\", \\\\ {y}"}', null, '[1.50]'])).toBe('{"a":"\\"x\\", \\\\ {y}"}\n\n[1.50]');
  });

  it.each(['{\n}', ''])('refuses %j, which would be read as something else', (text) => {
    expect(() => jsonLines(['{}', text])).toThrow('a JSON text must be one line that is not empty');
  });
});
