import { createHash } from 'node:crypto';
import { isUuid } from '../kernel/simulator';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Bank {
  readonly code: string;
  readonly consentId: string;
  readonly accountId: string;
}

export type Body = Readonly<Record<string, unknown>>;

/** The body as an object, or undefined where it is none. */
export function bodyOf(bytes: Buffer): Body | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The documented signature: SHA-256, in small hex, over Base64 of the body's bytes followed by the key. */
export function signatureOf(bytes: Buffer, signatureKey: string): string {
  return createHash('sha256').update(bytes.toString('base64')).update(signatureKey).digest('hex');
}

export function textIn(body: Body, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function banksIn(body: Body): Bank[] | undefined {
  const list = body['banks'];
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const banks = list.flatMap((each: unknown): Bank[] => {
    if (!isRecord(each)) return [];
    const [code, consentId, accountId] = ['code', 'consentId', 'accountId'].map((name) => textIn(each, name));
    return code && consentId && accountId ? [{ code, consentId, accountId }] : [];
  });
  return banks.length === list.length ? banks : undefined;
}

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/;
/** A stamp without an offset may be any place's time. */
const WIDEST_OFFSET_MS = 14 * 3_600_000;

/** Whether `dateTimeStamp` is a time of the documented form near now. */
export function isPlausibleStamp(stamp: string, now: number, toleranceMs: number): boolean {
  const match = STAMP.exec(stamp);
  if (match === null) return false;
  const hasOffset = match[2] !== undefined;
  const distance = Math.abs(Date.parse(hasOffset ? stamp : `${stamp}Z`) - now);
  return distance <= toleranceMs + (hasOffset ? 0 : WIDEST_OFFSET_MS);
}

/** The samples spell two fields in another way than the tables of the vendor's pages. */
export const SPELLINGS = {
  sample: { stamp: 'dateTimeStamp', requestId: 'requestID' },
  table: { stamp: 'DateTimeStamp', requestId: 'RequestID' },
} as const;
export type Spelling = keyof typeof SPELLINGS;

/** What is wrong with the fields that every data call shares; undefined where nothing is. */
export function envelopeProblem(
  body: Body,
  expected: { merchantId: string; now: number; toleranceMs: number; spelling: Spelling },
): string | undefined {
  const names = SPELLINGS[expected.spelling];
  const stamp = textIn(body, names.stamp);
  if (stamp === undefined) return `${names.stamp} is mandatory`;
  if (!isPlausibleStamp(stamp, expected.now, expected.toleranceMs))
    return `${names.stamp} is not the time of the request`;
  if (!isUuid(textIn(body, names.requestId) ?? '')) return `${names.requestId} is mandatory, in UUID format`;
  const merchantId = textIn(body, 'merchantId');
  if (merchantId === undefined) return 'merchantId is mandatory';
  return merchantId === expected.merchantId ? undefined : 'merchantId is not known';
}
