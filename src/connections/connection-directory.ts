import { Injectable } from '@nestjs/common';
import type { MappingSettings } from '../balances/balance';
import { clientTls, TLS_SECRETS } from '../providers/client-tls';
import { CONNECTION_VERSION } from '../providers/connection-version';
import type { BalanceProvider, ProviderConnection } from '../providers/provider';
import type { ProviderSettings } from '../providers/provider-settings';
import { ProviderRegistry } from '../providers/registry';
import { Database } from '../shared/database';
import { SecretBox } from '../shared/secret-box';
import { StoredProblem } from '../shared/stored-problem';
import { openSecrets } from './connection-secrets';
import { type GivenSettings, readSettings } from './connection-settings';

/** Everything that a read over this connection needs, secrets opened. Never to be logged or returned. */
export interface LoadedConnection extends ProviderConnection {
  provider: BalanceProvider;
  mappingSettings: MappingSettings;
  accessScope: ProviderSettings['accessScope'];
  accessWindow: ProviderSettings['accessWindow'];
  /** Calls per second to this connection; undefined means no limit. */
  requestsPerSecond: number | undefined;
}

/** How long a change made at another replica may go unseen, in milliseconds. */
const FRESH_MS = 1_000;

interface Entry {
  checkedAtMs: number;
  loaded: LoadedConnection;
}

interface Row {
  id: string;
  name: string;
  provider: string;
  base_url: string;
  settings: GivenSettings;
  secrets: Record<string, string>;
  version: string;
}

/** Connections ready to use, kept in memory: opening secrets for every read would cost more than the read's own work. */
@Injectable()
export class ConnectionDirectory {
  private readonly entries = new Map<string, Entry>();
  private readonly refreshes = new Map<string, Promise<LoadedConnection>>();

  constructor(
    private readonly database: Database,
    private readonly registry: ProviderRegistry,
    private readonly box: SecretBox,
  ) {}

  /**
   * @throws StoredProblem where the stored secrets do not open, or this build cannot use what is stored
   * @throws Error where there is no such connection
   */
  async load(connectionId: string): Promise<LoadedConnection> {
    const entry = this.entries.get(connectionId);
    if (entry && performance.now() - entry.checkedAtMs < FRESH_MS) return entry.loaded;
    const running = this.refreshes.get(connectionId);
    if (running) return running;
    const refresh = this.refresh(connectionId, entry).finally(() => this.refreshes.delete(connectionId));
    this.refreshes.set(connectionId, refresh);
    return refresh;
  }

  /** Loads from the database whatever is in memory. */
  async reload(connectionId: string): Promise<LoadedConnection> {
    return this.refresh(connectionId, undefined);
  }

  /** The next load reads the database. */
  forget(connectionId: string): void {
    this.entries.delete(connectionId);
  }

  private async refresh(connectionId: string, known: Entry | undefined): Promise<LoadedConnection> {
    const checkedAtMs = performance.now();
    if (known && (await this.isUnchanged(connectionId, known.loaded.version))) {
      this.entries.set(connectionId, { ...known, checkedAtMs });
      return known.loaded;
    }
    const [row] = await this.database.query<Row>(
      `select id, name, provider, base_url, settings, secrets, ${CONNECTION_VERSION} as version from connection where id = $1`,
      [connectionId],
    );
    this.entries.delete(connectionId);
    if (!row) throw new Error(`there is no connection ${connectionId}`);
    const loaded = this.open(row);
    this.entries.set(connectionId, { checkedAtMs, loaded });
    return loaded;
  }

  /** Asks for the version only: an unchanged connection sends no secrets over the wire. */
  private async isUnchanged(connectionId: string, version: string): Promise<boolean> {
    const rows = await this.database.query(
      { name: 'connection-unchanged', text: `select 1 from connection where id = $1 and ${CONNECTION_VERSION} = $2` },
      [connectionId, version],
    );
    return rows.length === 1;
  }

  private open(row: Row): LoadedConnection {
    const provider = this.registry.get(row.provider);
    if (!provider) throw new StoredProblem(`connection ${row.id}: this build has no provider ${row.provider}`);
    const { settings, errors } = readSettings(provider, row.settings);
    const [fault] = errors;
    if (fault) throw new StoredProblem(`connection ${row.id}: ${fault.field} ${fault.message}`);
    const secrets = openSecrets(this.box, row.id, row.secrets);
    const tls = clientTls(secrets);
    for (const name of TLS_SECRETS) delete secrets[name];
    return {
      id: row.id,
      version: row.version,
      name: row.name,
      baseUrl: row.base_url,
      settings,
      secrets,
      ...(tls && { tls }),
      timeoutMs: settings.timeoutMs,
      provider,
      mappingSettings: provider.mappingSettings(settings),
      accessScope: settings.accessScope,
      accessWindow: settings.accessWindow,
      requestsPerSecond: settings.requestsPerSecond,
    };
  }
}
