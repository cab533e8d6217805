import { once } from 'node:events';
import { createServer } from 'node:net';
import { spawnBuiltGateway } from '../support/built-gateway';
import { OutboxRows } from '../support/outbox-rows';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

describe('a start that is refused', () => {
  let testDatabase: TestDatabase;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
  });
  afterAll(() => testDatabase.drop());

  /** What a gateway with these variables prints until it ends, and its exit code. */
  async function start(variables: NodeJS.ProcessEnv): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const { process: child, printed } = spawnBuiltGateway(testDatabase.url, { variables });
    const [code] = await once(child, 'close');
    return { code, ...printed };
  }

  /** The log before it is JSON, line by line. */
  function expectJsonLines(text: string): void {
    for (const line of text.split('\n').filter((each) => each !== '')) expect(() => JSON.parse(line)).not.toThrow();
  }

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    [
      'a faulty environment',
      { AMLYZE_BATCH_SIZE: 'x', AMLYZE_TYPO: '1' },
      /^The gateway does not start\.\nAMLYZE_TYPO: .+\nAMLYZE_BATCH_SIZE: .+\n$/,
    ],
    [
      'a database that is not there',
      { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/d' },
      /^The gateway does not start\.\nDATABASE_URL: the database cannot be reached .+\n$/,
    ],
    [
      'an address of another machine',
      { HOST: '192.0.2.1' },
      /^The gateway does not start\.\nHOST: 192\.0\.2\.1 is no address of this machine\n$/,
    ],
  ])('by %s ends with 1 and a line for each variable, without a stack', async (_what, variables, words) => {
    const { code, stdout, stderr } = await start(variables);
    expect(stderr).toMatch(words);
    expect(code).toBe(1);
    expectJsonLines(stdout);
  });

  it('by a password that DATABASE_URL lacks says so, and ends with 1', async () => {
    const { code, stderr } = await start({
      DATABASE_URL: Object.assign(new URL(testDatabase.url), { password: '' }).href,
    });
    expect(stderr).toBe(
      'The gateway does not start.\nDATABASE_URL: the database cannot be reached: the server asks for a password, and the URL has none\n',
    );
    expect(code).toBe(1);
  });

  it('by a port that somebody else has names it, and ends with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { code, stdout, stderr } = await start({ PORT: String(port) });
    other.close();
    expect(stderr).toBe(
      `The gateway does not start.\nPORT: ${port} is in use by another process; stop it or choose another\n`,
    );
    expect(code).toBe(1);
    expectJsonLines(stdout);
  });

  it('by a database that fails behind the migrations says so in one line, and ends with 1', async () => {
    const { database, url } = testDatabase;
    const role = `narrow_${new URL(url).pathname.slice(1)}`;
    await database.query(`create role "${role}" login password 'narrow' connection limit 1`);
    await database.query(`grant all on all tables in schema public to "${role}"`);
    const narrow = Object.assign(new URL(url), { username: role, password: 'narrow' });
    const { code, stdout, stderr } = await start({ DATABASE_URL: narrow.toString() });
    await database.query(`drop owned by "${role}"`);
    await database.query(`drop role "${role}"`);
    expect(stderr).toMatch(
      /^The gateway does not start\.\nDATABASE_URL: the database failed during the start \(full: too many connections .+\)\n$/,
    );
    expect(code).toBe(1);
    expect(stdout).not.toContain('No Cron Job');
  });

  it('by a business unit that makes two accounts one at AMLYZE names them, reads and sends nothing, and says no more', async () => {
    const { database } = testDatabase;
    const rows = await OutboxRows.open(database);
    const [first, second] = [...(await rows.accounts(1, 'A')), ...(await rows.accounts(1, 'B'))];
    await database.query(`update account set account_ext_id = 'A1', business_unit = 'LT' where id = $1`, [second]);
    const { code, stdout, stderr } = await start({ AMLYZE_BUSINESS_UNIT: 'LT', SYNC_CRON: '* * * * * *' });
    expect(stderr).toMatch(/^The gateway does not start\.\nAMLYZE_BUSINESS_UNIT: makes one account at AMLYZE of .+\n$/);
    expect(stderr).toContain(`(${first} and ${second})`);
    expect(code).toBe(1);
    expect(await database.query('select from sync_run')).toEqual([]);
    expect(stdout).not.toMatch(/"level":"(warn|error)"/);
  });
});
