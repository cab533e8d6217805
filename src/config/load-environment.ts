import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { closest, distance } from 'fastest-levenshtein';
import { checkBaseUrl } from '../shared/http-client';
import { ConfigurationProblem } from './configuration-problem';
import { Environment } from './environment';
import { generatedAdminKey, generatedCardDataKeys, generatedEncryptionKeys } from './generated-keys';
import { Malformed, declaredVariables } from './variable';

/** A name that begins like this is meant for the gateway: a wrong one is a typing error, not somebody else's. */
const OWN_PREFIXES = [
  'AMLYZE_',
  'COMMUNICATION_NUMBER',
  'SYNC_',
  'ENCRYPTION_KEY',
  'ADMIN_API',
  'EQUIVALENT_',
  'OPERATIONS_',
  'CARD_DATA',
];

/** A name this near to a variable that is not given is a misspelling of it; short names are near to too much. */
const MISSPELT_BY = 2;
const SHORTEST_MISSPELT = 8;

/**
 * Reads and validates the environment. Without DATABASE_URL it makes the missing keys in DATA_DIR.
 * @throws ConfigurationProblem with one line per fault
 */
export function loadEnvironment(env: NodeJS.ProcessEnv): Environment {
  const given = Object.fromEntries(Object.entries(env).filter(([, text]) => text !== undefined && text.trim() !== ''));
  const texts = Object.fromEntries([...declaredVariables()].map(([property, name]) => [property, given[name]?.trim()]));
  const draft = plainToInstance(Environment, withoutAbsent(texts), { exposeDefaultValues: true });
  const faults = [...unknownNames(given), ...malformed(draft), ...conflicts(draft, given)];
  if (faults.length > 0) throw new ConfigurationProblem(faults);
  const complete = draft.databaseUrl === undefined ? withGeneratedKeys(draft, given) : draft;
  if (sharesKey(complete)) throw new ConfigurationProblem(['CARD_DATA_KEYS: must not hold a key of ENCRYPTION_KEYS']);
  return Object.freeze(complete);
}

/** The variable by which an operator says which database it is. */
export type DatabaseVariable = 'DATABASE_URL' | 'DATA_DIR';

/** Also of an environment that is not valid, or that a start which failed has not handed out. */
export function databaseVariable({ DATABASE_URL = '' }: NodeJS.ProcessEnv = process.env): DatabaseVariable {
  return DATABASE_URL.trim() === '' ? 'DATA_DIR' : 'DATABASE_URL';
}

function withoutAbsent(texts: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function unknownNames(given: Record<string, string | undefined>): string[] {
  const known = [...declaredVariables().values()];
  const absent = known.filter((name) => given[name] === undefined);
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const file = known.find((variable) => name === `${variable}_FILE` && variable.length >= SHORTEST_MISSPELT);
      if (file !== undefined)
        return [`${name}: unknown variable; only AMLYZE_TOKEN can come from a file; write ${file}`];
      const meant = meantBy(name, absent);
      if (meant !== undefined)
        return [
          `${name}: unknown variable; write ${meant}; if it is somebody else's, take it out of the gateway's environment`,
        ];
      return OWN_PREFIXES.some((prefix) => name.startsWith(prefix))
        ? [`${name}: unknown variable; take it out of the gateway's environment, or see its README for what there is`]
        : [];
    });
}

/** DATABSE_URL, or database_url, would otherwise start an embedded database. */
function meantBy(name: string, absent: readonly string[]): string | undefined {
  if (name.length < SHORTEST_MISSPELT || absent.length === 0) return undefined;
  if (absent.includes(name.toUpperCase())) return name.toUpperCase();
  const nearest = closest(name, absent);
  return distance(name, nearest) <= MISSPELT_BY ? nearest : undefined;
}

function malformed(draft: Environment): string[] {
  return validateSync(draft).flatMap(({ property, constraints = {} }) =>
    Object.values(constraints).map((problem) => `${declaredVariables().get(property) ?? property}: ${problem}`),
  );
}

/** What one variable alone cannot tell. */
function conflicts(draft: Environment, given: Record<string, string | undefined>): string[] {
  const faults: string[] = [];
  const require = (name: string, why = ''): void => {
    if (given[name] === undefined) faults.push(`${name}: required${why}`);
  };
  require('AMLYZE_BASE_URL');
  if (typeof draft.amlyzeBaseUrl === 'string') {
    const problem = checkBaseUrl(draft.amlyzeBaseUrl, draft.allowPrivateAddresses);
    if (problem !== undefined) faults.push(`AMLYZE_BASE_URL: ${problem}`);
  }
  if (given.AMLYZE_TOKEN === undefined && given.AMLYZE_TOKEN_FILE === undefined) {
    faults.push('AMLYZE_TOKEN: required, or AMLYZE_TOKEN_FILE');
  }
  if (given.AMLYZE_TOKEN !== undefined && given.AMLYZE_TOKEN_FILE !== undefined) {
    faults.push('AMLYZE_TOKEN: must not be set together with AMLYZE_TOKEN_FILE');
  }
  if (given.DATABASE_URL !== undefined) {
    require('ADMIN_API_KEY', ' with DATABASE_URL');
    require('ENCRYPTION_KEYS', ' with DATABASE_URL');
    if (draft.cardData === 'encrypt') require('CARD_DATA_KEYS', ' with CARD_DATA=encrypt and DATABASE_URL');
  }
  if (given.FAIL_POINTS !== undefined && draft.allowPrivateAddresses !== true) {
    faults.push('FAIL_POINTS: only for fault tests, with ALLOW_PRIVATE_ADDRESSES=true');
  }
  if (given.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    faults.push('NODE_TLS_REJECT_UNAUTHORIZED: must not be 0, it would switch off the check of every certificate');
  }
  return faults;
}

/** Card data is sealed apart: who may read bank secrets must not thereby read card numbers. */
function sharesKey({ encryptionKeys, cardDataKeys = [] }: Environment): boolean {
  return cardDataKeys.some((card) => encryptionKeys.some((other) => other.key.equals(card.key)));
}

function withGeneratedKeys(draft: Environment, given: Record<string, string | undefined>): Environment {
  const adminKey = given.ADMIN_API_KEY === undefined ? generatedAdminKey(draft.dataDir) : undefined;
  const keys = given.ENCRYPTION_KEYS === undefined ? generatedEncryptionKeys(draft.dataDir) : undefined;
  // Also while card data is refused: what was taken before is still to be sent.
  const cardKeys = given.CARD_DATA_KEYS === undefined ? generatedCardDataKeys(draft.dataDir) : undefined;
  const texts = {
    ...(adminKey ? { adminApiKey: adminKey.text } : {}),
    ...(keys ? { encryptionKeys: keys.text } : {}),
    ...(cardKeys ? { cardDataKeys: cardKeys.text } : {}),
  };
  const read = plainToInstance(Environment, texts);
  for (const property of ['adminApiKey', 'encryptionKeys', 'cardDataKeys'] as const) {
    const value: unknown = read[property];
    if (value instanceof Malformed) {
      const name = declaredVariables().get(property) ?? property;
      throw new ConfigurationProblem([`${name}: the generated one in DATA_DIR ${value.problem}`]);
    }
  }
  return Object.assign(draft, {
    ...(adminKey ? { adminApiKey: read.adminApiKey, adminApiKeyIsNew: adminKey.isNew } : {}),
    ...(keys ? { encryptionKeys: read.encryptionKeys } : {}),
    ...(cardKeys ? { cardDataKeys: read.cardDataKeys } : {}),
  });
}
