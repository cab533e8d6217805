import { styleText } from 'node:util';

export type Paint = (format: 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan', text: string) => string;

export const plain: Paint = (_format, text) => text;

/** What the sandbox says, in colours only where a person looks at it and has not declined them. */
export class Terminal {
  readonly paint: Paint;
  private open = '';

  constructor(private readonly out: NodeJS.WriteStream) {
    const { NO_COLOR, TERM } = process.env;
    const coloured = out.isTTY && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
    this.paint = coloured ? (format, text) => styleText(format, text, { validateStream: false }) : plain;
    // Whoever reads may stop early (`| head`); the sandbox still has to end its processes.
    out.on('error', () => undefined);
  }

  line(text = ''): void {
    this.out.write(`${this.open === '' ? '' : '\n'}${text}\n`);
    this.open = '';
  }

  /**
   * One line that says what is being done while it is done, and then how long it took. A step that was given up for another
   * one has nothing more to say.
   */
  async step<T>(title: string, work: (progress: (text: string) => void) => Promise<T>): Promise<T> {
    this.out.write(`${this.open === '' ? '' : '\n'}  ${title} ... `);
    this.open = title;
    const beganAt = performance.now();
    const result = await work((text) => this.progress(title, text));
    this.progress(title, '');
    const seconds = `${((performance.now() - beganAt) / 1000).toFixed(1)} s`;
    if (this.open === title) this.out.write(`${this.paint('dim', seconds)}\n`);
    else this.line(`  ${title}: ${seconds}`);
    this.open = '';
    return result;
  }

  /** How far it is: only on a terminal, where a line can be written again. */
  private progress(title: string, text: string): void {
    if (this.out.isTTY && this.open === title) this.out.write(`\r\x1b[K  ${title} ... ${text}`);
  }
}
