import { isJsonObject, JsonNumber, parseJson, type JsonValue } from '../shared/json';
import { Pan } from './pan';

/** How each field with card data is shown: of a number the first six and last four digits, of the rest nothing. */
const MASKS: Readonly<Record<string, (text: string) => string>> = {
  cardNumber: (digits) => (/^[0-9]{12,19}$/.test(digits) ? new Pan(digits).masked : '***'),
  cardValidTill: () => '***',
  cardHolderName: () => '***',
};

/** A frozen request as it may be shown: everything digit for digit but the card fields, which are masked. */
export function maskedRequest(frozen: string): string {
  return write(parseJson(frozen), undefined);
}

function write(value: JsonValue, key: string | undefined): string {
  if (value instanceof JsonNumber) return value.source;
  if (Array.isArray(value)) return `[${value.map((element) => write(element, undefined)).join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${write(member, name)}`);
    return `{${members.join(',')}}`;
  }
  const mask = key === undefined ? undefined : MASKS[key];
  return JSON.stringify(mask && typeof value === 'string' ? mask(value) : value);
}

/** The same request under another communicationNumber, every other byte as it was. */
export function renumbered(frozen: string, from: string, to: string): string {
  const head = (number: string): string => `{"communicationNumber":${JSON.stringify(number)},`;
  if (!frozen.startsWith(head(from))) throw new TypeError('the frozen request does not begin with its number');
  const next = head(to) + frozen.slice(head(from).length);
  const parsed = parseJson(next);
  if (!isJsonObject(parsed) || parsed['communicationNumber'] !== to)
    throw new TypeError('the request has no such number');
  return next;
}

/** The UTC day of the operation, which its numbers carry. */
export function operationDay(frozen: string): string {
  const parsed = parseJson(frozen);
  const at = isJsonObject(parsed) ? parsed['operationDateTime'] : undefined;
  if (typeof at !== 'string') throw new TypeError('the frozen request has no operationDateTime');
  return new Date(at).toISOString().slice(0, 10);
}
