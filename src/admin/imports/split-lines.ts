import { isUtf8 } from 'node:buffer';

/** Longest line that is read, in bytes, line break not counted. */
export const MAX_LINE_BYTES = 64 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A line, or why it is none. Numbers begin at 1 and count empty lines too, as editors do. */
export interface Line {
  number: number;
  text: string | undefined;
  fault?: string;
}

/** Splits bytes into lines and holds no more than one line in memory, however long what comes in is. */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let length = 0;
  let number = 1;
  const keep = (part: Buffer): void => {
    length += part.length;
    // Beyond the limit only the length is counted, until the line ends; two bytes are room for a line break.
    if (length <= MAX_LINE_BYTES + 2) parts.push(part);
    else parts = [];
  };
  const take = (): Line => {
    const bytes = withoutReturn(Buffer.concat(parts));
    const tooLong = length > MAX_LINE_BYTES + 2 || bytes.length > MAX_LINE_BYTES;
    const line = tooLong ? faulty(number, `must not be longer than ${MAX_LINE_BYTES} bytes`) : decode(number, bytes);
    parts = [];
    length = 0;
    number += 1;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      keep(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (length > 0) yield take();
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}

function decode(number: number, bytes: Buffer): Line {
  if (!isUtf8(bytes)) return faulty(number, 'must be UTF-8');
  const text = bytes.toString('utf8');
  // Spreadsheets put a byte order mark in front of their CSV.
  return { number, text: number === 1 ? text.replace(/^\uFEFF/, '') : text };
}

function faulty(number: number, fault: string): Line {
  return { number, text: undefined, fault };
}
