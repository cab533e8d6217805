import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FieldError } from '../../shared/problem';

export interface Rejection {
  line: number;
  errors: FieldError[];
}

const KEPT_IN_MEMORY_CHARACTERS = 1_000_000;

/**
 * The list of rejected lines of one import. Every bad line is reported, and there may be millions: beyond a megabyte they
 * wait in a temporary file. They cannot be sent while the import runs: a client that reads only after it has sent
 * everything would wait for us, and we for it.
 */
export class Rejections {
  private pending: string[] = [];
  private characters = 0;
  private spool: { folder: string; file: WriteStream } | undefined;
  count = 0;

  /** @param newFolder makes the folder of the temporary file, and is asked where one is needed */
  constructor(private readonly newFolder = () => mkdtemp(join(tmpdir(), 'account-import-'))) {}

  async add({ line, errors }: Rejection): Promise<void> {
    const text = `${this.count === 0 ? '' : ','}${JSON.stringify({ line, errors })}`;
    this.count += 1;
    this.pending.push(text);
    this.characters += text.length;
    if (this.characters > KEPT_IN_MEMORY_CHARACTERS) await this.spill();
  }

  /** The elements of a JSON list, commas included. */
  async *read(): AsyncGenerator<string | Buffer> {
    if (this.spool) {
      const { folder, file } = this.spool;
      await new Promise<void>((resolve, reject) => {
        file.once('error', reject);
        file.end(resolve);
      });
      for await (const chunk of createReadStream(join(folder, 'rejected'))) yield chunk as Buffer;
    }
    yield* this.pending;
  }

  /** Call it whatever happened. */
  async dispose(): Promise<void> {
    if (!this.spool) return;
    this.spool.file.destroy();
    await rm(this.spool.folder, { recursive: true, force: true });
  }

  private async spill(): Promise<void> {
    if (!this.spool) {
      const folder = await this.newFolder();
      const file = createWriteStream(join(folder, 'rejected'), { mode: 0o600 });
      // Whoever writes hears of it; an event that nobody listens to would end the process.
      file.on('error', () => undefined);
      this.spool = { folder, file };
    }
    const { file } = this.spool;
    const text = this.pending.join('');
    this.pending = [];
    this.characters = 0;
    await new Promise<void>((resolve, reject) => {
      file.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }
}
