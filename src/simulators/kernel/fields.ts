/** Something wrong with a control request: answered 400 with this message. */
export class ControlProblem extends Error {
  constructor(
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The elements of `[…]`, of `{<key>: […]}`, or the single object itself. */
export function listed(value: unknown, key: string): unknown[] {
  const inner: unknown = isRecord(value) && key in value ? value[key] : value;
  return Array.isArray(inner) ? inner : [inner];
}

/** Reads a JSON object of the control interface field by field, with a message that says what is missing. */
export class Fields {
  private constructor(
    private readonly record: Readonly<Record<string, unknown>>,
    private readonly what: string,
  ) {}

  static of(value: unknown, what: string): Fields {
    if (!isRecord(value)) throw new ControlProblem(`${what} must be an object`);
    return new Fields(value, what);
  }

  /** Accepts `[…]`, `{<key>: […]}` and a single object. */
  static list(value: unknown, key: string): Fields[] {
    return listed(value, key).map((each) => Fields.of(each, key));
  }

  has(name: string): boolean {
    return this.record[name] !== undefined;
  }

  raw(name: string): unknown {
    return this.record[name];
  }

  text(name: string): string {
    const value = this.record[name];
    if (typeof value !== 'string') throw new ControlProblem(`${this.what}.${name} must be a text`);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.has(name) && this.record[name] !== null ? this.text(name) : undefined;
  }

  number(name: string): number {
    const value = this.record[name];
    if (typeof value !== 'number') throw new ControlProblem(`${this.what}.${name} must be a number`);
    return value;
  }

  optionalNumber(name: string): number | undefined {
    return this.has(name) && this.record[name] !== null ? this.number(name) : undefined;
  }

  choice<T extends string>(name: string, known: readonly T[]): T | undefined {
    const text = this.optionalText(name);
    const found = known.find((each) => each === text);
    if (text !== undefined && found === undefined) {
      throw new ControlProblem(`${this.what}.${name} must be one of ${known.join(', ')}`);
    }
    return found;
  }

  flag(name: string, byDefault: boolean): boolean {
    const value = this.record[name] ?? byDefault;
    if (typeof value !== 'boolean') throw new ControlProblem(`${this.what}.${name} must be true or false`);
    return value;
  }

  /** An instant as milliseconds since the epoch, from `<name>` (RFC 3339) or `<name without At>InMs` from now. */
  optionalInstant(name: string, relative: string, now: number): number | undefined {
    const inMs = this.optionalNumber(relative);
    if (inMs !== undefined) return now + inMs;
    const text = this.optionalText(name);
    if (text === undefined) return undefined;
    const instant = Date.parse(text);
    if (Number.isNaN(instant)) throw new ControlProblem(`${this.what}.${name} must be a date and time`);
    return instant;
  }

  texts(name: string): string[] | undefined {
    const value = this.record[name];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) throw new ControlProblem(`${this.what}.${name} must be a list of texts`);
    return value.map((each: unknown) => {
      if (typeof each !== 'string') throw new ControlProblem(`${this.what}.${name} must be a list of texts`);
      return each;
    });
  }

  objects(name: string): Fields[] | undefined {
    const value = this.record[name];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) throw new ControlProblem(`${this.what}.${name} must be a list`);
    return value.map((each: unknown) => Fields.of(each, `${this.what}.${name}`));
  }

  object(name: string): Fields | undefined {
    const value = this.record[name];
    return value === undefined || value === null ? undefined : Fields.of(value, `${this.what}.${name}`);
  }
}
