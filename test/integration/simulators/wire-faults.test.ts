import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import {
  type FaultAction,
  type FaultMatch,
  SANDBOX_ONESINGLEVIEW,
  startAmlyzeSimulator,
  startMyposSimulator,
  startOneSingleViewSimulator,
} from '../../../src/simulators';
import { eventually } from '../../support/eventually';
import {
  type Answered,
  balanceQuestion,
  oneSingleViewToken,
  readMypos,
  readOneSingleView,
  record,
  type Running,
  running,
  sendBatch,
  sendSingle,
} from './support';

interface Subject extends Running {
  /** one good request */
  send(): Promise<Answered>;
  /** how many such requests were worked on so far */
  worked(): Promise<unknown>;
}

async function mypos(): Promise<Subject> {
  const base = await running(startMyposSimulator());
  await base.control.putAccounts([{ accountNumber: '1', balances: [{ amount: '4.200', currency: 'PLN' }] }]);
  const worked = async () => (await base.control.stats())['balanceReads'];
  return { ...base, worked, send: () => readMypos(base.simulator.url, '1') };
}

async function oneSingleView(): Promise<Subject> {
  const base = await running(startOneSingleViewSimulator());
  const { bankCode } = SANDBOX_ONESINGLEVIEW;
  const balances = [{ amount: '1.00', currency: 'SAR', type: 'ClosingBooked' }];
  await base.control.putAccounts([{ bankCode, accountId: '1', balances }]);
  const token = await oneSingleViewToken(base.simulator.url);
  const worked = async () => (await base.control.stats())['balanceReads'];
  return { ...base, worked, send: () => readOneSingleView(base.simulator.url, token, balanceQuestion('1')) };
}

async function amlyze(): Promise<Subject> {
  const base = await running(startAmlyzeSimulator());
  await base.control.putAccounts([{ accountExtId: 'A-1' }]);
  let sent = 0;
  const worked = async () => (await base.control.stats())['accepted'];
  const send = () => sendBatch(base.simulator.url, [record(`n-${String((sent += 1))}`)]);
  return { ...base, worked, send };
}

describe.each([
  ['myPOS', mypos],
  ['OneSingleView', oneSingleView],
  ['AMLYZE', amlyze],
])('wire faults of %s', (_name, start) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
  });
  afterEach(() => subject.control.clearFaults());
  afterAll(() => subject.simulator.close());

  const faulty = async (action: FaultAction, match: FaultMatch = {}): Promise<Answered> => {
    await subject.control.addFault({ match: { times: 1, ...match }, do: action });
    return subject.send();
  };
  /** How many requests were worked on while the fault was met. */
  const workedDuring = async (faultyCall: Promise<unknown>): Promise<number> => {
    const before = Number(await subject.worked());
    await faultyCall.catch(() => undefined);
    return Number(await subject.worked()) - before;
  };

  it('status answers what it is told, without work, or with it after the commit', async () => {
    const answer = await faulty({ kind: 'status', status: 503, body: 'gone', headers: { 'X-Why': 'test' } });
    expect([answer.status, answer.text, answer.headers.get('x-why')]).toEqual([503, 'gone', 'test']);
    expect(await workedDuring(faulty({ kind: 'status', status: 500 }))).toBe(0);
    expect(await workedDuring(faulty({ kind: 'status', status: 500, afterCommit: true }))).toBe(1);
  });

  it('html is a page with status 200, and html-as-json the same page under a false label', async () => {
    const page = await faulty({ kind: 'html' });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const labelled = await faulty({ kind: 'html-as-json', status: 403 });
    expect([labelled.status, labelled.headers.get('content-type')]).toEqual([403, 'application/json']);
    expect(labelled.text).toBe(page.text);
    expect(await workedDuring(faulty({ kind: 'html', afterCommit: true }))).toBe(1);
  });

  it('drop-before-read closes the connection without work, drop-after-commit with it', async () => {
    await expect(faulty({ kind: 'drop-before-read' })).rejects.toThrow();
    await expect(faulty({ kind: 'drop-after-commit' })).rejects.toThrow();
    expect(await workedDuring(faulty({ kind: 'drop-before-read' }))).toBe(0);
    expect(await workedDuring(faulty({ kind: 'drop-before-read' }, { account: ['1', 'A-1'] }))).toBe(0);
    expect(await workedDuring(faulty({ kind: 'drop-after-commit' }))).toBe(1);
    expect((await subject.control.accessLog({ status: 0 })).length).toBeGreaterThanOrEqual(5);
  });

  it('latency answers later, after work done at once or only after the wait', async () => {
    const startedAt = performance.now();
    expect((await faulty({ kind: 'latency', ms: 60 })).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55);
    await subject.control.addFault({ do: { kind: 'latency', ms: 3_600_000 } });
    const before = Number(await subject.worked());
    const hanging = subject.send().catch(() => 'cut');
    await eventually('the work is done', async () => Number(await subject.worked()) !== before, 5_000);
    expect(Number(await subject.worked())).toBe(before + 1);
    await subject.control.clearFaults();
    await subject.control.addFault({ do: { kind: 'latency', ms: 60, before: true } });
    const waiting = subject.send();
    expect(Number(await subject.worked())).toBe(before + 1);
    await waiting;
    expect(Number(await subject.worked())).toBe(before + 2);
    void hanging;
  });

  it.each([
    [{ value: '120' }, '120'],
    [{ value: '-5' }, '-5'],
    [{}, null],
  ])('retry-after answers 429 with %j', async (fields, header) => {
    const answer = await faulty({ kind: 'retry-after', ...fields });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, header]);
  });

  it('retry-after gives an HTTP date, under another status where it is told to', async () => {
    const answer = await faulty({ kind: 'retry-after', dateInSeconds: 60, status: 503 });
    expect(answer.status).toBe(503);
    const seconds = (Date.parse(answer.headers.get('retry-after') ?? '') - Date.now()) / 1000;
    expect(seconds).toBeGreaterThan(55);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('drip sends the whole body in small pieces', async () => {
    const plain = await subject.send();
    const startedAt = performance.now();
    const dripped = await faulty({ kind: 'drip', intervalMs: 5, bytes: 16 });
    expect(performance.now() - startedAt).toBeGreaterThan(20);
    expect([dripped.status, dripped.text.length >= plain.text.length]).toEqual([200, true]);
    expect(Object.keys(dripped.json)).toEqual(Object.keys(plain.json));
  });

  it('truncate cuts the body below its announced length', async () => {
    await expect(faulty({ kind: 'truncate', bytes: 10 })).rejects.toThrow();
    await expect(faulty({ kind: 'truncate', bytes: 1_000_000 })).rejects.toThrow();
    expect(await workedDuring(faulty({ kind: 'truncate' }))).toBe(1);
  });

  it('huge sends as many bytes as it is told', async () => {
    const chunked = await faulty({ kind: 'huge', bytes: 300_000 });
    expect([chunked.text.length, Object.keys(chunked.json)]).toEqual([300_000, ['filler']]);
    const announced = await faulty({ kind: 'huge', bytes: 1000, announced: true });
    expect([announced.headers.get('content-length'), announced.text.length]).toEqual(['1000', 1000]);
  });

  it('fires after n requests, for n requests, and notes it in the access log', async () => {
    await subject.control.addFault({ match: { after: 1, times: 2 }, do: { kind: 'status', status: 418 } });
    const statuses = [];
    for (let sent = 0; sent < 5; sent += 1) statuses.push((await subject.send()).status);
    expect(statuses).toEqual([200, 418, 418, 200, 200]);
    expect((await subject.control.accessLog({ status: 418 })).map((entry) => entry.note)).toEqual(['status', 'status']);
  });

  it('leaves requests alone that a rule does not match', async () => {
    const action: FaultAction = { kind: 'status', status: 418 };
    await subject.control.addFault(
      { match: { path: '/nowhere' }, do: action },
      { match: { account: 'nobody' }, do: action },
      { match: { communicationNumber: 'none' }, do: action },
      { match: { probability: 0 }, do: action },
    );
    expect((await subject.send()).status).toBe(200);
  });
});

describe('latency with a price per item', () => {
  it('grows with the batch, and counts a request without a list as one item', async () => {
    const { simulator, control } = await running(startAmlyzeSimulator());
    await control.putAccounts([{ accountExtId: 'A-1' }]);
    await control.addFault({ do: { kind: 'latency', ms: 5, perItemMs: 40 } });
    const batch = (size: number) =>
      sendBatch(
        simulator.url,
        Array.from({ length: size }, (_, n) => record(`n-${size}-${n}`)),
      );
    const took = async (send: () => Promise<Answered>): Promise<number> => {
      const startedAt = performance.now();
      expect((await send()).status).toBe(200);
      return performance.now() - startedAt;
    };
    // Timers may be a millisecond early; the upper bounds leave room for a busy machine.
    expect(await took(() => batch(10))).toBeGreaterThanOrEqual(400);
    const single = await took(() => sendSingle(simulator.url, record('n-single')));
    expect(single).toBeGreaterThanOrEqual(44);
    expect(single).toBeLessThan(400);
    await simulator.close();
  });
});

describe('wire faults', () => {
  let subject: Subject;
  beforeEach(async () => {
    subject = await mypos();
  });
  afterEach(() => subject.simulator.close());

  it('draw the same chances from the same seed', async () => {
    const draw = async (seed: number) => {
      await subject.control.clearFaults();
      await subject.control.addFault({ match: { probability: 0.5, seed }, do: { kind: 'status', status: 418 } });
      const statuses: number[] = [];
      for (let sent = 0; sent < 30; sent += 1) statuses.push((await subject.send()).status);
      return statuses;
    };
    const once = await draw(42);
    expect(new Set(once)).toEqual(new Set([200, 418]));
    expect(await draw(42)).toEqual(once);
    expect(await draw(43)).not.toEqual(once);
  });

  it('pack a gzip bomb that unpacks to its size and is small on the wire', async () => {
    await subject.control.addFault({ do: { kind: 'gzip-bomb', bytes: 8 * 2 ** 20 } });
    const url = `${subject.simulator.url}/v1/accounts/1/balances`;
    const packed = await new Promise<Buffer>((resolve, reject) => {
      get(url, (response) => {
        expect(response.headers['content-encoding']).toBe('gzip');
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      }).on('error', reject);
    });
    expect(packed.length).toBeLessThan(20_000);
    expect(gunzipSync(packed).length).toBe(8 * 2 ** 20);
  });

  it('keep a body of 1 GiB out of memory: it is made while it is read', async () => {
    await subject.control.addFault({ do: { kind: 'huge' } });
    const before = process.memoryUsage.rss();
    const controller = new AbortController();
    const response = await fetch(`${subject.simulator.url}/v1/accounts/1/balances`, { signal: controller.signal });
    const reader = response.body?.getReader();
    let bytes = 0;
    while (bytes < 20 * 2 ** 20) bytes += (await reader?.read())?.value?.length ?? Infinity;
    controller.abort();
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20);
  });
});
