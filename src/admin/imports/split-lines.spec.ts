import { type Line, MAX_LINE_BYTES, splitLines } from './split-lines';

async function split(...chunks: (string | Buffer)[]): Promise<Line[]> {
  async function* source(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Promise.resolve(Buffer.from(chunk));
  }
  const lines: Line[] = [];
  for await (const line of splitLines(source())) lines.push(line);
  return lines;
}

describe('splitLines', () => {
  it('numbers lines from 1, with either line break, with or without one at the end', async () => {
    const expected = [
      { number: 1, text: 'a' },
      { number: 2, text: '' },
      { number: 3, text: 'b' },
    ];
    expect(await split('a\n\nb')).toEqual(expected);
    expect(await split('a\r\n\r\nb\r\n')).toEqual(expected);
    expect(await split('')).toEqual([]);
  });

  it('does not care where the chunks are cut, not even within a character or a line break', async () => {
    const bytes = Buffer.from('ä€🙂\r\nx\n');
    const whole = await split(bytes);
    expect(whole).toEqual([
      { number: 1, text: 'ä€🙂' },
      { number: 2, text: 'x' },
    ]);
    expect(await split(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('reports a line that is too long, holds none of it, and goes on behind it', async () => {
    const longest = 'x'.repeat(MAX_LINE_BYTES);
    const piece = 'y'.repeat(10_000);
    const lines = await split(`${longest}\r\n${longest}z\n`, ...Array.from({ length: 100 }, () => piece), '\nlast');
    expect(lines.map(({ text }) => text?.length)).toEqual([MAX_LINE_BYTES, undefined, undefined, 4]);
    expect(lines[2]).toMatchObject({ number: 3, fault: expect.stringContaining('65536 bytes') as string });
    expect(lines[3]).toEqual({ number: 4, text: 'last' });
  });

  it('reports a line that is not UTF-8 and takes a byte order mark off the first', async () => {
    expect(await split(Buffer.from('\uFEFFa\n'), Buffer.from([0xff, 0xfe, 0x0a]), 'b')).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: undefined, fault: 'must be UTF-8' },
      { number: 3, text: 'b' },
    ]);
  });
});
