import { randomBytes } from 'node:crypto';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { configureApp } from '../../src/admin/configure-app';
import { AppModule } from '../../src/app.module';
import { Environment } from '../../src/config/environment';
import { loadEnvironment } from '../../src/config/load-environment';
import {
  SANDBOX_AMLYZE,
  SANDBOX_MYPOS,
  SANDBOX_ONESINGLEVIEW,
  SimulatorControl,
  startAmlyzeSimulator,
  startMyposSimulator,
  startOneSingleViewSimulator,
  type RunningSimulator,
} from '../../src/simulators';
import { ADMIN_KEY } from './admin-app';
import { eventually } from './eventually';
import type { TestDatabase } from './postgres';

/** A JSON object as the admin API answers it; tests look into it freely. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape is what the tests are about to state
export type Json = any;

/** The three simulators, in this process. */
export class Outside {
  private constructor(
    readonly mypos: SimulatorControl,
    readonly onesingleview: SimulatorControl,
    readonly amlyze: SimulatorControl,
    private readonly running: RunningSimulator[],
  ) {}

  static async start(): Promise<Outside> {
    const running = [await startMyposSimulator(), await startOneSingleViewSimulator(), await startAmlyzeSimulator()];
    const [mypos, onesingleview, amlyze] = running.map(({ url }) => new SimulatorControl(url));
    if (!mypos || !onesingleview || !amlyze) throw new Error('a simulator is missing');
    return new Outside(mypos, onesingleview, amlyze, running);
  }

  async close(): Promise<void> {
    await Promise.all(this.running.map((simulator) => simulator.close()));
  }
}

/** The whole gateway in this process, over a database of its own, talking to simulators over real HTTP. */
export class TestGateway {
  private constructor(
    readonly app: NestExpressApplication,
    readonly url: string,
    readonly environment: Environment,
    private readonly testDatabase: TestDatabase,
  ) {}

  /** A slot far away by default, so that a test's own resync is the only thing that happens. */
  static async start(
    testDatabase: TestDatabase,
    outside: Outside,
    variables: NodeJS.ProcessEnv = {},
  ): Promise<TestGateway> {
    const environment = loadEnvironment({
      DATABASE_URL: testDatabase.url,
      ADMIN_API_KEY: ADMIN_KEY,
      ENCRYPTION_KEYS: TEST_ENCRYPTION_KEYS,
      AMLYZE_BASE_URL: outside.amlyze.url,
      AMLYZE_TOKEN: SANDBOX_AMLYZE.token,
      ALLOW_PRIVATE_ADDRESSES: 'true',
      SYNC_CRON: '0 0 29 2 *',
      POLL_INTERVAL_MS: '50',
      LEASE_SECONDS: '2',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
      ...variables,
    });
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Environment)
      .useValue(environment)
      .compile();
    const app = moduleRef.createNestApplication<NestExpressApplication>({ bodyParser: false, logger: false });
    configureApp(app, environment);
    await app.listen(0, '127.0.0.1');
    return new TestGateway(app, await app.getUrl(), environment, testDatabase);
  }

  async close(): Promise<void> {
    await this.app.close();
  }

  /** One admin call; the answer's status and JSON body. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${ADMIN_KEY}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** A call that has to succeed; its body. */
  async ok(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async list(path: string): Promise<Json[]> {
    const items: Json[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Json = await this.ok(
        'GET',
        `${path}${path.includes('?') ? '&' : '?'}limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }

  /** Resyncs and waits until the run is finished; the run. */
  async sync(body: object = { all: true }): Promise<Json> {
    const { runId } = await this.ok('POST', '/admin/resync', body);
    return this.finished(runId);
  }

  async finished(runId: string, deadlineMs?: number): Promise<Json> {
    return eventually(
      `run ${runId} is finished`,
      async () => {
        const run = await this.ok('GET', `/admin/runs/${runId}`);
        return run.status === 'finished' && run;
      },
      deadlineMs,
    );
  }

  /** Waits until no record is pending or sending any more; all records. */
  async delivered(deadlineMs?: number): Promise<Json[]> {
    await eventually(
      'all records are settled',
      // One statement: asked state by state, a record could slip from one to the other between the questions.
      async () => {
        const [row] = await this.testDatabase.database.query<{ open: boolean }>(
          `select exists (select 1 from record_with_state where state in ('pending', 'sending')) as open`,
        );
        return row?.open === false;
      },
      deadlineMs,
    );
    return this.list('/admin/records');
  }
}

const TEST_ENCRYPTION_KEYS = `k1:${randomBytes(32).toString('base64')}`;

export interface Registered {
  connectionId: string;
  consentId: string;
}

export async function registerMypos(
  gateway: TestGateway,
  outside: { mypos: { url: string } },
  settings: object = {},
  consent: object = {},
): Promise<Registered> {
  const connection = await gateway.ok('POST', '/admin/connections', {
    name: `myPOS ${randomBytes(3).toString('hex')}`,
    provider: 'mypos',
    baseUrl: outside.mypos.url,
    settings,
    secrets: { apiKey: SANDBOX_MYPOS.apiKey },
  });
  const row = await gateway.ok('POST', '/admin/consents', {
    connectionId: connection.id,
    consentId: SANDBOX_MYPOS.consentId,
    accessToken: SANDBOX_MYPOS.accessToken,
    ...consent,
  });
  return { connectionId: connection.id, consentId: row.id };
}

export async function registerOneSingleView(
  gateway: TestGateway,
  outside: Outside,
  settings: object = {},
  consent: object = {},
): Promise<Registered> {
  const { merchantId, clientId, clientCode, signatureKey, consentId, bankCode } = SANDBOX_ONESINGLEVIEW;
  const connection = await gateway.ok('POST', '/admin/connections', {
    name: `OneSingleView ${randomBytes(3).toString('hex')}`,
    provider: 'onesingleview',
    baseUrl: outside.onesingleview.url,
    settings: { merchantId, creditLine: 'own-funds', ...settings },
    secrets: { clientId, clientCode, signatureKey },
  });
  const row = await gateway.ok('POST', '/admin/consents', {
    connectionId: connection.id,
    consentId,
    bankCode,
    ...consent,
  });
  return { connectionId: connection.id, consentId: row.id };
}
