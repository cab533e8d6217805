import { isJsonObject, type JsonObject, type JsonValue } from '../shared/json';
import { valueClass } from './field-kinds';
import { PARTY_FIELDS } from './fields';
import type { Operation, OperationParty, OperationRules } from './operation';
import { isGiven, Notes, readFields, refuseUnknown } from './read-fields';

const PARTY_NAMES: ReadonlySet<string> = new Set(PARTY_FIELDS.map(({ name }) => name));
const MAX_PARTIES = 4;

/** A party as far as it could be read; what it lacks is noted. */
export type PartyDraft = Partial<OperationParty>;

/** Reads the parties and checks each, and how they go together. */
export function readParties(value: JsonValue | undefined, rules: OperationRules, notes: Notes): PartyDraft[] {
  const field = 'listOperationParty';
  if (value === undefined || value === null) {
    notes.refuse(field, `is mandatory, but ${valueClass(value)}`);
    return [];
  }
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_PARTIES) {
    notes.refuse(field, `must be a list of 1 to ${MAX_PARTIES} parties, but ${valueClass(value)}`);
    return [];
  }
  const parties = value.map((entry, index) => readParty(entry, `${field}[${index}]`, { rules, notes }));
  for (const role of ['CREDITOR', 'DEBTOR'] as const) {
    const count = parties.filter(({ partyRole }) => partyRole === role).length;
    // A party whose role could not be read may be the missing one: its own fault is noted.
    const unread = parties.some(({ partyRole }) => partyRole === undefined);
    if (count > 1 || (count === 0 && !unread)) {
      notes.refuse(field, `must have exactly one ${role}, but is a list with ${count === 0 ? 'none' : count}`);
    }
  }
  return parties;
}

function readParty(
  entry: JsonValue,
  field: string,
  { rules, notes }: { rules: OperationRules; notes: Notes },
): PartyDraft {
  if (!isJsonObject(entry)) {
    notes.refuse(field, `must be a JSON object, but ${valueClass(entry)}`);
    return {};
  }
  const at = `${field}.`;
  // The fields' kinds make exactly the types of the party's fields.
  const party = Object.fromEntries(readFields(entry, PARTY_FIELDS, { rules, notes, at })) as PartyDraft;
  checkNames(entry, party, { at, notes });
  checkIdentification(entry, party, { at, notes });
  refuseUnknown(entry, PARTY_NAMES, { notes, at, elsewhere: () => undefined });
  return party;
}

interface Place {
  at: string;
  notes: Notes;
}

function checkNames(source: JsonObject, { entityType }: PartyDraft, { at, notes }: Place): void {
  const [first, last] = [isGiven(source, 'firstName'), isGiven(source, 'lastName')];
  if (first !== last) {
    const [missing, present] = first ? ['lastName', 'firstName'] : ['firstName', 'lastName'];
    notes.refuse(at + missing, `is mandatory beside ${present}, but is absent`);
  }
  if (isGiven(source, 'title') || entityType === undefined) return;
  if (entityType !== 'INDIVIDUAL')
    notes.refuse(`${at}title`, `is mandatory where entityType is ${entityType}, but is absent`);
  else if (!first && !last)
    notes.refuse(`${at}title`, 'is mandatory for an INDIVIDUAL without firstName and lastName, but is absent');
}

/** What can tell who a party behind the account holder is. */
const IDENTIFYING = ['accountNumber', 'accountExtId', 'title', 'firstName', 'lastName', 'identifier'];

function checkIdentification(source: JsonObject, { partyRole }: PartyDraft, { at, notes }: Place): void {
  if (partyRole === undefined) return;
  if (partyRole === 'CREDITOR' || partyRole === 'DEBTOR') {
    if (!isGiven(source, 'accountNumber')) {
      notes.refuse(`${at}accountNumber`, `is mandatory where partyRole is ${partyRole}, but is absent`);
    }
  } else if (!IDENTIFYING.some((name) => isGiven(source, name))) {
    notes.refuse(
      `${at}identifier`,
      `is mandatory for ${partyRole} where nothing else identifies the party, but is absent`,
    );
  }
}

/**
 * Which party is the institution's customer follows from the direction; the BIC of the institution or its own id of the account
 * stand with the customer's party. So the counterparty alone having them is a contradiction. Whether the account really is
 * the institution's is for AMLYZE to know.
 */
export function checkDirection(
  direction: Operation['financialFlowDirection'] | undefined,
  parties: readonly PartyDraft[],
  notes: Notes,
): void {
  if (direction === undefined) return;
  const [customerRole, otherRole] = direction === 'INCOMING' ? ['CREDITOR', 'DEBTOR'] : ['DEBTOR', 'CREDITOR'];
  const customerAt = parties.findIndex(({ partyRole }) => partyRole === customerRole);
  const customer = parties[customerAt];
  const other = parties.find(({ partyRole }) => partyRole === otherRole);
  if (customer === undefined || other === undefined) return;
  const at = `listOperationParty[${customerAt}]`;
  if (customer.entityType === 'UNKNOWN') {
    notes.refuse(
      `${at}.entityType`,
      `must not be UNKNOWN for your customer, but is (${direction}: the ${customerRole})`,
    );
  }
  if (isMarkedOwn(customer)) return;
  if (isMarkedOwn(other)) {
    notes.refuse(
      'financialFlowDirection',
      `must fit the parties, but is ${direction}: your customer is then the ${customerRole}, and bic or accountExtId stand with the ${otherRole} alone`,
    );
  } else {
    notes.warn(
      at,
      `has neither bic nor accountExtId: AMLYZE may not find the account of your customer, the ${customerRole}`,
    );
  }
}

function isMarkedOwn({ bic, accountExtId }: PartyDraft): boolean {
  return bic !== undefined || accountExtId !== undefined;
}
