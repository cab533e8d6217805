import { type Decimal } from '../shared/decimal';
import { OPERATION_FIELDS, PARTY_FIELDS, type Field } from './fields';
import { canonicalInstant } from '../shared/instant';
import type { Operation } from './operation';
import { Pan } from './pan';

/**
 * The content of an operation as one canonical text, to be hashed with a key (it holds card numbers in full). The same
 * content gives the same text: whatever the order of its keys, `1.0` or `1.00`, an instant in this zone or that. Who sends it and
 * under which number is no content.
 */
export function contentOf(operation: Operation): string {
  const own = OPERATION_FIELDS.filter(({ name }) => name !== 'communicationNumber' && name !== 'requester');
  const parties = operation.listOperationParty.map((party) => membersOf(party, PARTY_FIELDS));
  return JSON.stringify([...membersOf(operation, own), ['listOperationParty', parties]]);
}

/** Name and value of every field that is there, in the order of the table. */
function membersOf<Name extends string>(
  source: Partial<Record<Name, unknown>>,
  fields: readonly Field<Name>[],
): [Name, unknown][] {
  return fields.flatMap((field): [Name, unknown][] => {
    const value = source[field.name];
    return value === undefined ? [] : [[field.name, canonical(value, field)]];
  });
}

function canonical(value: unknown, { decimal, instant }: Field): unknown {
  if (value instanceof Pan) return value.reveal();
  if (typeof value !== 'string') return value;
  if (decimal) return withoutTrailingZeros(value);
  return instant ? canonicalInstant(value) : value;
}

function withoutTrailingZeros(decimal: Decimal): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
