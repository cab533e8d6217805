import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import type { SimulatorControl } from '../../../src/simulators/control-client';
import { SANDBOX_AMLYZE, SANDBOX_MYPOS, SANDBOX_ONESINGLEVIEW } from '../../../src/simulators/defaults';
import { eventually } from '../../support/eventually';
import { FaultProxy } from '../proxy';
import type { Build } from './build';
import type { Guardian } from './guardian';
import { History, type Limits, type Peer } from './history';
import type { PostgresServer } from './postgres-server';
import { Random } from './random';
import { GatewayReplica, type ReplicaParts } from './replica';
import { PEERS, type Peers } from './simulators';
import { tapFor } from './tap';
import { loadAccount, type Bank, type LoadAccount } from './workload';

export interface WorldOptions {
  seed: number;
  /** Environment of every replica, beside or instead of the suite's own. */
  env?: Readonly<Record<string, string>>;
  limits?: Partial<Limits>;
}

export interface WorldParts {
  folder: string;
  build: Build;
  guardian: Guardian;
  peers: Peers;
  postgres: PostgresServer;
}

/** What an ordinary run of the suite may use; memory is some three times what a replica needs at rest. */
const LIMITS: Limits = { replicas: 3, amlyzeConcurrency: 4, amlyzeMaxAttempts: 12, rssBytes: 450 * 2 ** 20 };
/** No slot comes by itself. */
const NEVER = '0 0 29 2 *';

export interface Registered {
  connectionId: string;
  consentId: string;
}

/** One scenario's database, wire, peers, history and replicas. Nothing of it is shared with the next one. */
export class World {
  readonly random: Random;
  readonly replicas: GatewayReplica[] = [];
  readonly accounts: LoadAccount[] = [];
  readonly registered: Partial<Record<Bank, Registered>> = {};
  private readonly adminKey = randomBytes(24).toString('hex');
  private readonly encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;
  private readonly pool: Pool;
  private starts = 0;

  private constructor(
    private readonly parts: WorldParts,
    private readonly options: WorldOptions,
    readonly databaseUrl: string,
    readonly history: History,
    /** In front of each peer; everything that the replicas send passes here. */
    readonly wire: Readonly<Record<Peer, FaultProxy>>,
  ) {
    this.random = new Random(options.seed);
    this.pool = new Pool({ connectionString: databaseUrl, max: 4 });
    this.pool.on('error', () => undefined);
    history.add({ kind: 'limits', limits: { ...LIMITS, ...options.limits } });
  }

  static async create(parts: WorldParts, options: WorldOptions): Promise<World> {
    mkdirSync(parts.folder, { recursive: true });
    const databaseUrl = await parts.postgres.createDatabase();
    const history = new History(join(parts.folder, 'history.jsonl'));
    for (const peer of PEERS) {
      await parts.peers[peer].control.reset();
      await parts.peers[peer].control.call('DELETE', 'capacity');
    }
    const [mypos, onesingleview, amlyze] = await Promise.all(
      PEERS.map((peer) => FaultProxy.start(parts.peers[peer].control.url, tapFor(history, peer))),
    );
    if (!mypos || !onesingleview || !amlyze) throw new Error('a proxy is missing');
    return new World(parts, options, databaseUrl, history, { mypos, onesingleview, amlyze });
  }

  get folder(): string {
    return this.parts.folder;
  }

  get postgres(): PostgresServer {
    return this.parts.postgres;
  }

  get mypos(): SimulatorControl {
    return this.parts.peers.mypos.control;
  }

  get onesingleview(): SimulatorControl {
    return this.parts.peers.onesingleview.control;
  }

  get amlyze(): SimulatorControl {
    return this.parts.peers.amlyze.control;
  }

  /** Starts one replica more. `env` is for this one alone, FAIL_POINTS say. */
  async startReplica(env: Readonly<Record<string, string>> = {}): Promise<GatewayReplica> {
    const replica = await GatewayReplica.start(this.replicaParts(env));
    this.replicas.push(replica);
    return replica;
  }

  /** Starts several at a time. */
  async startReplicas(count: number, env: Readonly<Record<string, string>> = {}): Promise<GatewayReplica[]> {
    return Promise.all(Array.from({ length: count }, () => this.startReplica(env)));
  }

  /** One that is started by the caller's own means (another build, a fake clock): what it has to be given. */
  replicaParts(env: Readonly<Record<string, string>> = {}): ReplicaParts {
    const { build, guardian, folder } = this.parts;
    const index = ++this.starts;
    const { history, adminKey } = this;
    const logFile = join(folder, `replica-${index}.log`);
    return { index, build, guardian, history, adminKey, logFile, env: { ...this.environment(), ...env } };
  }

  /** Tells the simulators and the gateway of `count` accounts at a bank, from `firstIndex` on. */
  async register(
    gateway: GatewayReplica,
    bank: Bank,
    count: number,
    options: { firstIndex?: number; settings?: object; consent?: object } = {},
  ): Promise<LoadAccount[]> {
    const first = options.firstIndex ?? 1;
    const accounts = Array.from({ length: count }, (_, n) => loadAccount(bank, first + n, this.random));
    await this.registerAccounts(gateway, bank, accounts, options);
    return accounts;
  }

  async registerAccounts(
    gateway: GatewayReplica,
    bank: Bank,
    accounts: readonly LoadAccount[],
    options: { settings?: object; consent?: object } = {},
  ): Promise<Registered> {
    this.registered[bank] ??= await this.connect(gateway, bank, options);
    const { consentId } = this.registered[bank];
    await this.parts.peers[bank].control.putAccounts(accounts.map(({ simulated }) => simulated));
    await this.amlyze.putAccounts(accounts.map(({ accountExtId, currency }) => ({ accountExtId, currency })));
    for (const account of accounts) this.script(account);
    const lines = accounts.map(({ providerAccountId, currency, accountExtId }) =>
      JSON.stringify({ consentId, providerAccountId, currency, accountExtId }),
    );
    const answer = await gateway.ok('POST', '/admin/accounts/import', `${lines.join('\n')}\n`);
    if (answer.created !== accounts.length) throw new Error(`import: ${JSON.stringify(answer)}`);
    this.accounts.push(...accounts);
    return this.registered[bank];
  }

  /** The bank says something else of an account from now on. */
  async restate(account: LoadAccount): Promise<void> {
    this.script(account);
    await this.parts.peers[account.bank].control.changeAccounts([account.simulated]);
  }

  /** Opens a run; its id. */
  async resync(gateway: GatewayReplica, body: object = { all: true }): Promise<string> {
    return (await gateway.ok('POST', '/admin/resync', body)).runId;
  }

  /** One query of the gateway's database, by a session of the suite's own. */
  async query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.pool.query<T>(sql, values)).rows;
  }

  /** A session of its own, for transactions that a scenario leaves open. */
  async session(): Promise<Client> {
    const client = new Client({ connectionString: this.databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** From now on nothing disturbs any more: wire, simulators and Postgres are well. I10 counts from here. */
  async heal(withinMs: number): Promise<void> {
    for (const peer of PEERS) {
      this.wire[peer].clear();
      await this.wire[peer].accept();
      await this.parts.peers[peer].control.clearFaults();
      await this.parts.peers[peer].control.call('DELETE', 'capacity');
    }
    this.history.add({ kind: 'healed', withinMs });
  }

  /** Waits until every run is finished and no record is under way; a database that is away is waited for. */
  async settled(deadlineMs = 60_000): Promise<void> {
    // Counting a large backlog again and again would be a load of its own.
    const open = `select exists (select from sync_run where finished_at is null)
      or exists (select from record_with_state where state = 'pending') or exists (select from record_with_state where state = 'sending') as open`;
    await eventually(
      'every run is finished and every record settled',
      async () => {
        const [row] = await this.query<{ open: boolean }>(open).catch(() => []);
        return row?.open === false;
      },
      deadlineMs,
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; still open: ${JSON.stringify(await this.states())}`);
    });
  }

  /** Records by state. */
  async states(): Promise<Record<string, number>> {
    const rows = await this.query<{ state: string; n: number }>(
      'select state, count(*)::int as n from record_with_state group by state',
    );
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.process.kill()));
    await Promise.all(Object.values(this.wire).map((proxy) => proxy.close()));
    await this.pool.end();
    this.history.close();
    await this.parts.postgres.dropDatabase(this.databaseUrl).catch(() => undefined);
  }

  private script({ bank, providerAccountId, accountExtId, value }: LoadAccount): void {
    this.history.add({ kind: 'script', bank, account: providerAccountId, accountExtId, value });
  }

  private async connect(
    gateway: GatewayReplica,
    bank: Bank,
    { settings = {}, consent = {} }: { settings?: object; consent?: object },
  ): Promise<Registered> {
    const { apiKey, accessToken, consentId } = SANDBOX_MYPOS;
    const osv = SANDBOX_ONESINGLEVIEW;
    const connection = await gateway.ok('POST', '/admin/connections', {
      name: bank,
      provider: bank,
      baseUrl: this.wire[bank].url,
      settings: bank === 'mypos' ? settings : { merchantId: osv.merchantId, creditLine: 'own-funds', ...settings },
      secrets:
        bank === 'mypos'
          ? { apiKey }
          : { clientId: osv.clientId, clientCode: osv.clientCode, signatureKey: osv.signatureKey },
    });
    const row = await gateway.ok('POST', '/admin/consents', {
      connectionId: connection.id,
      ...(bank === 'mypos' ? { consentId, accessToken } : { consentId: osv.consentId, bankCode: osv.bankCode }),
      ...consent,
    });
    return { connectionId: connection.id, consentId: row.id };
  }

  private environment(): Record<string, string> {
    return {
      PATH: '/usr/bin:/bin',
      NODE_COMPILE_CACHE: this.parts.build.codeCache,
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: this.databaseUrl,
      ADMIN_API_KEY: this.adminKey,
      ENCRYPTION_KEYS: this.encryptionKeys,
      AMLYZE_BASE_URL: this.wire.amlyze.url,
      AMLYZE_TOKEN: SANDBOX_AMLYZE.token,
      ALLOW_PRIVATE_ADDRESSES: 'true',
      SYNC_CRON: NEVER,
      LEASE_SECONDS: '2',
      POLL_INTERVAL_MS: '50',
      ...this.options.env,
    };
  }
}
