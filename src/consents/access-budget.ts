import { readSettings } from '../connections/connection-settings';
import type { ProviderRegistry } from '../providers/registry';
import type { Queryable } from '../shared/database';
import { inWindow, withWindow } from './read-window';

// One pass over the window's ledger rows of each consent: counted together where the consent is the subject of the
// budget, else by account at the bank, of which the one that was read most often decides.
const READS = `access_ledger l where ${inWindow('l', 'q.id')}`;
const USED = `
select q.id, case
  when q.by_consent then (select count(*) from ${READS})
  else (select coalesce(max(n.used), 0) from (select count(*) as used from ${READS} group by l.subject_id) n)
end::int as used
from (
  ${withWindow('unnest($1::bigint[], $2::boolean[], $3::text[]) as a(id, by_consent, day_zone)')}
) q`;

interface SettingsRow {
  id: string;
  provider: string;
  settings: Record<string, unknown>;
}

/**
 * How many reads of the consents' budgets are used up in the window.
 *
 * @returns by consent id; where the budget is counted per account, the count of the account that was read most often
 */
export async function findUsedReads(
  db: Queryable,
  registry: ProviderRegistry,
  consentIds: readonly string[],
): Promise<Map<string, number>> {
  const consents = await db.query<SettingsRow>(
    `select c.id, k.provider, k.settings from consent c join connection k on k.id = c.connection_id where c.id = any($1::bigint[])`,
    [consentIds],
  );
  const windows = consents.map(({ id, provider: name, settings: given }) => {
    const provider = registry.get(name);
    const settings = provider && readSettings(provider, given).settings;
    const byDay = settings?.accessWindow === 'calendar-day';
    return { id, byConsent: settings?.accessScope === 'consent', zone: byDay ? (settings.timeZone ?? 'UTC') : null };
  });
  const rows = await db.query<{ id: string; used: number }>(USED, [
    windows.map(({ id }) => id),
    windows.map(({ byConsent }) => byConsent),
    windows.map(({ zone }) => zone),
  ]);
  return new Map(rows.map(({ id, used }) => [id, used]));
}
