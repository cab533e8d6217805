import { isUtf8 } from 'node:buffer';
import { brotliDecompress, gunzip, inflate, inflateRaw, type InputType, type ZlibOptions } from 'node:zlib';
import { CallProblem, codeOf } from './failure';

type Decompress = (
  data: InputType,
  options: ZlibOptions,
  callback: (error: Error | null, result: Buffer) => void,
) => void;

/** Gives the body as text, strictly UTF-8; a byte order mark stays, for the JSON parser to refuse. */
export function toText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new CallProblem('response-undecodable', 'the body is not UTF-8');
  return bytes.toString('utf8');
}

/**
 * Undoes a Content-Encoding. We ask for none, so this is for servers that do not listen. Inflating stops at maxBytes, so a bomb costs no
 * more than an honest body of that size.
 */
export async function decompress(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const inflater = inflaterFor(encoding, bytes);
  if (!inflater) throw new CallProblem('response-undecodable', 'the content encoding is none that the gateway reads');
  return new Promise((resolve, reject) => {
    inflater(bytes, { maxOutputLength: maxBytes }, (error, result) => {
      if (error) reject(toProblem(error, maxBytes));
      else resolve(result);
    });
  });
}

function inflaterFor(encoding: string, bytes: Buffer): Decompress | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return gunzip;
    case 'br':
      return brotliDecompress;
    case 'deflate':
      // RFC 9110 means the zlib format; some servers send bare deflate. A zlib stream begins with compression method 8.
      return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw;
    default:
      return undefined;
  }
}

function toProblem(error: Error, maxBytes: number): CallProblem {
  switch (codeOf(error)) {
    case 'ERR_BUFFER_TOO_LARGE':
      return new CallProblem('response-too-large', `the decompressed body exceeds ${maxBytes} bytes`);
    case 'Z_BUF_ERROR':
      return new CallProblem('response-truncated', 'the compressed body ends too early');
    default:
      return new CallProblem('response-undecodable', 'the compressed body is damaged');
  }
}
