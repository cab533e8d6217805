import { ItemFields, type SentItem } from './item';

/** One operation as it came. */
export interface OperationItem extends SentItem {
  readonly accountExtId: undefined;
  readonly fields: ItemFields;
  /** undefined where there is no list */
  readonly parties: readonly ItemFields[] | undefined;
}

export function operationItem(fields: ItemFields): OperationItem {
  return {
    communicationNumber: fields.text('communicationNumber'),
    businessUnit: fields.text('businessUnit'),
    accountExtId: undefined,
    operationExtId: fields.text('operationExtId'),
    fields,
    parties: fields.list('listOperationParty')?.map((party) => new ItemFields(party)),
  };
}
