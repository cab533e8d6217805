/** A number of a JSON text, kept as it was written: `4.200` has three decimals, and no binary float can say so. */
export class JsonNumber {
  constructor(readonly source: string) {}
}

export interface JsonObject {
  [key: string]: JsonValue;
}
/** What a JSON text holds. Objects inherit nothing, so `value.toString` is a member of the text or nothing. */
export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;

/** Why a text is refused. The message names the fault and its position; of the text it quotes short keys only. */
export class JsonProblem extends Error {
  override readonly name = 'JsonProblem';
}

export interface JsonLimits {
  /** Nested lists and objects; 32 where it is left out. */
  maxDepth?: number;
  /** Values of every kind, those within others included; any number where it is left out. */
  maxValues?: number;
  /** Lets U+0000 into strings, for callers that hold every string to a rule and can so name the field that it is in. */
  nulAllowed?: true;
}

/**
 * Parses a JSON text (RFC 8259) without losing a digit, and refuses what two readers could understand differently:
 * a key that occurs twice, an unpaired surrogate, a byte order mark. Throws JsonProblem.
 */
export function parseJson(text: string, limits: JsonLimits = {}): JsonValue {
  return new JsonReader(text, limits).read();
}

/** Whether the value is a JSON object, not a list, a number or null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Keys that mean something to JavaScript objects. No bank uses them, and code that merges objects must never see them. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * An object that inherits nothing, as `Object.create(null)` makes; but the engine keeps those as hash tables, and each costs several
 * times what an object of a class does.
 */
class Bare {}
Object.setPrototypeOf(Bare.prototype, null);
Reflect.deleteProperty(Bare.prototype, 'constructor');
Object.freeze(Bare.prototype);

/**
 * One pass over the text. The engine's own JSON.parse can hand over number sources too, but it says nothing of double
 * keys and calls back for every value; a second scan would read strings twice. This one needs a few microseconds per kB.
 */
class JsonReader {
  private at = 0;
  private depth = 0;
  private values = 0;
  private readonly maxDepth: number;
  private readonly maxValues: number;
  private readonly nulAllowed: boolean;
  /** Then so is every part of it that ends at quotation marks. */
  private readonly wellFormed: boolean;

  constructor(
    private readonly text: string,
    { maxDepth = 32, maxValues = Infinity, nulAllowed }: JsonLimits,
  ) {
    this.maxDepth = maxDepth;
    this.maxValues = maxValues;
    this.nulAllowed = nulAllowed === true;
    this.wellFormed = text.isWellFormed();
  }

  read(): JsonValue {
    if (this.text.charCodeAt(0) === 0xfeff) this.refuse('a byte order mark stands before the JSON text');
    const value = this.value();
    this.skipSpace();
    if (this.at < this.text.length) this.refuse('text after the end of the JSON value');
    return value;
  }

  private value(): JsonValue {
    this.skipSpace();
    this.values += 1;
    if (this.values > this.maxValues) this.refuse(`more than ${this.maxValues} values`);
    switch (this.text[this.at]) {
      case '{':
        return this.object();
      case '[':
        return this.list();
      case '"':
        return this.string();
      case 't':
        return this.literal('true', true);
      case 'f':
        return this.literal('false', false);
      case 'n':
        return this.literal('null', null);
      default:
        return this.number();
    }
  }

  private object(): JsonObject {
    const object = new Bare() as JsonObject;
    this.enter();
    if (this.closes('}')) return object;
    do {
      this.skipSpace();
      const keyAt = this.at;
      if (this.text.charCodeAt(keyAt) !== QUOTE) this.refuse('expected a key in double quotes');
      const key = this.string();
      if (FORBIDDEN_KEYS.has(key)) this.refuse(`the key ${key} is not allowed`, keyAt);
      if (key in object) this.refuse(`${named(key)} occurs twice in one object`, keyAt);
      if (!this.consume(':')) this.refuse('expected a colon after the key');
      object[key] = this.value();
    } while (this.consume(','));
    if (!this.closes('}')) this.refuse('expected a comma or the end of the object');
    return object;
  }

  private list(): JsonValue[] {
    const list: JsonValue[] = [];
    this.enter();
    if (this.closes(']')) return list;
    do {
      list.push(this.value());
    } while (this.consume(','));
    if (!this.closes(']')) this.refuse('expected a comma or the end of the list');
    return list;
  }

  private string(): string {
    const start = this.at;
    let escaped = false;
    for (let at = start + 1; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        const content = escaped ? this.unescape(start) : this.text.slice(start + 1, at);
        if ((escaped || !this.wellFormed) && !content.isWellFormed())
          this.refuse('a string with half a surrogate pair', start);
        return content;
      }
      if (code < 0x20) this.refuse('a control character in a string', at);
      if (code === BACKSLASH) {
        escaped = true;
        at += 1; // the next character belongs to the escape, also when it is a quote
      }
    }
    return this.refuse('a string without end', start);
  }

  /** Escapes are rare; the engine knows them all. */
  private unescape(start: number): string {
    let content: unknown;
    try {
      content = JSON.parse(this.text.slice(start, this.at));
    } catch {
      // The engine's message quotes the text, which may be anything.
      this.refuse('an escape that JSON does not know', start);
    }
    if (typeof content !== 'string') return this.refuse('expected a string', start);
    // PostgreSQL's text cannot hold U+0000: such a value would fail later, far from the one who sent it.
    if (!this.nulAllowed && content.includes('\0')) this.refuse('a string with the character U+0000', start);
    return content;
  }

  private number(): JsonNumber {
    NUMBER.lastIndex = this.at;
    if (!NUMBER.test(this.text)) this.refuse(this.at < this.text.length ? 'expected a value' : 'the text ends early');
    const source = this.text.slice(this.at, NUMBER.lastIndex);
    this.at = NUMBER.lastIndex;
    return new JsonNumber(source);
  }

  private literal<T extends boolean | null>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.refuse('expected a value');
    this.at += word.length;
    return value;
  }

  private enter(): void {
    this.depth += 1;
    if (this.depth > this.maxDepth) this.refuse(`more than ${this.maxDepth} levels of nesting`);
    this.at += 1;
  }

  private closes(bracket: '}' | ']'): boolean {
    const closed = this.consume(bracket);
    if (closed) this.depth -= 1;
    return closed;
  }

  private consume(character: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at += 1;
    }
  }

  private refuse(fault: string, position = this.at): never {
    throw new JsonProblem(`${fault} (position ${position})`);
  }
}

/** A key as a message quotes it: whole or not at all, since of a part nobody could tell what it must not show. */
function named(key: string): string {
  return /^\P{Cc}{0,40}$/u.test(key) ? `the key ${JSON.stringify(key)}` : `a key of ${key.length} characters`;
}
