export interface HttpMessage {
  /** `POST /path HTTP/1.1` or `HTTP/1.1 200 OK` */
  startLine: string;
  body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Finds the messages in one direction of an HTTP/1.1 connection; of chunked bodies only where they end. */
export class HttpMessages {
  private rest: Buffer = Buffer.alloc(0);
  private lost = false;

  constructor(
    private readonly side: 'request' | 'answer',
    private readonly onMessage: (message: HttpMessage) => void,
  ) {}

  push(piece: Buffer): void {
    // The other side of a protocol error is not our business: it is logged as a call without an answer.
    if (this.lost) return;
    this.rest = this.rest.length === 0 ? piece : Buffer.concat([this.rest, piece]);
    for (let length = this.next(); length > 0; length = this.next()) this.rest = this.rest.subarray(length);
  }

  /** Length of the message that is complete at the front, 0 where there is none. */
  private next(): number {
    const headEnd = this.rest.indexOf(HEAD_END);
    if (headEnd < 0) return 0;
    const [startLine = '', ...headers] = this.rest.toString('latin1', 0, headEnd).split('\r\n');
    const bodyAt = headEnd + HEAD_END.length;
    const status = this.side === 'answer' ? Number(startLine.split(' ')[1]) : 0;
    // 1xx announces the answer, it is none.
    if (status >= 100 && status < 200) return bodyAt;
    const bodyLength = this.bodyLength(headers, bodyAt, status);
    if (bodyLength === undefined || this.rest.length < bodyAt + bodyLength) return 0;
    this.onMessage({ startLine, body: this.rest.subarray(bodyAt, bodyAt + bodyLength) });
    return bodyAt + bodyLength;
  }

  private bodyLength(headers: readonly string[], bodyAt: number, status: number): number | undefined {
    if (status === 204 || status === 304) return 0;
    const value = (name: string): string | undefined =>
      headers.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1);
    if (value('transfer-encoding')?.trim().toLowerCase() === 'chunked') return this.chunkedLength(bodyAt);
    const length = value('content-length')?.trim();
    if (length !== undefined) return Number(length);
    if (this.side === 'request') return 0;
    this.lost = true;
    return this.rest.length - bodyAt;
  }

  private chunkedLength(bodyAt: number): number | undefined {
    for (let at = bodyAt; ;) {
      const lineEnd = this.rest.indexOf('\r\n', at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.rest.toString('latin1', at, lineEnd), 16);
      at = lineEnd + 2 + size + 2;
      if (size === 0 || Number.isNaN(size)) return at - bodyAt;
      if (at > this.rest.length) return undefined;
    }
  }
}
