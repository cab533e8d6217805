import { BodyBuffer } from './body-buffer';

describe('BodyBuffer', () => {
  it('keeps a body of a million pieces of one byte in one buffer, and refuses the byte beyond the limit', () => {
    const body = new BodyBuffer(1_000_000);
    const piece = Buffer.from('a');
    let kept = 0;
    for (let i = 0; i < 1_000_000; i++) if (body.append(piece)) kept += 1;
    expect(kept).toBe(1_000_000);
    expect(body.append(piece)).toBe(false);
    expect(body.bytes().equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
    expect(body.bytes().buffer.byteLength).toBeLessThanOrEqual(1_000_000);
  });

  it('does not write into the pieces it was given', () => {
    const body = new BodyBuffer(10);
    const shared = Buffer.from('abcdef');
    body.append(shared.subarray(0, 2));
    body.append(Buffer.from('XY'));
    expect(shared.toString()).toBe('abcdef');
    expect(body.bytes().toString()).toBe('abXY');
  });
});
