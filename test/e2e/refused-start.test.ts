import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { buildGateway } from '../faults/rig/build';
import { ADMIN_KEY } from '../support/admin-app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

describe('a start that is refused', () => {
  let testDatabase: TestDatabase;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
  });
  afterAll(() => testDatabase.drop());

  /** What a gateway with these variables prints until it ends, and its exit code. */
  async function start(variables: NodeJS.ProcessEnv): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const env = {
      PATH: process.env['PATH'],
      PORT: '0',
      DATABASE_URL: testDatabase.url,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      AMLYZE_BASE_URL: 'http://127.0.0.1:9',
      AMLYZE_TOKEN: 'token-of-the-test',
      ALLOW_PRIVATE_ADDRESSES: 'true',
      SYNC_CRON: '0 0 29 2 *',
      ...variables,
    };
    const child = spawn(process.execPath, [join(buildGateway('swc').dist, 'main.js')], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
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
});
