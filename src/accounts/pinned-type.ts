import { comparableCode } from '../balances/type-map';
import type { MappingSettings } from '../balances/balance';
import { ApiProblem } from '../shared/problem';

/**
 * The pins of an account after an operator's change: the AMLYZE types that the connection maps the named type to are pinned
 * to it, others stay. The spelling is that of the connection's map, which the mapping compares with.
 *
 * @param type undefined: no change; null: no pins, the next reading decides anew
 * @param mapping of the account's connection; needed where a type is named
 */
export function pinsAfter(
  pinned: Readonly<Record<string, string>>,
  type: string | null | undefined,
  mapping: MappingSettings | undefined,
): Readonly<Record<string, string>> {
  if (type === undefined) return pinned;
  if (type === null) return {};
  const { balanceTypes = [], typePrefix } = mapping ?? {};
  const wanted = comparableCode(type, typePrefix);
  const entries = balanceTypes.filter((entry) => comparableCode(entry.type, typePrefix) === wanted);
  if (entries.length === 0) {
    const known = balanceTypes.map((entry) => entry.type).join(', ');
    throw ApiProblem.invalid([
      { field: 'pinnedType', message: `must be in the connection's balanceTypes, which are: ${known}` },
    ]);
  }
  return { ...pinned, ...Object.fromEntries(entries.map((entry) => [entry.code, entry.type])) };
}
