import type { JsonObject, JsonValue } from '../shared/json';
import { shownText } from '../shared/shown-text';
import { valueClass } from './field-kinds';
import type { Field } from './fields';
import { nearestName } from './nearest-name';
import type { Finding, OperationRules } from './operation';

/** What was noticed so far; the rules add to it. */
export class Notes {
  readonly errors: Finding[] = [];
  readonly warnings: Finding[] = [];
  readonly dropped: Finding[] = [];

  refuse(field: string, statement: string): void {
    this.errors.push({ field, message: `${field} ${statement}` });
  }

  warn(field: string, statement: string): void {
    this.warnings.push({ field, message: `${field} ${statement}` });
  }

  drop(field: string, statement: string): void {
    this.dropped.push({ field, message: `${field} ${statement}` });
  }
}

/** Whether the input names the field at all, with whatever value. */
export function isGiven(source: JsonObject, name: string): boolean {
  return Object.hasOwn(source, name);
}

/** Reads the fields one by one, in their order; a faulty one is absent from the result and noted. `at` ends in a dot or is empty. */
export function readFields<Name extends string>(
  source: JsonObject,
  fields: readonly Field<Name>[],
  { rules, notes, at }: { rules: OperationRules; notes: Notes; at: string },
): Map<Name, unknown> {
  const read = new Map<Name, unknown>();
  for (const { name, required, read: kind } of fields) {
    const field = at + name;
    const value = isGiven(source, name) ? source[name] : undefined;
    const mandatory = typeof required === 'function' ? required(rules) : required === true;
    if (value === undefined) {
      if (mandatory) notes.refuse(field, 'is mandatory, but is absent');
      continue;
    }
    if (isEmpty(value)) {
      notes.refuse(
        field,
        `${mandatory ? 'is mandatory' : 'must be left out where it has no value'}, but ${valueClass(value)}`,
      );
      continue;
    }
    const reading = kind(value, rules);
    if ('rule' in reading) {
      notes.refuse(field, `must ${reading.rule}, but ${valueClass(value)}`);
      continue;
    }
    if (reading.warning !== undefined) notes.warn(field, reading.warning);
    read.set(name, reading.value);
  }
  return read;
}

function isEmpty(value: JsonValue): boolean {
  return value === null || (typeof value === 'string' && value.trim() === '');
}

const MOST_UNKNOWN_NAMED = 10;
const LONGEST_NAME_SHOWN = 60;

/** Notes every field that is not among the known names; `elsewhere` says where a name belongs that is known in another place. */
export function refuseUnknown(
  source: JsonObject,
  known: ReadonlySet<string>,
  { notes, at, elsewhere }: { notes: Notes; at: string; elsewhere: (name: string) => string | undefined },
): void {
  const unknown = Object.keys(source).filter((name) => !known.has(name));
  for (const name of unknown.slice(0, MOST_UNKNOWN_NAMED)) {
    const place = elsewhere(name);
    const nearest = nearestName(name, [...known]);
    const advice = place ?? (nearest === undefined ? 'remove it' : `the nearest known name is ${nearest}`);
    notes.refuse(at + shownText(name, LONGEST_NAME_SHOWN), `is no field of AMLYZE here: ${advice}`);
  }
  const more = unknown.length - MOST_UNKNOWN_NAMED;
  if (more > 0) notes.refuse(at.replace(/\.$/, ''), `has ${more} more unknown fields`);
}
