import type { ProviderRegistry } from '../providers/registry';
import { type GivenSettings, readSettings } from './connection-settings';
import type { ConnectionDto } from './connection.dto';
import { type BreakerRow, toUnavailability } from './unavailability';

const health = (column: keyof BreakerRow): string =>
  `(select ${column} from connection_health where connection_id = connection.id) as ${column}`;

// Sub-selects and no join, so that `returning` takes the same list.
export const CONNECTION_COLUMNS = `id, name, provider, base_url, settings, secrets, status, pause_reason, paused_by, paused_at,
  not_before, not_before_reason, created_at, updated_at, ${health('open_since')}, ${health('open_until')}, ${health('last_reason')}`;

/** A row of the table `connection`; the secrets in it are sealed. */
export interface ConnectionRow extends BreakerRow {
  id: string;
  name: string;
  provider: string;
  base_url: string;
  settings: GivenSettings;
  secrets: Record<string, string>;
  status: 'active' | 'paused';
  pause_reason: string | null;
  paused_by: 'operator' | 'gateway' | null;
  paused_at: Date | null;
  not_before: Date | null;
  not_before_reason: string | null;
  created_at: Date;
  updated_at: Date;
}

/** What operators may see of a connection: names of secrets only. */
export function toConnectionDto(row: ConnectionRow, registry: ProviderRegistry): ConnectionDto {
  const provider = registry.get(row.provider);
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    baseUrl: row.base_url,
    settings: provider ? { ...readSettings(provider, row.settings).settings } : { ...row.settings },
    secretNames: Object.keys(row.secrets).sort(),
    status: row.status,
    pauseReason: row.pause_reason,
    pausedBy: row.paused_by,
    pausedAt: row.paused_at?.toISOString() ?? null,
    notBefore: row.not_before?.toISOString() ?? null,
    notBeforeReason: row.not_before_reason,
    ...toUnavailability(row),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
