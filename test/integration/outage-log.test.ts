import { Logger } from '@nestjs/common';
import { Database } from '../../src/shared/database';
import { eventually } from '../support/eventually';
import { Outside, TestGateway } from '../support/gateway';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { TcpGate } from '../support/tcp-gate';

interface Line {
  msg: string;
  duty?: string;
  endpoint?: string;
  error?: string;
  failures?: number;
}

const FAILING = [
  'a beat failed; the next ones try again | finish runs',
  'a beat failed; the next ones try again | hear other replicas',
  'a beat failed; the next ones try again | open the run of a slot',
  'a beat failed; the next ones try again | tend the delivery',
  'a turn of the delivery was not committed; trying again at every poll | operations',
  'batches could not be claimed; trying again at every poll | balances',
  'batches could not be claimed; trying again at every poll | operation-batches',
  'due reads could not be claimed; trying again at every poll',
];
const WORKING = [
  'a beat works again | finish runs',
  'a beat works again | hear other replicas',
  'a beat works again | open the run of a slot',
  'a beat works again | tend the delivery',
  'batches can be claimed again | balances',
  'batches can be claimed again | operation-batches',
  'due reads can be claimed again',
  'turns of the delivery are committed again | operations',
];

describe('the log of an outage of the database', () => {
  let test: TestDatabase;
  let outside: Outside;
  let gate: TcpGate;
  let gateway: TestGateway;

  beforeEach(async () => {
    test = await createTestDatabase();
    outside = await Outside.start();
    const through = await TcpGate.before(test.url);
    gate = through.gate;
    gateway = await TestGateway.start(test, outside, {
      DATABASE_URL: through.url,
      OPERATIONS_IMPORT: 'without-monitoring',
    });
  }, 60_000);
  afterEach(async () => {
    await gateway.close();
    await gate.cut();
    await outside.close();
    await test.drop();
    jest.restoreAllMocks();
  });

  it('tells what fails and why once, however often it is tried, and what works again', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const news = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    // Upkeep begins with the start and may be met by the outage; it is no part of a poll.
    const lines = (spy: jest.SpyInstance): Line[] =>
      spy.mock.calls.map(([line]) => line as Line).filter(({ msg }) => !msg.startsWith('upkeep'));
    const asked = jest.spyOn(Database.prototype, 'query');

    await gate.cut();
    const before = asked.mock.calls.length;
    await eventually('it is tried again and again', async () => asked.mock.calls.length > before + 300);
    await gate.mend();
    const ends = (): Line[] => lines(news).filter(({ msg }) => msg.endsWith('again'));
    await eventually('all of it works again', async () => ends().length === FAILING.length);

    const name = ({ msg, duty, endpoint }: Line): string => [msg, duty, endpoint].filter(Boolean).join(' | ');
    expect([...new Set(lines(errors).map(name))].sort()).toEqual(FAILING);
    const told = lines(errors).map((line) => `${name(line)} | ${line.error}`);
    expect(told).toEqual([...new Set(told)]);
    expect(ends().map(name).sort()).toEqual(WORKING);
    expect(Math.max(...ends().map(({ failures = 0 }) => failures))).toBeGreaterThan(10);
  });
});
