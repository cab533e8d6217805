import type { Database } from '../../src/shared/database';
import { SimulatorControl, startAmlyzeSimulator, type FaultRule, type RunningSimulator } from '../../src/simulators';
import { DeliveryBench } from './delivery-bench';
import { OutboxRows } from './outbox-rows';
import { createTestDatabase, type TestDatabase } from './postgres';

export const SINGLE_PATH = '/amlyze-ws-rest/account-balance';

/** An empty outbox, AMLYZE's simulator without faults, and a delivery that sends only when told; anew for every test. */
export class DeliverySetting {
  private testDatabase: TestDatabase | undefined;
  private simulator: RunningSimulator | undefined;
  private current: { rows: OutboxRows; bench: DeliveryBench } | undefined;
  private readonly opened: DeliveryBench[] = [];

  /** Registers the hooks of the describe block that it is called in. */
  constructor() {
    beforeAll(async () => {
      this.testDatabase = await createTestDatabase();
      this.simulator = await startAmlyzeSimulator();
    });
    beforeEach(async () => {
      const rows = await OutboxRows.clear(this.database);
      await this.amlyze.reset();
      await this.amlyze.clearFaults();
      this.current = { rows, bench: await this.startBench() };
    });
    afterEach(async () => {
      await Promise.all(this.opened.splice(0).map((one) => one.close()));
    });
    afterAll(async () => {
      await this.simulator?.close();
      await this.testDatabase?.drop();
    });
  }

  get database(): Database {
    return present(this.testDatabase).database;
  }

  get amlyze(): SimulatorControl {
    return new SimulatorControl(present(this.simulator).url);
  }

  get rows(): OutboxRows {
    return present(this.current).rows;
  }

  get bench(): DeliveryBench {
    return present(this.current).bench;
  }

  /** Another replica; the simulator's address unless told otherwise. */
  readonly startBench = async (variables: NodeJS.ProcessEnv = {}, url?: string): Promise<DeliveryBench> => {
    const one = await DeliveryBench.start(present(this.testDatabase), url ?? present(this.simulator).url, variables);
    this.opened.push(one);
    return one;
  };

  /** The same replica, started again with another configuration. */
  readonly restart = async (variables: NodeJS.ProcessEnv, url?: string): Promise<void> => {
    await this.bench.close();
    this.current = { rows: this.rows, bench: await this.startBench(variables, url) };
  };

  /** Records of accounts that AMLYZE knows; their numbers. */
  readonly enqueue = async (count: number, prefix = 'A'): Promise<string[]> => {
    const accounts = await this.rows.accounts(count, prefix);
    await this.amlyze.putAccounts(
      Array.from({ length: count }, (_, index) => ({ accountExtId: `${prefix}${index + 1}` })),
    );
    return this.rows.enqueue(accounts);
  };

  readonly fault = (rule: FaultRule): Promise<void> => this.amlyze.addFault(rule);

  readonly once = (action: FaultRule['do']): Promise<void> => this.fault({ match: { times: 1 }, do: action });

  /** The sends that AMLYZE saw: size of the batch, or `single`. */
  readonly sends = async (): Promise<(number | 'single')[]> =>
    (await this.amlyze.accessLog()).map((entry) => (entry.path === SINGLE_PATH ? 'single' : entry.items));

  /** Verdict and reason of every line of the result log. */
  readonly verdicts = async (): Promise<[string, string | null][]> =>
    (await this.rows.log()).map(({ verdict, reason }) => [verdict, reason]);

  /** What AMLYZE accepted. */
  readonly ledgerNumbers = async (): Promise<string[]> =>
    (await this.amlyze.ledger()).map((entry) => entry.communicationNumber).sort();
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('no test is running');
  return value;
}
