import { isDateTime, type ItemFields, type SentItem, type Verdict, wrong } from './item';

/** One AccountBalance as it came; fields that are absent or of another type than documented are undefined. */
export interface BalanceItem extends SentItem {
  readonly operationExtId: undefined;
  readonly requester: string | undefined;
  readonly balanceType: string | undefined;
  readonly balanceAt: string | undefined;
  /** the number's digits as they stood in the request */
  readonly value: string | undefined;
  readonly equivalentValue: string | undefined;
  /** a field that is there, and not of its documented type */
  readonly mistyped: string | undefined;
}

const TEXTS = ['communicationNumber', 'requester', 'accountExtId', 'balanceType', 'businessUnit', 'balanceAt'] as const;
const NUMBERS = ['value', 'equivalentValue'] as const;

export function balanceItem(fields: ItemFields): BalanceItem {
  return {
    communicationNumber: fields.text('communicationNumber'),
    requester: fields.text('requester'),
    accountExtId: fields.text('accountExtId'),
    operationExtId: undefined,
    balanceType: fields.text('balanceType'),
    businessUnit: fields.text('businessUnit'),
    balanceAt: fields.text('balanceAt'),
    value: fields.number('value'),
    equivalentValue: fields.number('equivalentValue'),
    mistyped: fields.mistyped({ texts: TEXTS, numbers: NUMBERS }),
  };
}

const mandatory = (errorCode: string, field: string): Verdict => ({
  errorCode,
  errorDescription: `${field} is mandatory`,
});

/**
 * What AMLYZE would refuse about the fields beside the number, in the words and codes that its pages show; for what they
 * do not show, `001` and words of our own.
 */
export function balanceProblem(item: BalanceItem): Verdict | undefined {
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
