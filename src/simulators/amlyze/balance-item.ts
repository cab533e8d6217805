import { NumberText, parseKeepingNumbers } from './number-text';

/** One AccountBalance as it came; fields that are absent or of another type than documented are undefined. */
export interface BalanceItem {
  readonly communicationNumber: string | undefined;
  readonly requester: string | undefined;
  readonly accountExtId: string | undefined;
  readonly balanceType: string | undefined;
  readonly businessUnit: string | undefined;
  readonly balanceAt: string | undefined;
  /** the number's digits as they stood in the request */
  readonly value: string | undefined;
  readonly equivalentValue: string | undefined;
  /** a field that is there, and not of its documented type */
  readonly mistyped: string | undefined;
}

export interface Verdict {
  readonly errorCode: string;
  readonly errorDescription: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);

const TEXTS = ['communicationNumber', 'requester', 'accountExtId', 'balanceType', 'businessUnit', 'balanceAt'] as const;
const NUMBERS = ['value', 'equivalentValue'] as const;

function itemOf(given: unknown): BalanceItem {
  const fields = isRecord(given) ? given : {};
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  };
  const number = (name: string): string | undefined => {
    const value = fields[name];
    return value instanceof NumberText ? value.source : undefined;
  };
  const isThere = (name: string): boolean => fields[name] !== undefined && fields[name] !== null;
  const mistyped =
    TEXTS.find((name) => isThere(name) && typeof fields[name] !== 'string') ??
    NUMBERS.find((name) => isThere(name) && !(fields[name] instanceof NumberText));
  return {
    communicationNumber: text('communicationNumber'),
    requester: text('requester'),
    accountExtId: text('accountExtId'),
    balanceType: text('balanceType'),
    businessUnit: text('businessUnit'),
    balanceAt: text('balanceAt'),
    value: number('value'),
    equivalentValue: number('equivalentValue'),
    mistyped,
  };
}

/** The items of a request, or undefined where the body is no JSON of the documented form. */
export function itemsOf(body: Buffer, form: 'batch' | 'single'): BalanceItem[] | undefined {
  let parsed: unknown;
  try {
    parsed = parseKeepingNumbers(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isRecord(parsed)) return undefined;
  if (form === 'single') return [itemOf(parsed)];
  const list = parsed['accountBalances'];
  return Array.isArray(list) && list.length > 0 ? list.map(itemOf) : undefined;
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/;
const isDateTime = (text: string): boolean => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));

const mandatory = (errorCode: string, field: string): Verdict => ({
  errorCode,
  errorDescription: `${field} is mandatory`,
});
const wrong = (errorDescription: string): Verdict => ({ errorCode: '001', errorDescription });

/** The number alone: without a usable one nothing else is looked at. */
export function numberProblem(item: BalanceItem): Verdict | undefined {
  const { communicationNumber } = item;
  if (communicationNumber === undefined) return mandatory('001', 'CommunicationNumber');
  return communicationNumber.length > 255 ? wrong('CommunicationNumber is longer than 255 characters') : undefined;
}

/**
 * What AMLYZE would refuse about the other fields, in the words and codes that its pages show; for what they do not
 * show, `001` and words of our own.
 */
export function fieldProblem(item: BalanceItem): Verdict | undefined {
  if (item.mistyped !== undefined) return wrong(`${item.mistyped} is not of its documented type`);
  if (item.requester === undefined) return mandatory('001', 'Requester');
  if (item.requester.length > 100) return wrong('Requester is longer than 100 characters');
  if (item.accountExtId === undefined) return mandatory('O001', 'extId');
  if (item.accountExtId.length > 255) return wrong('AccountExtId is longer than 255 characters');
  // Optional in the current OpenAPI page, required on the field page, whose list of errors has this one.
  if (item.balanceType === undefined) return mandatory('O001', 'code');
  if (item.balanceAt === undefined) return mandatory('001', 'BalanceAt');
  if (!isDateTime(item.balanceAt)) return wrong('BalanceAt is no date-time');
  return item.value === undefined ? mandatory('001', 'Value') : undefined;
}
