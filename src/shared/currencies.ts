// None of ISO 4217's X codes but these is the currency of countries: the others are metals, funds, test codes and XXX ("no currency"),
// none of which a balance can be in.
const X_CURRENCIES = new Set(['XAF', 'XCD', 'XOF', 'XPF', 'XCG']);

/** ISO 4217, the codes of money that ICU knows, old ones included. */
export const CURRENCIES: ReadonlySet<string> = new Set([
  ...Intl.supportedValuesOf('currency').filter((code) => !code.startsWith('X') || X_CURRENCIES.has(code)),
  // Venezuela's other code, which ICU has a name for and does not list.
  'VED',
]);
