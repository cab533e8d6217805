import { randomBytes } from 'node:crypto';
import { AmlyzeClient } from '../../src/amlyze/amlyze.client';
import type { Environment } from '../../src/config/environment';
import { loadEnvironment } from '../../src/config/load-environment';
import { BalanceLane } from '../../src/delivery/balance-lane';
import { DeliveryService, type Turn } from '../../src/delivery/delivery.service';
import { findEndpoints, openEndpoint } from '../../src/delivery/endpoint-state';
import { Settling } from '../../src/delivery/settling';
import type { Database } from '../../src/shared/database';
import { HttpClient } from '../../src/shared/http-client';
import { Metrics } from '../../src/shared/metrics';
import { Replica } from '../../src/shared/replica';
import { SANDBOX_AMLYZE } from '../../src/simulators';
import { ADMIN_KEY } from './admin-app';
import type { TestDatabase } from './postgres';

/** The endpoint's row, with its times as milliseconds from now. */
export interface Pause {
  pause: string | null;
  reason: string | null;
  failures: number;
  forMs: number;
  batchLimit: number | null;
}

/**
 * The delivery of one replica without its worker loops: a test says when a batch goes out, and moves time by changing
 * rows instead of waiting.
 */
export class DeliveryBench {
  readonly lane: BalanceLane;
  readonly service: DeliveryService;
  private readonly http: HttpClient;

  private constructor(
    readonly database: Database,
    readonly environment: Environment,
  ) {
    this.http = new HttpClient({ allowPrivateAddresses: true });
    const client = new AmlyzeClient(this.http, environment);
    this.lane = new BalanceLane(client, environment);
    const settling = new Settling(database, new Metrics(), environment);
    this.service = new DeliveryService(database, environment, settling, new Replica());
  }

  static async start(
    testDatabase: TestDatabase,
    amlyzeUrl: string,
    variables: NodeJS.ProcessEnv = {},
  ): Promise<DeliveryBench> {
    const environment = loadEnvironment({
      DATABASE_URL: testDatabase.url,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      AMLYZE_BASE_URL: amlyzeUrl,
      AMLYZE_TOKEN: SANDBOX_AMLYZE.token,
      ALLOW_PRIVATE_ADDRESSES: 'true',
      ...variables,
    });
    const bench = new DeliveryBench(testDatabase.database, environment);
    await bench.open();
    return bench;
  }

  /** What every poll does first: makes the endpoint's row. */
  async open(): Promise<void> {
    await openEndpoint(this.database, this.lane.endpoint);
  }

  /** One turn of one worker. */
  async turn(): Promise<Turn> {
    const turn = await this.service.deliverNext(this.lane);
    // Whether more may be due is the worker's business.
    return turn === 'sent-last' ? 'sent' : turn;
  }

  /** Turns until there is nothing more to send, or the endpoint is paused; how many batches went out. */
  async drain(maxTurns = 200): Promise<{ sent: number; end: Turn }> {
    for (let sent = 0; sent < maxTurns; sent += 1) {
      const turn = await this.turn();
      if (turn !== 'sent') return { sent, end: turn };
    }
    throw new Error(`still sending after ${maxTurns} turns`);
  }

  async pause(): Promise<Pause> {
    const [state] = await findEndpoints(this.database, this.lane.configurationHash());
    if (!state) throw new Error('the endpoint was never opened');
    return {
      pause: state.pause ?? null,
      reason: state.pauseReason ?? null,
      failures: state.failures,
      forMs: state.pausedUntil ? state.pausedUntil.getTime() - Date.now() : 0,
      batchLimit: state.batchLimit ?? null,
    };
  }

  /** The pause's time is over: the next turn is a probe. */
  async endPauseTime(): Promise<void> {
    await this.database.query('update amlyze_endpoint set paused_until = now() where pause is not null');
  }

  async close(): Promise<void> {
    await this.http.close();
  }
}
