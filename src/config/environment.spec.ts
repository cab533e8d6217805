import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationProblem, Environment, databaseVariable, loadEnvironment } from './environment';
import { declaredVariables } from './variable';

const folder = mkdtempSync(join(tmpdir(), 'environment-'));
afterAll(() => rmSync(folder, { recursive: true }));
const TOKEN_FILE = join(folder, 'token-file');
writeFileSync(TOKEN_FILE, 'abc\n');

const key = (id: string, bytes: Buffer = randomBytes(32)): string => `${id}:${bytes.toString('base64')}`;

const COMPLETE = {
  DATABASE_URL: 'postgres://gateway@db.example:5432/gateway',
  ADMIN_API_KEY: 'k'.repeat(32),
  ENCRYPTION_KEYS: key('first'),
  AMLYZE_BASE_URL: 'https://amlyze.example',
  AMLYZE_TOKEN: 'token-of-the-test',
};

function faultsOf(changes: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadEnvironment({ ...COMPLETE, ...changes });
  } catch (error) {
    if (error instanceof ConfigurationProblem) return error.lines;
    throw error;
  }
  return [];
}

describe('loadEnvironment', () => {
  it.each([
    'AMLYZE_TOKEN',
    'AMLYZE_REQUESTER',
    'AMLYZE_BUSINESS_UNIT',
    'AMLYZE_BASE_URL',
    'ADMIN_API_KEY',
    'DATA_DIR',
    'OPERATIONS_RISK_CATEGORIES',
  ])('refuses quotes around %s, that an env file has brought along', (name) => {
    for (const quote of [`"`, `'`]) {
      const value = `${quote}https://amlyze.example/${'k'.repeat(32)}${quote}`;
      expect(faultsOf({ [name]: value })).toEqual([
        `${name}: must not stand in quotes: here they are part of the value`,
      ]);
    }
  });

  it('knows by which variable the operator says what database it is', () => {
    expect(databaseVariable({ DATABASE_URL: 'postgres://gateway@db.example/gateway' })).toBe('DATABASE_URL');
    expect([databaseVariable({}), databaseVariable({ DATABASE_URL: ' ' })]).toEqual(['DATA_DIR', 'DATA_DIR']);
  });

  it('reads every variable into the type the gateway works with', () => {
    const environment = loadEnvironment({
      ...COMPLETE,
      PORT: '8080',
      ENCRYPTION_KEYS: `${key('b', Buffer.from('0123456789abcdefghijklmnopqrstuv'))}, ${key('a')}`,
      AMLYZE_BASE_URL: 'https://amlyze.example/base/',
      AMLYZE_TENANT_HEADER: 'X-Tenant: lt-01',
      AMLYZE_SINGLE_ENDPOINT: 'POST /other/path',
      EQUIVALENT_CURRENCY: 'EUR',
      SYNC_CRON: '*/5 * * * * *',
      METRICS_PUBLIC: 'true',
      OPERATIONS_IMPORT: 'without-monitoring',
      OPERATIONS_COUNTRIES: 'ISO, XK',
      OPERATIONS_CURRENCIES: 'EUR,ETH,USDC2',
      CARD_DATA_RETENTION: '90m',
    });
    expect(environment).toBeInstanceOf(Environment);
    expect(environment.port).toBe(8080);
    expect(environment.encryptionKeys.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(environment.encryptionKeys[0]?.key).toEqual(Buffer.from('0123456789abcdefghijklmnopqrstuv'));
    expect(environment.amlyzeBaseUrl).toBe('https://amlyze.example/base');
    expect(environment.amlyzeTenantHeader).toEqual({ name: 'X-Tenant', value: 'lt-01' });
    expect(environment.amlyzeSingleEndpoint).toEqual({ method: 'POST', path: '/other/path' });
    expect(environment.equivalentCurrency).toBe('EUR');
    expect(environment.syncCron).toBe('*/5 * * * * *');
    expect(environment.metricsPublic).toBe(true);
    expect(environment.operationsImport).toBe('without-monitoring');
    expect(environment.operationsCountries).toEqual(['ISO', 'XK']);
    expect(environment.operationsCurrencies).toEqual(['EUR', 'ETH', 'USDC2']);
    expect(environment.cardDataRetention).toBe(90 * 60_000);
  });

  it('has the documented defaults, also for variables that are present but empty', () => {
    const environment = loadEnvironment({ ...COMPLETE, PORT: '', AMLYZE_BATCH_SIZE: ' ' });
    expect(environment).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      dataDir: '.data',
      amlyzeRequester: 'open-banking-gateway',
      amlyzeBatchSize: 500,
      amlyzeConcurrency: 4,
      amlyzeTimeoutMs: 30_000,
      amlyzeMaxAttempts: 12,
      amlyzeBatchEndpoint: { method: 'POST', path: '/amlyze-ws-rest/batch-account-balances' },
      amlyzeSingleEndpoint: { method: 'PUT', path: '/amlyze-ws-rest/account-balance' },
      communicationNumberPrefix: 'obg-',
      syncCron: '0 6,12,18 * * *',
      syncConcurrency: 32,
      leaseSeconds: 30,
      pollIntervalMs: 500,
      allowPrivateAddresses: false,
      logLevel: 'info',
      metricsPublic: false,
      adminApiKeyIsNew: false,
      operationsDelivery: 'single',
      operationsPreflight: false,
      operationsUnknownCodes: 'refuse',
      operationsCountriesRequired: true,
      operationsCallerNumbers: false,
      cardData: 'refuse',
      cardDataRetention: 86_400_000,
      amlyzeOperationEndpoint: { method: 'POST', path: '/amlyze-ws-rest/operation' },
    });
    expect(environment.operationsImport).toBeUndefined();
    expect(environment.cardDataKeys).toBeUndefined();
    expect(environment.amlyzeBusinessUnit).toBeUndefined();
    expect(environment.equivalentCurrency).toBeUndefined();
  });

  it('measures texts as the records do, in UTF-16 units', () => {
    const environment = loadEnvironment({
      ...COMPLETE,
      AMLYZE_REQUESTER: '🏦'.repeat(50),
      AMLYZE_BUSINESS_UNIT: `x${'🏦'.repeat(127)}`,
    });
    expect([environment.amlyzeRequester.length, environment.amlyzeBusinessUnit?.length]).toEqual([100, 255]);
  });

  it('says in which units the length of a text is counted', () => {
    expect(faultsOf({ AMLYZE_REQUESTER: '🏦'.repeat(60) })).toEqual([
      'AMLYZE_REQUESTER: must be at most 100 characters without control characters, counted in UTF-16 units (an emoji is two)',
    ]);
  });

  // The marker stands for what an operator might have typed; it must never come back.
  const SECRET = 'sEcReT';
  it.each<[string, NodeJS.ProcessEnv]>([
    ['PORT', { PORT: `80${SECRET}` }],
    ['PORT', { PORT: '65536' }],
    ['PORT', { PORT: '-1' }],
    ['PORT', { PORT: '3e3' }],
    ['HOST', { HOST: `${SECRET}/24` }],
    ['DATABASE_URL', { DATABASE_URL: `mysql://u:${SECRET}@h/d` }],
    ['DATABASE_URL', { DATABASE_URL: `postgres://u:${SECRET}@h` }],
    ['DATABASE_URL', { DATABASE_URL: SECRET }],
    ['DATABASE_URL', { DATABASE_URL: `postgres://u:${SECRET}@h/d?sslmode=no-verify` }],
    ['DATABASE_URL', { DATABASE_URL: `postgres://u:${SECRET}@h/d?sslmode=prefer` }],
    ['DATABASE_URL', { DATABASE_URL: `postgres://u:${SECRET}@h/d?sslmode=require&uselibpqcompat=true` }],
    ['DATABASE_URL', { DATABASE_URL: `postgres://u@h/d?sslmode=verify-full&sslrootcert=/absent/${SECRET}` }],
    ['ADMIN_API_KEY', { ADMIN_API_KEY: `${SECRET}${'x'.repeat(25)}` }],
    ['ADMIN_API_KEY', { ADMIN_API_KEY: `${SECRET}${'é'.repeat(40)}` }],
    ['ADMIN_API_KEY', { ADMIN_API_KEY: undefined }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: undefined }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: SECRET }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: `id:${Buffer.from(SECRET).toString('base64')}` }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: key('id', randomBytes(16)) }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: key('id', randomBytes(33)) }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: key('id', Buffer.alloc(32)) }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: key('id', Buffer.from('abcd'.repeat(8))) }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: `${key('id')},${key('id')}` }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: `${COMPLETE.ENCRYPTION_KEYS},other:${COMPLETE.ENCRYPTION_KEYS.slice(6)}` }],
    ['ENCRYPTION_KEYS', { ENCRYPTION_KEYS: `${key('id')},` }],
    ['AMLYZE_BASE_URL', { AMLYZE_BASE_URL: undefined }],
    ['AMLYZE_BASE_URL', { AMLYZE_BASE_URL: `https://user:${SECRET}@amlyze.example` }],
    ['AMLYZE_BASE_URL', { AMLYZE_BASE_URL: `http://amlyze.example/${SECRET}` }],
    ['AMLYZE_BASE_URL', { AMLYZE_BASE_URL: `https://127.0.0.1/${SECRET}` }],
    ['AMLYZE_BASE_URL', { AMLYZE_BASE_URL: SECRET }],
    ['AMLYZE_TOKEN', { AMLYZE_TOKEN: undefined }],
    ['AMLYZE_TOKEN', { AMLYZE_TOKEN: `${SECRET} with blank` }],
    ['AMLYZE_TOKEN', { AMLYZE_TOKEN: SECRET, AMLYZE_TOKEN_FILE: TOKEN_FILE }],
    ['AMLYZE_TOKEN_FILE', { AMLYZE_TOKEN: undefined, AMLYZE_TOKEN_FILE: `/absent/${SECRET}` }],
    ['AMLYZE_REQUESTER', { AMLYZE_REQUESTER: SECRET.repeat(20) }],
    ['AMLYZE_REQUESTER', { AMLYZE_REQUESTER: '🏦'.repeat(51) }],
    ['AMLYZE_BUSINESS_UNIT', { AMLYZE_BUSINESS_UNIT: '🏦'.repeat(128) }],
    ['AMLYZE_BUSINESS_UNIT', { AMLYZE_BUSINESS_UNIT: `${SECRET}\n1` }],
    ['AMLYZE_TENANT_HEADER', { AMLYZE_TENANT_HEADER: SECRET }],
    ['AMLYZE_TENANT_HEADER', { AMLYZE_TENANT_HEADER: `Authorization: ${SECRET}` }],
    ['AMLYZE_TENANT_HEADER', { AMLYZE_TENANT_HEADER: `user-agent: ${SECRET}` }],
    ['AMLYZE_BATCH_SIZE', { AMLYZE_BATCH_SIZE: '0' }],
    ['AMLYZE_CONCURRENCY', { AMLYZE_CONCURRENCY: '1.5' }],
    ['AMLYZE_TIMEOUT_MS', { AMLYZE_TIMEOUT_MS: '30s' }],
    ['AMLYZE_MAX_ATTEMPTS', { AMLYZE_MAX_ATTEMPTS: SECRET }],
    ['AMLYZE_BATCH_ENDPOINT', { AMLYZE_BATCH_ENDPOINT: `/${SECRET}` }],
    ['AMLYZE_SINGLE_ENDPOINT', { AMLYZE_SINGLE_ENDPOINT: `DELETE /${SECRET}` }],
    ['AMLYZE_SINGLE_ENDPOINT', { AMLYZE_SINGLE_ENDPOINT: `PUT https://${SECRET}.example/` }],
    ['COMMUNICATION_NUMBER_PREFIX', { COMMUNICATION_NUMBER_PREFIX: `${SECRET} ` + 'x' }],
    ['SYNC_CRON', { SYNC_CRON: '0 6 * *' }],
    ['SYNC_CRON', { SYNC_CRON: '61 * * * *' }],
    ['SYNC_CRON', { SYNC_CRON: '0 0 30 2 *' }],
    ['SYNC_CRON', { SYNC_CRON: '@daily' }],
    ['SYNC_CONCURRENCY', { SYNC_CONCURRENCY: '0x10' }],
    ['EQUIVALENT_CURRENCY', { EQUIVALENT_CURRENCY: 'XXX' }],
    ['EQUIVALENT_CURRENCY', { EQUIVALENT_CURRENCY: 'eur' }],
    ['EQUIVALENT_CURRENCY', { EQUIVALENT_CURRENCY: 'QQQ' }],
    ['EQUIVALENT_CURRENCY', { EQUIVALENT_CURRENCY: 'XDR' }],
    ['LEASE_SECONDS', { LEASE_SECONDS: '0' }],
    ['POLL_INTERVAL_MS', { POLL_INTERVAL_MS: '' + SECRET }],
    ['ALLOW_PRIVATE_ADDRESSES', { ALLOW_PRIVATE_ADDRESSES: 'yes' }],
    ['LOG_LEVEL', { LOG_LEVEL: SECRET }],
    ['METRICS_PUBLIC', { METRICS_PUBLIC: '1' }],
    ['OPERATIONS_IMPORT', { OPERATIONS_IMPORT: 'true' }],
    ['OPERATIONS_IMPORTS', { OPERATIONS_IMPORTS: SECRET }],
    ['OPERATIONS_DELIVERY', { OPERATIONS_DELIVERY: SECRET }],
    ['OPERATIONS_UNKNOWN_CODES', { OPERATIONS_UNKNOWN_CODES: SECRET }],
    ['OPERATIONS_COUNTRIES', { OPERATIONS_COUNTRIES: 'LT,,EE' }],
    ['OPERATIONS_COUNTRIES', { OPERATIONS_COUNTRIES: 'iso' }],
    ['OPERATIONS_COUNTRIES', { OPERATIONS_COUNTRIES: 'ISO,Kosovo' }],
    ['OPERATIONS_COUNTRIES', { OPERATIONS_COUNTRIES: 'ISO,XK,XK' }],
    ['OPERATIONS_CURRENCIES', { OPERATIONS_CURRENCIES: 'Iso' }],
    ['OPERATIONS_CURRENCIES', { OPERATIONS_CURRENCIES: 'ISO,Ether' }],
    ['OPERATIONS_RISK_CATEGORIES', { OPERATIONS_RISK_CATEGORIES: 'OP_A,OP_A' }],
    ['CARD_DATA', { CARD_DATA: SECRET }],
    ['CARD_DATA_KEYS', { CARD_DATA: 'encrypt', CARD_DATA_KEYS: SECRET }],
    ['CARD_DATA_KEYS', { CARD_DATA_KEYS: COMPLETE.ENCRYPTION_KEYS.replace('first', 'other') }],
    ['CARD_DATA_RETENTION', { CARD_DATA_RETENTION: '24' }],
    ['CARD_DATA_RETENTION', { CARD_DATA_RETENTION: '0h' }],
    ['CARD_DATA_RETENTION', { CARD_DATA_RETENTION: '31d' }],
    ['AMLYZE_OPERATION_ENDPOINT', { AMLYZE_OPERATION_ENDPOINT: `GET /${SECRET}` }],
    ['NODE_TLS_REJECT_UNAUTHORIZED', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
    ['AMLYZE_BATCHSIZE', { AMLYZE_BATCHSIZE: SECRET }],
    ['SYNC_CRONTAB', { SYNC_CRONTAB: SECRET }],
    ['COMMUNICATION_NUMBER', { COMMUNICATION_NUMBER: SECRET }],
  ])('refuses a faulty %s (%j) with one line that names it and never its value', (name, changes) => {
    const faults = faultsOf(changes);
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^${name}: [a-zA-Z]`))]);
    for (const value of Object.values(changes)) {
      if (value !== undefined && value.length > 3) expect(faults[0]).not.toContain(value);
    }
    expect(faults[0]).not.toContain(SECRET);
  });

  it('says of a list of codes what is expected and how a code of your own is added', () => {
    expect(faultsOf({ OPERATIONS_COUNTRIES: 'iso', OPERATIONS_CURRENCIES: 'all of them' })).toEqual([
      'OPERATIONS_COUNTRIES: must be ISO (all of ISO 3166-1) or codes of two capital letters, separated by commas; to add a code of your own write ISO,XK',
      'OPERATIONS_CURRENCIES: must be ISO (all of ISO 4217) or codes of 3 to 10 capital letters and digits, separated by commas; to add a code of your own write ISO,ETH',
    ]);
  });

  it.each([
    ['DATABSE_URL', 'DATABASE_URL'],
    ['LEASE_SECOND', 'LEASE_SECONDS'],
    ['POLL_INTERVALL_MS', 'POLL_INTERVAL_MS'],
    ['AMLYZE_BATCHSIZE', 'AMLYZE_BATCH_SIZE'],
    ['database_url', 'DATABASE_URL'],
  ])('takes %s for a misspelt %s', (misspelt, meant) => {
    expect(faultsOf({ [misspelt]: SECRET, [meant]: undefined })).toContain(
      `${misspelt}: unknown variable; write ${meant}; if it is somebody else's, take it out of the gateway's environment`,
    );
  });

  it('says that only the token comes from a file, and what a variable alone takes', () => {
    expect(faultsOf({ DATABASE_URL_FILE: '/run/secrets/url', OPERATIONS_IMPORT: 'false' })).toEqual([
      'DATABASE_URL_FILE: unknown variable; only AMLYZE_TOKEN can come from a file; write DATABASE_URL',
      'OPERATIONS_IMPORT: must be without-monitoring or left out',
    ]);
  });

  it("leaves somebody else's variables alone, also one like ours where ours is given", () => {
    expect(faultsOf({ XDG_DATA_DIRS: '/usr/share', HOSTNAME: 'h', PGPORT: '5432', LC_ALL: 'C' })).toEqual([]);
    expect(faultsOf({ LOG_LEVEL: 'info', LOGLEVEL: 'WARN' })).toEqual([]);
  });

  it('names all faults at once, in one line each', () => {
    const faults = faultsOf({ PORT: 'x', AMLYZE_BASE_URL: undefined, ADMIN_API_KEY: undefined, AMLYZE_TYPO: '1' });
    expect(faults.map((line) => line.split(':')[0]).sort()).toEqual([
      'ADMIN_API_KEY',
      'AMLYZE_BASE_URL',
      'AMLYZE_TYPO',
      'PORT',
    ]);
  });

  it('demands card keys where card data is encrypted into a given database', () => {
    expect(faultsOf({ CARD_DATA: 'encrypt' })).toEqual([
      'CARD_DATA_KEYS: required with CARD_DATA=encrypt and DATABASE_URL',
    ]);
    expect(faultsOf({ CARD_DATA: 'encrypt', CARD_DATA_KEYS: key('card') })).toEqual([]);
  });

  it('permits http and loopback for AMLYZE only with ALLOW_PRIVATE_ADDRESSES', () => {
    const local = { AMLYZE_BASE_URL: 'http://127.0.0.1:4000' };
    expect(faultsOf(local)).toHaveLength(1);
    expect(faultsOf({ ...local, ALLOW_PRIVATE_ADDRESSES: 'true' })).toEqual([]);
  });

  it('verifies the database certificate under every sslmode that asks for TLS', () => {
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      const { databaseUrl } = loadEnvironment({ ...COMPLETE, DATABASE_URL: `postgres://u@h/d?sslmode=${mode}` });
      expect(databaseUrl).toBe('postgres://u@h/d?sslmode=verify-full');
    }
  });

  it.each([
    'sslmod=require',
    'options=-c%20statement_timeout%3D0',
    'host=elsewhere',
    'sslmode=disable&sslmode=require',
  ])('refuses the parameter of DATABASE_URL that it would not heed, or that would undo its own: %s', (query) => {
    expect(faultsOf({ DATABASE_URL: `postgres://u:${SECRET}@h/d?${query}` })).toEqual([
      'DATABASE_URL: must have no parameters but sslmode, sslrootcert, sslcert, sslkey, each once',
    ]);
  });

  it.each(['a/b', 'a#b', 'a?b', 'a%b', 'a%zz'])('says how a password like %j is written', (password) => {
    expect(faultsOf({ DATABASE_URL: `postgres://u:${password}@h/d` })).toEqual([
      expect.stringContaining('of a password are written %2F'),
    ]);
  });

  it('looks at every file that DATABASE_URL names, and verifies the server, also where no sslmode is given', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://u@h/d?sslcert=/absent&sslkey=/absent' })).toEqual([
      'DATABASE_URL: its sslcert file cannot be read',
    ]);
    const { databaseUrl = '' } = loadEnvironment({
      ...COMPLETE,
      DATABASE_URL: `postgres://u@h/d?sslcert=${__filename}&sslkey=${__filename}`,
    });
    expect(new URL(databaseUrl).searchParams.get('sslmode')).toBe('verify-full');
  });

  it.each([
    ['tok en', 'must be printable ASCII without blanks'],
    ['one\ntwo', 'must be printable ASCII without blanks'],
  ])('refuses a token file that holds no token, %j', (content, problem) => {
    const file = join(folder, 'no-token');
    writeFileSync(file, content);
    expect(faultsOf({ AMLYZE_TOKEN: undefined, AMLYZE_TOKEN_FILE: file })).toEqual([
      `AMLYZE_TOKEN_FILE: names a file that holds no token: it ${problem}`,
    ]);
  });

  it('does not wait for what is no regular file', () => {
    expect(faultsOf({ AMLYZE_TOKEN: undefined, AMLYZE_TOKEN_FILE: '/dev/zero' })).toEqual([
      'AMLYZE_TOKEN_FILE: names a file that cannot be read',
    ]);
  });

  it.each(['Expect: 100-continue', 'Upgrade: h2c', 'te: trailers', 'Authorization: x'])(
    'refuses the tenant header %j, which no call could carry',
    (header) => {
      expect(faultsOf({ AMLYZE_TENANT_HEADER: header })).toEqual([
        'AMLYZE_TENANT_HEADER: names a header that the gateway or HTTP itself sets',
      ]);
    },
  );

  it('reads a token file that exists and holds something', () => {
    const file = join(folder, 'token');
    writeFileSync(file, '');
    expect(faultsOf({ AMLYZE_TOKEN: undefined, AMLYZE_TOKEN_FILE: file })).toEqual([
      'AMLYZE_TOKEN_FILE: names a file that is empty',
    ]);
    writeFileSync(file, 'abc\n');
    expect(faultsOf({ AMLYZE_TOKEN: undefined, AMLYZE_TOKEN_FILE: file })).toEqual([]);
  });

  it('makes admin, encryption and card keys once in DATA_DIR without DATABASE_URL, for the owner only', () => {
    const dataDir = join(folder, 'deep', 'data');
    const env = { AMLYZE_BASE_URL: COMPLETE.AMLYZE_BASE_URL, AMLYZE_TOKEN: 't', DATA_DIR: dataDir };
    const first = loadEnvironment(env);
    const second = loadEnvironment(env);
    expect([first.adminApiKeyIsNew, second.adminApiKeyIsNew]).toEqual([true, false]);
    expect(first.adminApiKey.length).toBeGreaterThanOrEqual(32);
    expect(second.adminApiKey).toBe(first.adminApiKey);
    expect(second.encryptionKeys).toEqual(first.encryptionKeys);
    expect(second.cardDataKeys).toEqual(first.cardDataKeys);
    expect(first.cardDataKeys?.[0]?.key).not.toEqual(first.encryptionKeys[0]?.key);
    expect(first.encryptionKeys[0]?.key).toHaveLength(32);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    for (const name of ['admin-api-key', 'encryption-keys', 'card-data-keys']) {
      expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
    }
  });

  it('refuses a damaged generated key instead of making a new one', () => {
    const dataDir = join(folder, 'damaged');
    const env = { AMLYZE_BASE_URL: COMPLETE.AMLYZE_BASE_URL, AMLYZE_TOKEN: 't', DATA_DIR: dataDir };
    loadEnvironment(env);
    writeFileSync(join(dataDir, 'encryption-keys'), '');
    expect(() => loadEnvironment(env)).toThrow(/^ENCRYPTION_KEYS: the generated one in DATA_DIR must be/);
  });
});

describe('.env.example', () => {
  const lines = readFileSync(join(__dirname, '..', '..', '.env.example'), 'utf8').split('\n');
  const shown = new Map(
    lines.flatMap((line) => {
      const [, name, value] = /^#? ?([A-Z][A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );

  it('shows every variable once and no other', () => {
    expect([...shown.keys()].sort()).toEqual([...declaredVariables().values()].sort());
  });

  it('shows the defaults that the class has', () => {
    const texts = Object.fromEntries([...shown].filter(([, value]) => value !== ''));
    const required = Object.fromEntries(Object.entries(COMPLETE).filter(([name]) => texts[name] === undefined));
    expect(loadEnvironment({ ...required, ...texts })).toEqual(loadEnvironment({ ...COMPLETE, ...required }));
  });

  it('holds no secret', () => {
    for (const name of ['ADMIN_API_KEY', 'ENCRYPTION_KEYS', 'CARD_DATA_KEYS', 'AMLYZE_TOKEN', 'DATABASE_URL'])
      expect(shown.get(name)).toBe('');
  });
});
