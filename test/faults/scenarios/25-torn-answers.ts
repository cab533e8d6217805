import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { connect } from '../rig/connect';
import { accountNumber, scripted, type LoadAccount } from '../rig/workload';
import { assertAllAccepted, count } from './looks';
import type { Scenario } from './scenario';

const bodyOf = (account: string, amount: string): string =>
  `{"account":{"accountNumber":"${account}"},"balances":[{"amount":${amount},"currency":"EUR","balanceType":"available"}]}`;

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, 'Connection: close', '', ''].join('\r\n');
const JSON_TYPE = 'Content-Type: application/json';
const long = (body: string, more = 0): string => `Content-Length: ${Buffer.byteLength(body) + more}`;

/** Answers that no HTTP library would write, by what is wrong with them; `read` where the body is whole and may be taken. */
const TORN: readonly { wrong: string; write: (body: string) => string; may: 'refuse' | 'read' | 'either' }[] = [
  { wrong: 'nothing', may: 'read', write: (body) => head(JSON_TYPE, long(body)) + body },
  {
    wrong: 'body shorter than announced',
    may: 'refuse',
    write: (body) => head(JSON_TYPE, long(body)) + body.slice(0, -9),
  },
  { wrong: 'body longer than announced', may: 'refuse', write: (body) => head(JSON_TYPE, long(body, -9)) + body },
  { wrong: 'two lengths', may: 'refuse', write: (body) => head(JSON_TYPE, long(body), long(body, -9)) + body },
  {
    wrong: 'length and chunks',
    may: 'either',
    write: (body) => head(JSON_TYPE, long(body), 'Transfer-Encoding: chunked') + chunk(body),
  },
  {
    wrong: 'chunk that never ends',
    may: 'refuse',
    write: (body) => head(JSON_TYPE, 'Transfer-Encoding: chunked') + chunk(body).slice(0, -9),
  },
  {
    wrong: 'chunk of a wrong size',
    may: 'refuse',
    write: (body) => head(JSON_TYPE, 'Transfer-Encoding: chunked') + `zz\r\n${body}\r\n0\r\n\r\n`,
  },
  { wrong: 'no length, closed early', may: 'refuse', write: (body) => head(JSON_TYPE) + body.slice(0, -9) },
  {
    wrong: 'two content types',
    may: 'either',
    write: (body) => head(JSON_TYPE, 'Content-Type: text/html', long(body)) + body,
  },
  {
    wrong: 'the same content type twice',
    may: 'either',
    write: (body) => head(JSON_TYPE, JSON_TYPE, long(body)) + body,
  },
  { wrong: 'two bodies', may: 'refuse', write: (body) => head(JSON_TYPE, long(body + body)) + body + body },
  { wrong: 'half a status line', may: 'refuse', write: () => 'HTTP/1.1 2' },
];

function chunk(body: string): string {
  return `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

/** A bank that writes the torn answer of the account that it is asked about. */
async function tornBank(accounts: readonly LoadAccount[]): Promise<{ url: string; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      const asked = /\/accounts\/(\d+)\/balances/.exec(piece.toString('latin1'))?.[1];
      const index = accounts.findIndex(({ providerAccountId }) => providerAccountId === asked);
      const [account, torn] = [accounts[index], TORN[index]];
      if (!account || !torn) return void socket.destroy();
      socket.end(torn.write(bodyOf(account.providerAccountId, account.value ?? '10.50')));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}`, server };
}

export const tornAnswers: Scenario = {
  id: 25,
  title: 'answers in single bytes, cut, of a wrong length, with headers twice',
  injected: `slicer of 1 byte in both directions to a bank and to AMLYZE; ${TORN.length} malformed answers from a raw socket`,
  expected: 'parsed as a whole or refused with a reason, never half; the sliced ones all accepted',
  accounts: { full: 24, reduced: 8 },
  world: { env: { AMLYZE_BATCH_SIZE: '10' } },

  async inject({ world, accounts: many }) {
    const a = await world.startReplica();
    await world.register(a, 'onesingleview', many);
    for (const peer of ['onesingleview', 'amlyze'] as const)
      world.wire[peer].set(
        { kind: 'slicer', bytes: 1, direction: 'up' },
        { kind: 'slicer', bytes: 1, direction: 'down' },
      );
    await world.resync(a);
    await world.settled();

    const accounts = TORN.map(({ may }, n) => ({
      ...scripted('mypos', n + 1, `1${n}234.50`),
      ...(may === 'refuse' ? { value: null } : {}),
    }));
    const { url, server } = await tornBank(accounts);
    // Two reads a day: a cut answer is not asked for again with the last one.
    const wish = {
      name: 'torn',
      baseUrl: url,
      settings: { timeoutMs: 2_000, breakerFailures: 1_000 },
      consent: { frequencyPerDay: 2 },
    };
    world.registered.mypos = await connect(world, a, 'mypos', wish);
    await world.registerAccounts(a, 'mypos', accounts);
    await world.resync(a, { connectionId: world.registered.mypos.connectionId });
    await world.settled();
    server.close();
    await world.heal(20_000);
  },

  async expect({ world, accounts: many }) {
    const rows = await world.query<{ account: string; outcome: string; reason: string }>(
      `select a.provider_account_id as account, b.outcome, b.reason from balance_reading b join account a on a.id = b.account_id
       where a.account_ext_id like 'MP%'`,
    );
    for (const [index, { wrong, may }] of TORN.entries()) {
      const found = rows.filter(({ account }) => account === accountNumber('mypos', index + 1));
      assert.equal(found.length, 1, `${wrong}: one reading`);
      const outcome = found[0]?.outcome ?? '';
      const right = may === 'either' || (may === 'read') === (outcome === 'READ');
      assert(right, `${wrong}: ${outcome} (${found[0]?.reason})`);
      assert(['READ', 'INVALID_PAYLOAD', 'BANK_UNAVAILABLE'].includes(outcome), `${wrong}: ${outcome}`);
    }
    const read = rows.filter(({ outcome }) => outcome === 'READ').length;
    await assertAllAccepted(world, many + read);
    return { sliced: many, torn: TORN.length, refused: await count(world, `balance_reading where outcome <> 'READ'`) };
  },
};
