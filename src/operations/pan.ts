import { maskDigits } from '../shared/card-scan';

/**
 * A card number. Whatever writes it - a template, JSON, a log, an error, the inspector - gets the first six and last four
 * digits (PCI DSS 3.4.1); the whole number comes out of `reveal` alone, so that a search for that word finds every place
 * that has it.
 */
export class Pan {
  // A private member, not a TypeScript `private`: neither inspection nor a structured clone sees it.
  readonly #digits: string;

  /** @throws RangeError for anything but 12 to 19 digits; the message does not hold them. */
  constructor(digits: string) {
    if (!PAN.test(digits)) throw new RangeError('a card number has 12 to 19 digits');
    this.#digits = digits;
  }

  /** The whole number. Only for the sealed request and the keyed content hash. */
  reveal(): string {
    return this.#digits;
  }

  /** `472058******7937` */
  get masked(): string {
    return maskDigits(this.#digits);
  }

  toString(): string {
    return this.masked;
  }

  toJSON(): string {
    return this.masked;
  }

  valueOf(): string {
    return this.masked;
  }

  /** Also for a number: arithmetic with a card number gives NaN. */
  [Symbol.toPrimitive](): string {
    return this.masked;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Pan(${this.masked})`;
  }
}

const PAN = /^[0-9]{12,19}$/;
