import { AccessLog } from './access-log';
import { History, RecentSet } from './history';

const BLOCK = 16_384;
const fill = (log: AccessLog, count: number): void => {
  for (let sent = 0; sent < count; sent += 1) {
    log.begin({ at: sent, method: 'GET', path: '/v1/{account}', headerNames: 'accept', account: String(sent) });
  }
};

describe('the access log', () => {
  it('keeps at least its capacity and forgets the oldest, positions unchanged', () => {
    const log = new AccessLog(10);
    fill(log, 2 * BLOCK);
    expect([log.start, log.end]).toEqual([0, 2 * BLOCK]);
    fill(log, 1);
    expect([log.start, log.end]).toEqual([BLOCK, 2 * BLOCK + 1]);
    const { items, next } = log.page(0, 1, {});
    expect(items).toMatchObject([{ no: BLOCK, account: String(BLOCK), path: `/v1/${String(BLOCK)}` }]);
    expect(next).toBe(BLOCK + 1);
  });

  it('leaves a finish alone whose entry is forgotten', () => {
    const log = new AccessLog(10);
    fill(log, 3 * BLOCK);
    log.finish(5, { status: 500, durationMs: 1, note: 'late' });
    log.describe(5, { account: 'late', requestId: 'late', items: 1 });
    expect(log.page(0, 10_000, { status: 500 }).items).toEqual([]);
  });

  it('shows a request that is still worked on without status and duration', () => {
    const log = new AccessLog(10);
    fill(log, 1);
    expect(log.page(0, 1, {}).items).toMatchObject([{ status: 0, durationMs: null }]);
    log.finish(0, { status: 204, durationMs: 1.25, note: '' });
    expect(log.page(0, 1, {}).items).toMatchObject([{ status: 204, durationMs: 1.25 }]);
  });

  it('stays bounded where every request has another path', () => {
    const log = new AccessLog(10);
    for (let sent = 0; sent < 70_000; sent += 1) {
      log.begin({ at: 0, method: 'GET', path: `/${String(sent)}`, headerNames: '', account: '' });
    }
    expect(log.page(69_999, 1, {}).items).toMatchObject([{ path: '(too many different ones)', method: 'GET' }]);
  });
});

describe('a history', () => {
  it('tells what it drops, the oldest block at once', () => {
    const dropped: number[] = [];
    const history = new History<number>(8192, (entry) => dropped.push(entry));
    for (let entry = 0; entry < 2 * 8192; entry += 1) history.append(entry);
    expect(dropped).toEqual([]);
    history.append(2 * 8192);
    expect([dropped.length, dropped[0], dropped.at(-1)]).toEqual([8192, 0, 8191]);
    expect([history.at(8191), history.at(8192), history.at(2 * 8192)]).toEqual([undefined, 8192, 2 * 8192]);
  });
});

describe('a recent set', () => {
  it('knows at least the last texts up to its capacity and at most twice as many', () => {
    const recent = new RecentSet(3);
    for (const text of ['a', 'b', 'c', 'd']) expect(recent.add(text)).toBe(true);
    for (const text of ['b', 'c', 'd']) expect(recent.add(text)).toBe(false);
    for (const text of ['e', 'f', 'g']) recent.add(text);
    expect(recent.add('a')).toBe(true);
  });
});
