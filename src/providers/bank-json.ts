import type { JsonLimits } from '../shared/json';

/**
 * What a bank says of one account. A thousand balances of ten fields are more than any has; with the millions of values that 5 MiB have
 * room for, nothing else would be done for seconds.
 */
export const BANK_JSON: JsonLimits = { maxValues: 10_000 };
