import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';

/** What a simulator answers; JSON unless `contentType` says otherwise. */
export interface Reply {
  /** 0 closes the connection without an answer */
  status: number;
  body: string;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
  /** for the access log: why it was refused */
  note?: string;
}

export const DROP: Reply = { status: 0, body: '' };
export const GIBIBYTE = 2 ** 30;
const MEBIBYTE = 2 ** 20;
const CHUNK = 'a'.repeat(65_536);

export const LOGIN_PAGE =
  '<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>';

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function head(response: ServerResponse, reply: Reply, more: Readonly<Record<string, string>>): void {
  response.writeHead(reply.status, {
    'Content-Type': reply.contentType ?? 'application/json',
    ...reply.headers,
    ...more,
  });
}

export function send(response: ServerResponse, reply: Reply): void {
  if (reply.status === 0) return drop(response);
  head(response, reply, { 'Content-Length': String(Buffer.byteLength(reply.body)) });
  response.end(reply.body);
}

export function drop(response: ServerResponse): void {
  response.socket?.destroy();
}

export async function drip(
  response: ServerResponse,
  reply: Reply,
  pace: { intervalMs: number; bytes: number },
): Promise<void> {
  const body = Buffer.from(reply.body);
  head(response, reply, { 'Content-Length': String(body.length) });
  response.flushHeaders();
  for (let sent = 0; sent < body.length && !response.destroyed; sent += pace.bytes) {
    response.write(body.subarray(sent, sent + pace.bytes));
    await wait(pace.intervalMs);
  }
  response.end();
}

export async function truncate(response: ServerResponse, reply: Reply, bytes: number | undefined): Promise<void> {
  const body = Buffer.from(reply.body);
  head(response, reply, { 'Content-Length': String(body.length) });
  const part = body.subarray(0, Math.min(bytes ?? Math.floor(body.length / 2), Math.max(body.length - 1, 0)));
  await new Promise((resolve) => response.write(part, resolve));
  drop(response);
}

/** Resolves once the caller has taken what was written, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

export async function huge(
  response: ServerResponse,
  reply: Reply,
  size: { bytes: number; announced: boolean },
): Promise<void> {
  const open = '{"filler":"';
  const close = '"}';
  head(response, reply, size.announced ? { 'Content-Length': String(size.bytes) } : {});
  response.write(open);
  let left = size.bytes - open.length - close.length;
  while (left > 0 && !response.destroyed) {
    const chunk = left >= CHUNK.length ? CHUNK : CHUNK.slice(0, left);
    left -= chunk.length;
    if (!response.write(chunk)) await drained(response);
  }
  response.end(close);
}

/** gzip allows several members in a row, so one packed mebibyte, repeated, is a bomb of any size at no cost. */
export function gzipBomb(response: ServerResponse, reply: Reply, bytes: number): void {
  const member = gzipSync(Buffer.alloc(MEBIBYTE, 'a'), { level: 9 });
  const members = Math.max(1, Math.ceil(bytes / MEBIBYTE));
  const body = Buffer.concat(Array.from({ length: members }, () => member));
  head(response, reply, { 'Content-Encoding': 'gzip', 'Content-Length': String(body.length) });
  response.end(body);
}
