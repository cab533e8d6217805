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

/** AMLYZE's page has sourceOfRiskLevel behind the category. */
const SOURCE_AT = OPERATION_FIELDS.findIndex(({ name }) => name === 'riskManagementCategory') + 1;
const BEFORE_SOURCE = OPERATION_FIELDS.slice(0, SOURCE_AT);
const AFTER_SOURCE = OPERATION_FIELDS.slice(SOURCE_AT);

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
  checkMembers(record, members);
  return record;
}

/** Parses the text again and compares it with the operation member by member. Throws; the message names no value. */
export function checkOperationRecord(record: string, operation: Operation, address: OperationAddress): void {
  checkMembers(record, recordOf(operation, address));
}

function checkMembers(record: string, members: Record<string, Member>): void {
  const parsed = parseJson(record);
  if (!isJsonObject(parsed)) throw new TypeError('the record is no JSON object');
  compareObject(parsed, members, 'record');
}

function recordOf(
  operation: Operation,
  { communicationNumber, requester, channel }: OperationAddress,
): Record<string, Member> {
  const whole = { ...operation, communicationNumber, requester: operation.requester ?? requester };
  const listOperationParty = operation.listOperationParty.map((party) => membersOf(party, PARTY_FIELDS));
  const before = membersOf(whole, BEFORE_SOURCE);
  // In a batch IMPORT is implied.
  const source = channel === 'operation-single' ? { sourceOfRiskLevel: 'IMPORT' } : {};
  return { ...before, ...source, ...membersOf(whole, AFTER_SOURCE), listOperationParty };
}

function membersOf<Name extends string>(
  source: Partial<Record<Name, unknown>>,
  fields: readonly Field<Name>[],
): Record<string, Member> {
  const members: Record<string, Member> = {};
  for (const field of fields) {
    const value = source[field.name];
    if (value !== undefined) members[field.name] = toMember(value, field);
  }
  return members;
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
    for (const [index, member] of expected.entries()) compare(parsed[index], member, path);
  } else {
    if (!isJsonObject(parsed)) return differ(path);
    compareObject(parsed, expected as Record<string, Member>, path);
  }
}

function compareObject(parsed: JsonObject, expected: Record<string, Member>, path: string): void {
  const [names, wanted] = [Object.keys(parsed), Object.entries(expected)];
  if (names.length !== wanted.length) differ(path);
  for (const [index, [key, member]] of wanted.entries()) {
    if (names[index] !== key) differ(path);
    compare(parsed[key], member, key);
  }
}

function differ(path: string): never {
  throw new TypeError(`the ${path} is not what it should be`);
}
