import { isJsonObject, type JsonObject, type JsonValue } from '../shared/json';
import { checkAmounts } from './amount-rules';
import { valueClass } from './field-kinds';
import { OPERATION_FIELDS, PARTY_FIELDS } from './fields';
import { instantMs } from '../shared/instant';
import type { Operation, OperationCheck, OperationRules } from './operation';
import { checkDirection, readParties } from './party-rules';
import { isGiven, Notes, readFields, refuseUnknown } from './read-fields';

/** Fields that are known, checked and not kept: they can have one value only. */
const FIXED: Readonly<Record<string, { value: string; rule: string }>> = {
  action: {
    value: 'CREATE',
    rule: 'must be CREATE or left out: UPDATE replaces all data that AMLYZE has of the operation',
  },
  sourceOfRiskLevel: {
    value: 'IMPORT',
    rule:
      'must be IMPORT or left out: this import is for past operations and without monitoring, ' +
      'an operation whose risk AMLYZE is to EVALUATE needs its monitoring and another way in',
  },
};

const KNOWN: ReadonlySet<string> = new Set([
  ...OPERATION_FIELDS.map(({ name }) => name),
  ...Object.keys(FIXED),
  'listOperationParty',
]);
const PARTY_ONLY: readonly string[] = PARTY_FIELDS.map(({ name }) => name).filter((name) => !KNOWN.has(name));

const DAY_MS = 24 * 3_600_000;

/**
 * Checks one operation as strictly as AMLYZE's page describes it, and everything at once: a line that is refused comes back
 * with all that is wrong with it. Pure.
 */
export function validateOperation(input: JsonValue, rules: OperationRules): OperationCheck {
  const notes = new Notes();
  if (!isJsonObject(input)) {
    return {
      ok: false,
      errors: [{ field: '', message: `the operation must be one JSON object, but ${valueClass(input)}` }],
    };
  }
  const source = withDefaultUnit(input, rules);
  // The fields' kinds make exactly the types of the operation's fields.
  const draft = Object.fromEntries(
    readFields(source, OPERATION_FIELDS, { rules, notes, at: '' }),
  ) as Partial<Operation>;
  checkFixed(source, notes);
  checkAmounts(source, draft, notes);
  checkEquivalent(source, notes);
  const parties = readParties(
    isGiven(source, 'listOperationParty') ? source['listOperationParty'] : undefined,
    rules,
    notes,
  );
  checkDirection(draft.financialFlowDirection, parties, notes);
  refuseUnknown(source, KNOWN, { notes, at: '', elsewhere: placeInParty });
  if (notes.errors.length > 0) return { ok: false, errors: notes.errors };
  // No error was noted, so every mandatory field is there; the type system cannot follow the table.
  const operation = { ...draft, listOperationParty: parties } as Operation;
  const { warnings, dropped } = notes;
  return { ok: true, operation, warnings, dropped, young: isYoung(operation, rules, notes) };
}

function withDefaultUnit(input: JsonObject, { defaultBusinessUnit }: OperationRules): JsonObject {
  if (defaultBusinessUnit === undefined || isGiven(input, 'businessUnit')) return input;
  return Object.assign(Object.create(null) as JsonObject, input, { businessUnit: defaultBusinessUnit });
}

function checkFixed(source: JsonObject, notes: Notes): void {
  for (const [name, { value, rule }] of Object.entries(FIXED)) {
    if (!isGiven(source, name) || source[name] === value) continue;
    notes.refuse(name, `${rule}; but it ${valueClass(source[name])}`);
  }
}

function checkEquivalent(source: JsonObject, notes: Notes): void {
  const [amount, rate] = [isGiven(source, 'amountInEquivalent'), isGiven(source, 'exchangeRate')];
  if (amount === rate) return;
  const [missing, present] = amount ? ['exchangeRate', 'amountInEquivalent'] : ['amountInEquivalent', 'exchangeRate'];
  notes.refuse(missing, `is mandatory beside ${present}, but is absent`);
}

/** AMLYZE's page shows the card fields beside the operation's own; its samples have them in the party. */
function placeInParty(name: string): string | undefined {
  return PARTY_ONLY.includes(name) ? `it belongs in a party, as listOperationParty[n].${name}` : undefined;
}

function isYoung({ operationDateTime }: Operation, { now }: OperationRules, notes: Notes): boolean {
  const at = instantMs(operationDateTime) ?? 0;
  if (at > now.getTime()) notes.warn('operationDateTime', 'lies in the future');
  return at > now.getTime() - DAY_MS;
}
