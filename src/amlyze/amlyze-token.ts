import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** Where the token comes from: its text, or a file that someone else may replace at any time. */
export interface TokenSource {
  amlyzeToken?: string;
  amlyzeTokenFile?: string;
}

/** The token, or in words why there is none. The words never hold any of the file's content. */
export type TokenReading = { ok: true; token: string } | { ok: false; problem: string };

const CHECK_EVERY_MS = 1_000;
const MAX_FILE_BYTES = 16 * 1024;
// RFC 6750 2.1 allows fewer characters; visible ASCII is what a header can carry without being changed or cut.
const USABLE = /^[\x21-\x7e]+$/;

/**
 * AMLYZE's API token. AMLYZE issues it by hand and names no expiry, so a change comes from outside: as a file
 * overwritten, renamed into place, or reached through a link that now points elsewhere. The file's identity is looked
 * at once a second at most; its content is read only when that changed. File access is synchronous: a few
 * microseconds once a second, and no two readers can interleave.
 */
export class AmlyzeToken {
  private reading: TokenReading | undefined;
  private fileIdentity: string | undefined;
  private checkedAtMs = -Infinity;
  private wasBad = false;

  /** `monotonicMs` is a clock that never goes back. */
  constructor(
    private readonly source: TokenSource,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** The token as it stands now. A file that is missing, empty or unreadable is an answer, not an exception. */
  current(): TokenReading {
    if (this.source.amlyzeTokenFile === undefined)
      return (this.reading ??= toReading(this.source.amlyzeToken ?? '', 'AMLYZE_TOKEN'));
    const nowMs = this.monotonicMs();
    if (this.reading === undefined || nowMs - this.checkedAtMs >= CHECK_EVERY_MS) {
      this.checkedAtMs = nowMs;
      this.reading = this.readIfChanged(this.source.amlyzeTokenFile, this.reading);
    }
    return this.reading;
  }

  /**
   * After a 401: the next use reads the file whatever its identity says, because a file system may keep its times
   * coarsely.
   */
  distrust(): void {
    this.checkedAtMs = -Infinity;
    this.fileIdentity = undefined;
  }

  /** Tells one token from another without telling either. Equal on all replicas that have the same token. */
  digest(): string {
    const reading = this.current();
    return reading.ok ? createHash('sha256').update(reading.token).digest('hex') : 'none';
  }

  private readIfChanged(path: string, before: TokenReading | undefined): TokenReading {
    const reading = this.read(path, before);
    if (reading.ok) {
      this.wasBad = false;
      return reading;
    }
    this.fileIdentity = undefined;
    // A file that is being overwritten is empty for a moment: only the second bad look in a row ends the use of a
    // good token.
    const stillGood = before?.ok === true && !this.wasBad;
    this.wasBad = true;
    return stillGood ? before : reading;
  }

  private read(path: string, before: TokenReading | undefined): TokenReading {
    try {
      const file = statSync(path, { bigint: true });
      // Opening a pipe would wait for its writer.
      if (!file.isFile()) return { ok: false, problem: 'AMLYZE_TOKEN_FILE names no regular file' };
      const identity = [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join(' ');
      if (identity === this.fileIdentity && before !== undefined) return before;
      this.fileIdentity = identity;
      return toReading(readSmallFile(path), 'the file AMLYZE_TOKEN_FILE names');
    } catch (error) {
      const code =
        typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown fault';
      return { ok: false, problem: `the file AMLYZE_TOKEN_FILE names cannot be read (${code})` };
    }
  }
}

function toReading(text: string, origin: string): TokenReading {
  const token = text.trim();
  if (token === '') return { ok: false, problem: `${origin} holds no token` };
  if (text.length > MAX_FILE_BYTES) return { ok: false, problem: `${origin} is too long for a token` };
  if (!USABLE.test(token)) return { ok: false, problem: `${origin} holds characters that no token has` };
  return { ok: true, token };
}

/** Reads one byte more than is allowed, so that a wrong path (a log) costs no memory. */
function readSmallFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(file);
  }
}
