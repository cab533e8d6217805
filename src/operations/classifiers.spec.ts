import { Environment } from '../config/environment';
import { isListed, operationRules } from './classifiers';
import { ISO_COUNTRIES, ISO_CURRENCIES } from './iso-codes';

const configured = (changes: Partial<Environment>) => operationRules({ ...new Environment(), ...changes }, new Date(0));

describe('operationRules', () => {
  it("has the documented examples and the standards' codes where nothing is configured", () => {
    const { classifiers, ...rest } = configured({});
    expect(classifiers.riskManagementCategory).toContain('OP_TRANSFER');
    expect(classifiers.cardOperationSubType).toHaveLength(4);
    expect(classifiers.operationType).toEqual(['CARD_PAYMENT']);
    expect(classifiers.country).toEqual(ISO_COUNTRIES);
    expect(classifiers.currency).toEqual(ISO_CURRENCIES);
    expect(classifiers.businessUnit).toBeUndefined();
    expect(rest).toMatchObject({
      unknownCodes: 'refuse',
      countriesRequired: true,
      callerNumbers: false,
      cardData: 'refuse',
    });
  });

  it('lets ISO stand for the standard beside own codes, and own codes stand alone', () => {
    const { classifiers } = configured({ operationsCountries: ['ISO', 'XK'], operationsCurrencies: ['EUR', 'ETH'] });
    expect(classifiers.country).toEqual([...ISO_COUNTRIES, 'XK']);
    expect(classifiers.currency).toEqual(['EUR', 'ETH']);
  });

  it('knows the configured business unit beside a list of them', () => {
    const { classifiers, defaultBusinessUnit } = configured({
      operationsBusinessUnits: ['A'],
      amlyzeBusinessUnit: 'OWN',
    });
    expect(classifiers.businessUnit).toEqual(['A', 'OWN']);
    expect(defaultBusinessUnit).toBe('OWN');
  });
});

describe('the ISO lists', () => {
  it('have the 249 countries of ISO 3166-1, each once', () => {
    expect(new Set(ISO_COUNTRIES).size).toBe(249);
    expect(ISO_COUNTRIES.every((code) => /^[A-Z]{2}$/.test(code))).toBe(true);
    const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
    expect(ISO_COUNTRIES.filter((code) => names.of(code) === undefined)).toEqual([]);
  });

  it('have currencies that exist, each once, and no metal, fund or test code', () => {
    const names = new Intl.DisplayNames('en', { type: 'currency', fallback: 'none' });
    expect(ISO_CURRENCIES.filter((code) => names.of(code) === undefined)).toEqual([]);
    expect(new Set(ISO_CURRENCIES).size).toBe(ISO_CURRENCIES.length);
    for (const code of ['XXX', 'XTS', 'XAU', 'XDR']) expect(isListed(ISO_CURRENCIES, code)).toBe(false);
    for (const code of ['EUR', 'USD', 'XOF', 'HRK', 'VES', 'VED']) expect(isListed(ISO_CURRENCIES, code)).toBe(true);
  });
});
