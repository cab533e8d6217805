import { NumberText } from './number-text';

/** What every item that is sent to AMLYZE has, whatever its kind; absent or mistyped fields are undefined. */
export interface SentItem {
  readonly communicationNumber: string | undefined;
  readonly businessUnit: string | undefined;
  /** balances only */
  readonly accountExtId: string | undefined;
  /** operations only */
  readonly operationExtId: string | undefined;
}

export interface Verdict {
  readonly errorCode: string;
  readonly errorDescription: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);

/** One JSON object of a request, read field by field. Null and an empty text are as good as absent. */
export class ItemFields {
  private readonly fields: Readonly<Record<string, unknown>>;
  /** false where the item is something else than an object */
  readonly isObject: boolean;

  constructor(given: unknown) {
    this.isObject = isRecord(given);
    this.fields = isRecord(given) ? given : {};
  }

  has(name: string): boolean {
    return this.fields[name] !== undefined && this.fields[name] !== null;
  }

  text(name: string): string | undefined {
    const value = this.fields[name];
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  }

  /** The number's digits as they stood in the request. */
  number(name: string): string | undefined {
    const value = this.fields[name];
    return value instanceof NumberText ? value.source : undefined;
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.fields[name];
    return Array.isArray(value) ? value : undefined;
  }

  /** The first field that is there, and not of its documented type. */
  mistyped(types: { texts: readonly string[]; numbers: readonly string[] }): string | undefined {
    return (
      types.texts.find((name) => this.has(name) && typeof this.fields[name] !== 'string') ??
      types.numbers.find((name) => this.has(name) && !(this.fields[name] instanceof NumberText))
    );
  }
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;
export const isDateTime = (text: string): boolean => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));

/** Where the vendor's pages show no code for a text, `001`. */
export const wrong = (errorDescription: string): Verdict => ({ errorCode: '001', errorDescription });

/** The number alone: without a usable one nothing else is looked at. */
export function numberProblem({ communicationNumber }: SentItem, end: '' | '.'): Verdict | undefined {
  if (communicationNumber === undefined) return wrong(`CommunicationNumber is mandatory${end}`);
  return communicationNumber.length > 255 ? wrong('CommunicationNumber is longer than 255 characters') : undefined;
}
