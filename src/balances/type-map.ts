import type { BalanceTypeMap } from './balance';

/** A provider's code as it is compared: without case and without the prefix that some banks put before it. */
export function comparableCode(code: string, prefix: string | undefined): string {
  const lower = code.toLowerCase();
  const prefixed = prefix !== undefined && lower.startsWith(prefix.toLowerCase());
  return prefixed ? lower.slice(prefix.length) : lower;
}

/** The AMLYZE balance types of a map, each once, in the map's order. */
export function amlyzeTypesOf(map: BalanceTypeMap): string[] {
  return [...new Set(map.map((entry) => entry.code))];
}

/** Comparable provider type -> its spelling in the map, for one AMLYZE balance type, most wanted first. */
export function providerTypesOf(map: BalanceTypeMap, code: string, prefix: string | undefined): Map<string, string> {
  const types = new Map<string, string>();
  for (const entry of map) {
    const comparable = comparableCode(entry.type, prefix);
    if (entry.code === code && !types.has(comparable)) types.set(comparable, entry.type);
  }
  return types;
}
