import { isJsonObject, JsonNumber, parseJson, type JsonObject, type JsonValue } from '../shared/json';
import { OPERATION_FIELDS, PARTY_FIELDS, type Field } from './fields';
import type { Operation } from './operation';
import { Pan } from './pan';

export interface OperationAddress {
  communicationNumber: string;
  /** Taken where the operation names none. */
  requester: string;
  channel: 'operation-single' | 'operation-batch';
}

/** A number goes out digit for digit, so its members stand here as the text that they are to have. */
type Member = string | boolean | JsonNumber | readonly string[] | Member[] | { [key: string]: Member };

const PLAIN_DECIMAL = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/**
 * The JSON text of one operation, as it is stored and as it is sent, however often: AMLYZE's order of keys, numbers with
 * exactly the given digits, card numbers in full. The batch has no place for sourceOfRiskLevel and the screening; an
 * operation that asks for screening must not lose it there. Throws where the text would not say what it should.
 */
export function buildOperationRecord(operation: Operation, address: OperationAddress): string {
  if (address.channel === 'operation-batch' && operation.initializeScreeningProcesses !== undefined) {
    throw new TypeError('an operation that asks for screening cannot go through the batch');
  }
  const members = recordOf(operation, address);
  const record = write(members);
  checkOperationRecord(record, operation, address);
  return record;
}

/** Parses the text again and compares it with the operation member by member. Throws; the message names no value. */
export function checkOperationRecord(record: string, operation: Operation, address: OperationAddress): void {
  const parsed = parseJson(record);
  if (!isJsonObject(parsed)) throw new TypeError('the record is no JSON object');
  compare(parsed, recordOf(operation, address), 'record');
}

function recordOf(
  operation: Operation,
  { communicationNumber, requester, channel }: OperationAddress,
): Record<string, Member> {
  const record: Record<string, Member> = {};
  const whole = { ...operation, communicationNumber, requester: operation.requester ?? requester };
  for (const [name, member] of membersOf(whole, OPERATION_FIELDS)) {
    record[name] = member;
    // AMLYZE's page has it at this place; in a batch IMPORT is implied.
    if (name === 'riskManagementCategory' && channel === 'operation-single') record['sourceOfRiskLevel'] = 'IMPORT';
  }
  record['listOperationParty'] = operation.listOperationParty.map((party) =>
    Object.fromEntries(membersOf(party, PARTY_FIELDS)),
  );
  return record;
}

function membersOf<Name extends string>(
  source: Partial<Record<Name, unknown>>,
  fields: readonly Field<Name>[],
): [Name, Member][] {
  return fields.flatMap((field): [Name, Member][] => {
    const value = source[field.name];
    return value === undefined ? [] : [[field.name, toMember(value, field)]];
  });
}

function toMember(value: unknown, { name, decimal }: Field): Member {
  if (value instanceof Pan) return value.reveal();
  if (decimal && typeof value === 'string' && PLAIN_DECIMAL.test(value)) return new JsonNumber(value);
  if (!decimal && (typeof value === 'string' || typeof value === 'boolean')) return value;
  if (!decimal && Array.isArray(value) && value.every((entry): entry is string => typeof entry === 'string'))
    return value;
  throw new TypeError(`the operation's ${name} is not in the form that can be written`);
}

function write(member: Member): string {
  if (member instanceof JsonNumber) return member.source;
  if (typeof member === 'string' || typeof member === 'boolean') return JSON.stringify(member);
  if (Array.isArray(member)) return `[${member.map(write).join(',')}]`;
  const entries = Object.entries(member).map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`);
  return `{${entries.join(',')}}`;
}

function compare(parsed: JsonValue | undefined, expected: Member, path: string): void {
  if (expected instanceof JsonNumber) {
    if (!(parsed instanceof JsonNumber) || parsed.source !== expected.source) differ(path);
  } else if (typeof expected === 'string' || typeof expected === 'boolean') {
    if (parsed !== expected) differ(path);
  } else if (Array.isArray(expected)) {
    if (!Array.isArray(parsed) || parsed.length !== expected.length) return differ(path);
    for (const [index, member] of expected.entries()) compare(parsed[index], member, `${path}[${index}]`);
  } else {
    if (!isJsonObject(parsed)) return differ(path);
    compareObject(parsed, expected as Record<string, Member>, path);
  }
}

function compareObject(parsed: JsonObject, expected: Record<string, Member>, path: string): void {
  if (Object.keys(parsed).join() !== Object.keys(expected).join()) differ(path);
  for (const [key, member] of Object.entries(expected)) compare(parsed[key], member, `${path}.${key}`);
}

function differ(path: string): never {
  throw new TypeError(`the ${path} is not what it should be`);
}
