/** Shorter values would blank out ordinary words. */
const MIN_SECRET_LENGTH = 4;

/**
 * The text with each of our secrets replaced, in every spelling that JSON has for it: some serialisers write "/" as "\/" and "+" as
 * "\u002B". To be called before the text is cut, since the rest of a secret is not found any more.
 */
export function blankSecrets(text: string, secrets: Iterable<string | undefined>): string {
  // The longest first: one of them may be a part of another.
  const known = [...secrets]
    .filter((secret): secret is string => secret !== undefined && secret.length >= MIN_SECRET_LENGTH)
    .sort((one, other) => other.length - one.length);
  // Most texts have no secret in them, and some are answers of the hot path: the costly search is for those that have one.
  const unescaped = text.includes('\\') ? unescape(text) : '';
  let blanked = text;
  for (const secret of known) {
    // The escaped form goes first: of a backslash that is written as two, the plain one would leave the second.
    if (unescaped.includes(secret)) blanked = blanked.replace(escaped(secret), '[secret]');
    if (blanked.includes(secret)) blanked = blanked.replaceAll(secret, '[secret]');
  }
  return blanked;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
};
const LONG_FORMS = Object.fromEntries(Object.entries(SHORT_ESCAPES).map(([unit, letter]) => [letter, unit]));

function unescape(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (LONG_FORMS[character] ?? character) : String.fromCharCode(parseInt(hex, 16)),
  );
}

/** Fits the secret as any JSON text may hold it (RFC 8259, 7). */
function escaped(secret: string): RegExp {
  const units = Array.from({ length: secret.length }, (_, at) => spellings(secret.charAt(at)));
  return new RegExp(units.join(''), 'g');
}

function spellings(unit: string): string {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
  const anyCase = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const short = SHORT_ESCAPES[unit];
  const plain = unit === '"' || unit === '\\' ? [] : [literal(unit)];
  const brief = short === undefined ? [] : [`\\\\${literal(short)}`];
  return `(?:${[...plain, ...brief, `\\\\u${anyCase}`].join('|')})`;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}
