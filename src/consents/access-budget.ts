import { readSettings } from '../connections/connection-settings';
import type { ProviderRegistry } from '../providers/registry';
import type { Queryable } from '../shared/database';

// One pass over the window's ledger rows of each consent: counted together where the consent is the subject of the
// budget, else by account at the bank, of which the one that was read most often decides.
const USED = `
select q.id, coalesce((
  select max(n.used) from (
    select count(*) as used
    from access_ledger l
    where l.consent_id = q.id
      and l.read_at > case when q.day_zone is null then now() - interval '24 hours' else date_trunc('day', now(), q.day_zone) end
    group by case when q.by_consent then 0 else l.subject_id end
  ) n
), 0)::int as used
from unnest($1::bigint[], $2::boolean[], $3::text[]) as q(id, by_consent, day_zone)`;

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
