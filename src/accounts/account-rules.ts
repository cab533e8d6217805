import type { Rule } from '../admin/check';
import { currency, rowId, text } from '../admin/rules';
import { isJsonObject, type JsonObject, type JsonValue } from '../shared/json';
import type { FieldError } from '../shared/problem';
import { shownText } from '../shared/shown-text';

/** What a client says about an account, one by one or as a line of an import. */
export interface AccountFields {
  consentId: string;
  providerAccountId: string;
  currency: string;
  accountExtId: string;
  businessUnit?: string;
}

export const REQUIRED_FIELDS = ['consentId', 'providerAccountId', 'currency', 'accountExtId'] as const;
export const ACCOUNT_FIELDS = [...REQUIRED_FIELDS, 'businessUnit'] as const;

/** A provider may put it into a path, where no encoding keeps these two from being steps (src/providers/api-url.ts). */
const accountAtBank: Rule = (value) =>
  value === '.' || value === '..' ? 'must be the id of an account at the bank, not . or ..' : text(255)(value);

/** One rule per field for both ways in; an import calls them without a DTO, because of the number of its lines. */
export const ACCOUNT_RULES: Readonly<Record<(typeof ACCOUNT_FIELDS)[number], Rule>> = {
  consentId: rowId('consent'),
  providerAccountId: accountAtBank,
  currency,
  accountExtId: text(255),
  businessUnit: text(255),
};

/** Reads one line of an import as strictly as the body of a single account. */
export function readAccountFields(value: JsonValue): AccountFields | { errors: FieldError[] } {
  if (!isJsonObject(value)) return { errors: [{ field: '', message: 'must be one JSON object' }] };
  const given = new Map<string, unknown>(Object.entries(value));
  const errors: FieldError[] = [];
  for (const name of ACCOUNT_FIELDS) {
    const field = given.get(name);
    given.delete(name);
    if (field === undefined && name === 'businessUnit') continue;
    const fault = field === undefined ? 'is required' : ACCOUNT_RULES[name](field);
    if (fault !== undefined) errors.push({ field: name, message: fault });
  }
  for (const unknown of [...given.keys()].slice(0, 10)) {
    errors.push({
      field: shownText(unknown, 100),
      message: 'is not a field of an account: remove it or correct its spelling',
    });
  }
  if (errors.length > 0) return { errors };
  // Every field was checked just now; the type system cannot follow the loop.
  return value as JsonObject & AccountFields;
}
