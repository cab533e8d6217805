/**
 * Collects a body of unknown length in one buffer. The usual body comes in one piece and is not copied; a list of pieces would cost
 * a hundred times its bytes where a server sends chunks of one byte.
 */
export class BodyBuffer {
  private buffer: Buffer = Buffer.alloc(0);
  private length = 0;

  constructor(private readonly maxBytes: number) {}

  /** Returns false, and keeps nothing of the piece, where the limit would be passed. */
  append(piece: Buffer): boolean {
    const total = this.length + piece.length;
    if (total > this.maxBytes) return false;
    if (this.length === 0) {
      this.buffer = piece;
    } else {
      if (total > this.buffer.length) this.grow(total);
      this.buffer.set(piece, this.length);
    }
    this.length = total;
    return true;
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private grow(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.min(this.maxBytes, Math.max(needed, this.buffer.length * 2, 4096)));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
}
