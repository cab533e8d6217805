import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SANDBOX_MYPOS, startAmlyzeSimulator, startMyposSimulator } from '../../../src/simulators';
import { FAULT_KINDS, FAULTS } from '../../../src/simulators/faults';
import { ask, readMypos, record, type Running, running, sendBatch } from './support';

const account = (accountNumber: string) => ({ accountNumber, balances: [{ amount: '1.00', currency: 'EUR' }] });

describe('the control interface', () => {
  let mypos: Running;
  let url: string;
  beforeAll(async () => {
    mypos = await running(startMyposSimulator());
    url = mypos.simulator.url;
  });
  beforeEach(() => mypos.control.reset());
  afterAll(() => mypos.simulator.close());

  it('shows one access log entry per request, with header names and never a value of them', async () => {
    await mypos.control.putAccounts([account('1')]);
    await readMypos(url, '1', {
      'X-Request-ID': 'a552babc-7081-44e7-9361-61eb17e0bfd9',
      'PSU-IP-Address': '192.0.2.1',
    });
    await readMypos(url, '2');
    const [first, second] = await mypos.control.accessLog();
    expect(first).toMatchObject({
      no: 0,
      method: 'GET',
      path: '/v1/accounts/1/balances',
      status: 200,
      account: '1',
      requestId: 'a552babc-7081-44e7-9361-61eb17e0bfd9',
      durationMs: expect.any(Number) as number,
    });
    expect(first?.headerNames.split(',')).toEqual(
      expect.arrayContaining(['x-request-id', 'consent-id', 'authorization', 'api-key', 'psu-ip-address']),
    );
    expect(second).toMatchObject({ no: 1, status: 404, note: 'RESOURCE_UNKNOWN' });
    const page = await ask(`${url}/_sim/access-log`);
    expect(page.text).not.toContain(SANDBOX_MYPOS.accessToken);
    expect(page.text).not.toContain(SANDBOX_MYPOS.apiKey);
  });

  it('pages and filters the access log, control calls not among it', async () => {
    await mypos.control.putAccounts([account('1')]);
    for (const number of ['1', '2', '1', '2', '1']) await readMypos(url, number);
    expect(await mypos.control.call('GET', 'access-log?offset=3&limit=1')).toMatchObject({
      total: 5,
      nextOffset: 4,
      items: [{ no: 3, account: '2' }],
    });
    expect((await mypos.control.accessLog({ account: '1' })).map((entry) => entry.no)).toEqual([0, 2, 4]);
    expect(await mypos.control.accessLog({ status: 404 })).toHaveLength(2);
    const since = async (time: string) => (await mypos.control.call('GET', `access-log?since=${time}`))['items'];
    expect(await since('2020-01-01T00:00:00Z')).toHaveLength(5);
    expect(await since('2999-01-01T00:00:00Z')).toHaveLength(0);
    await expect(since('soon')).rejects.toThrow('since must be a date and time');
  });

  it('counts requests and answers by status', async () => {
    await mypos.control.putAccounts([account('1')]);
    await readMypos(url, '1');
    await readMypos(url, '2');
    expect(await mypos.control.stats()).toMatchObject({
      name: 'mypos',
      requests: 2,
      statuses: { 200: 1, 404: 1 },
      accounts: 1,
      balanceReads: 1,
    });
  });

  it('replaces all accounts at PUT, adds at POST, merges at PATCH', async () => {
    await mypos.control.putAccounts([account('1'), account('2')]);
    await mypos.control.call('PUT', 'accounts', [account('3')]);
    expect((await mypos.control.stats())['accounts']).toBe(1);
    await mypos.control.call('POST', 'accounts', account('4'));
    await mypos.control.changeAccounts([{ accountNumber: '3', balances: [{ amount: '-7', currency: 'GBP' }] }]);
    expect((await readMypos(url, '3')).text).toContain('"amount":-7,"currency":"GBP"');
    await expect(mypos.control.changeAccounts([{ accountNumber: '9' }])).rejects.toThrow('no account 9');
  });

  it('forgets everything at reset', async () => {
    await mypos.control.putAccounts([account('1')]);
    await mypos.control.addFault({ do: { kind: 'html' } });
    await mypos.control.settings({ readsPerDay: 1, clockOffsetMs: 5 });
    await mypos.control.call('POST', 'tokens', { token: SANDBOX_MYPOS.accessToken, revoked: true });
    await readMypos(url, '1');
    await mypos.control.reset();
    expect(await mypos.control.stats()).toMatchObject({ requests: 0, accounts: 0, statuses: {} });
    expect(await mypos.control.call('GET', 'settings')).toEqual({ readsPerDay: null, clockOffsetMs: 0 });
    await mypos.control.putAccounts([account('1')]);
    expect((await readMypos(url, '1')).status).toBe(200);
  });

  it('lists its rules with how often they fired, and removes one or all', async () => {
    const answer = await mypos.control.call('POST', 'faults', [
      { do: { kind: 'status', status: 418 } },
      { match: { account: '1' }, do: { kind: 'html' } },
    ]);
    const [first] = answer['rules'] as { id: number }[];
    await readMypos(url, '2');
    const listed = await mypos.control.call('GET', 'faults');
    expect(listed['rules']).toMatchObject([{ fired: 1 }, { fired: 0 }]);
    expect(await mypos.control.call('DELETE', `faults?id=${String(first?.id)}`)).toEqual({ removed: 1 });
    expect(await mypos.control.call('DELETE', 'faults')).toEqual({ removed: 1 });
  });

  it.each([
    [{ do: { kind: 'explode' } }, 'unknown kind explode'],
    [{ do: { kind: 'latency' } }, 'latency.ms must be of type number'],
    [{ do: { kind: 'latency', ms: '5' } }, 'latency.ms must be of type number'],
    [{ do: { kind: 'latency', ms: 5, mss: 5 } }, 'latency has no field mss'],
    [{ match: { acount: '1' }, do: { kind: 'html' } }, 'match has no field acount'],
    [{ match: { times: -1 }, do: { kind: 'html' } }, 'match.times has the wrong type'],
    [{ match: { probability: 2 }, do: { kind: 'html' } }, 'match.probability has the wrong type'],
    [{ do: { kind: 'status', status: 500, headers: { a: 1 } } }, 'status.headers must be of type headers?'],
    [{}, 'a rule is {match?: {…}, do: {kind, …}}'],
  ])('refuses the rule %j: %s, and takes none beside it', async (rule, message) => {
    const rules = [{ do: { kind: 'html' } }, rule];
    await expect(mypos.control.call('POST', 'faults', { rules })).rejects.toThrow(message);
    expect((await mypos.control.call('GET', 'faults'))['rules']).toEqual([]);
  });

  it('refuses what it cannot read with a sentence', async () => {
    const post = (path: string, body: string) => ask(`${url}/_sim/${path}`, { method: 'POST', body });
    expect((await post('accounts', '{')).json).toEqual({ error: 'the body is no JSON' });
    expect((await post('accounts', '[{}]')).json).toEqual({ error: 'accounts.accountNumber must be a text' });
    expect((await post('settings', '{"readsPerDay":"2"}')).status).toBe(400);
    expect((await post('capacity', '{"concurrent":0,"msPerCall":1}')).status).toBe(400);
    expect((await post('nothing', '{}')).status).toBe(404);
  });

  it('serves no more calls at a time than its capacity allows', async () => {
    await mypos.control.putAccounts([account('1')]);
    await mypos.control.call('POST', 'capacity', { concurrent: 2, msPerCall: 40 });
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 6 }, () => readMypos(url, '1')));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(115);
    await mypos.control.call('DELETE', 'capacity');
    expect((await readMypos(url, '1')).status).toBe(200);
  });

  it('takes more time for a batch of more items where it is told to', async () => {
    const amlyze = await running(startAmlyzeSimulator());
    try {
      await amlyze.control.putAccounts([{ accountExtId: 'A-1' }]);
      await amlyze.control.call('POST', 'capacity', { concurrent: 1, msPerCall: 0, msPerItem: 20 });
      const startedAt = performance.now();
      const items = ['1', '2', '3', '4'].map((number) => record(number));
      expect((await sendBatch(amlyze.simulator.url, items)).status).toBe(200);
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(75);
      expect(await amlyze.control.accessLog()).toMatchObject([{ items: 4, account: 'A-1' }]);
    } finally {
      await amlyze.simulator.close();
    }
  });
});

describe('a simulator', () => {
  it('fails to start where its port is taken', async () => {
    const { simulator } = await running(startMyposSimulator());
    await expect(startMyposSimulator({ port: simulator.port })).rejects.toThrow('EADDRINUSE');
    await simulator.close();
  });

  it('is described in the documentation with every fault it knows', async () => {
    const page = await readFile(join(__dirname, '../../../docs/simulators.md'), 'utf8');
    const missing = FAULT_KINDS.filter(
      (kind) => !new RegExp(`^\\| \`${kind}\` +\\|`, 'm').test(page) || !page.includes(FAULTS[kind].says),
    );
    expect(missing).toEqual([]);
  });
});

describe('a simulator as a process', () => {
  const start = (...args: string[]) => {
    // Runs the sources through the compiler that the tests use, so that no build is needed.
    const script = join(__dirname, 'run-main.cjs');
    return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  };

  it.each(['mypos', 'onesingleview', 'amlyze'])(
    '%s prints one JSON line once it listens and ends on SIGTERM',
    async (name) => {
      const child = start(name, '--port', '0');
      const line = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data))));
      const printed = JSON.parse(line) as { name: string; url: string };
      expect(printed).toEqual({ name, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string });
      expect((await ask(`${printed.url}/_sim/stats`)).json).toMatchObject({ name, requests: 0 });
      const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    },
  );

  it('says how it is used where it is called wrongly', async () => {
    const child = start('nobody');
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    const said = await new Promise<string>((resolve) => child.stderr.once('data', (data) => resolve(String(data))));
    expect(said).toContain('usage: main.js mypos|onesingleview|amlyze');
    expect(await ended).toBe(2);
  });
});
