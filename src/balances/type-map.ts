import type { BalanceTypeMap } from './balance';

/** A provider's code as it is compared: without case and without the prefix that some banks put before it. */
export function comparableCode(code: string, prefix: string | undefined): string {
  const lower = code.toLowerCase();
  const prefixed = prefix !== undefined && lower.startsWith(prefix.toLowerCase());
  return prefixed ? lower.slice(prefix.length) : lower;
}

/** The AMLYZE balance types of a map, each once, in the map's order. */
export function amlyzeTypesOf(map: BalanceTypeMap, prefix: string | undefined): Iterable<string> {
  return comparableTypes(map, prefix).keys();
}

/** Comparable provider type -> its spelling in the map, for one AMLYZE balance type, most wanted first. */
export function providerTypesOf(
  map: BalanceTypeMap,
  code: string,
  prefix: string | undefined,
): ReadonlyMap<string, string> {
  return comparableTypes(map, prefix).get(code) ?? NONE;
}

/** Whether the map holds the provider's type at all. */
export function isMapped(map: BalanceTypeMap, type: string, prefix: string | undefined): boolean {
  const comparable = comparableCode(type, prefix);
  for (const types of comparableTypes(map, prefix).values()) if (types.has(comparable)) return true;
  return false;
}

type ComparableTypes = Map<string, Map<string, string>>;

const NONE: ReadonlyMap<string, string> = new Map();
/** A map is the same for every account of a connection, so it is made comparable once. */
const made = new WeakMap<BalanceTypeMap, { prefix: string | undefined; types: ComparableTypes }>();

function comparableTypes(map: BalanceTypeMap, prefix: string | undefined): ComparableTypes {
  const known = made.get(map);
  if (known !== undefined && known.prefix === prefix) return known.types;
  const types: ComparableTypes = new Map();
  for (const { type, code } of map) {
    const comparable = comparableCode(type, prefix);
    const ofCode = types.get(code) ?? new Map<string, string>();
    if (!ofCode.has(comparable)) ofCode.set(comparable, type);
    types.set(code, ofCode);
  }
  made.set(map, { prefix, types });
  return types;
}
