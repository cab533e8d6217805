import type { AmlyzeAccount } from '../shared/amlyze-account';
import type { Queryable } from '../shared/database';
import { columnOf } from '../shared/column';
import { blocksDown, inBlock } from '../shared/id-block';
import { jsonLines } from '../shared/json-lines';
import { lookedUp, unseen } from '../shared/looked-up';
import { holdNewer } from './hold-newer';

/** A balance record about to be frozen: everything is decided, only durability is missing. */
export interface NewBalanceRecord {
  communicationNumber: string;
  accountId: string;
  accountExtId: string;
  businessUnit: string | undefined;
  readingId: string;
  runId: string | undefined;
  balanceType: string;
  /** RFC 3339, UTC. */
  balanceAt: string;
  /** Decimal text with the rule's digits. */
  value: string;
  /** The business key beside account and balance type: balanceAt, or the slot or run where the bank gives no time. */
  key: string;
  revision: number;
  supersedes: { communicationNumber: string; reason: SupersedeReason } | undefined;
  /** The frozen bytes. */
  payload: string;
  /** Digest of the mapping settings the value was made with. */
  settingsHash: string;
}

/** Why a business key got another revision. */
export type SupersedeReason = 'bank-restatement' | 'settings-changed' | 'forced' | 'new-number';

const ENQUEUE = {
  name: 'outbox-enqueue',
  text: `
with fresh as materialized (
  select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::timestamptz[],
    $9::numeric[], $10::text[], $11::integer[], $12::text[], $13::text[], string_to_array($14, E'\\n', ''), $15::text[])
  as n(communication_number, account_id, account_ext_id, business_unit, reading_id, run_id, balance_type, balance_at, value, key,
    revision, supersedes, supersedes_reason, payload, settings_hash)
), keyed as (
  insert into record_key (account_id, balance_type, key, revision, value, communication_number, settings_hash)
  select account_id, balance_type, key, revision, value, communication_number, settings_hash from fresh
  on conflict (account_id, balance_type, key) do update
  set revision = excluded.revision, value = excluded.value, communication_number = excluded.communication_number,
      settings_hash = excluded.settings_hash
  where record_key.revision < excluded.revision
), recorded as (
  insert into amlyze_record (communication_number, kind, account_id, account_ext_id, business_unit, reading_id, run_id, balance_type,
    balance_at, value, revision, supersedes, supersedes_reason, payload)
  select communication_number, 'balance', account_id, account_ext_id, business_unit, reading_id, run_id, balance_type, balance_at, value,
    revision, supersedes, supersedes_reason, payload from fresh
  returning id, channel, account_id, balance_type, balance_at, revision, run_id
)
insert into record_state (record_id, channel, account_id, balance_type, balance_at, revision, run_id)
select id, channel, account_id, balance_type, balance_at, revision, run_id from recorded`,
};

/** Puts records into the outbox, inside the transaction that keeps their readings. A used number makes it fail whole. */
export async function enqueueBalances(tx: Queryable, records: readonly NewBalanceRecord[]): Promise<void> {
  if (records.length === 0) return;
  const column = <T>(pick: (record: NewBalanceRecord) => T | undefined): (T | null)[] | null => columnOf(records, pick);
  await tx.query(ENQUEUE, [
    column((r) => r.communicationNumber),
    column((r) => r.accountId),
    column((r) => r.accountExtId),
    column((r) => r.businessUnit),
    column((r) => r.readingId),
    column((r) => r.runId),
    column((r) => r.balanceType),
    column((r) => r.balanceAt),
    column((r) => r.value),
    column((r) => r.key),
    column((r) => r.revision),
    column((r) => r.supersedes?.communicationNumber),
    column((r) => r.supersedes?.reason),
    jsonLines(records.map((r) => r.payload)),
    column((r) => r.settingsHash),
  ]);
}

/** Latest record of a business key, and the account that it is for at AMLYZE. */
export interface LatestRecord extends AmlyzeAccount {
  revision: number;
  value: string;
  communicationNumber: string;
  settingsHash: string;
}

/** What the outbox knows about a business key and the series it belongs to. */
export interface KeyState {
  /** Latest record of the very key, if there is one. */
  latest: LatestRecord | undefined;
  /** balanceAt of a record of the series that AMLYZE has or may have for this account and that is newer than the balance asked about. */
  newerSentAt: Date | undefined;
  /** As the account is registered now; undefined where nothing is known of the key, and the account is as it was asked with. */
  account: AmlyzeAccount | undefined;
}

const KEY_STATES = {
  name: 'outbox-key-states',
  // A balance that is new and the newest, as nearly every one is, brings no row.
  text: `
select w.ord::int, k.revision, k.value, k.communication_number, k.settings_hash, n.account_id is not null as is_older,
  a.account_ext_id, a.business_unit, r.account_ext_id as sent_to, r.business_unit as sent_to_unit
from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[]) with ordinality
  as w(account_id, balance_type, key, balance_at, account_ext_id, business_unit, ord)
join account a on ${lookedUp('a.id', 'w.account_id')}
left join record_key k on ${lookedUp('k.key', 'w.key')} and k.account_id = w.account_id and k.balance_type = w.balance_type
left join amlyze_record r on ${lookedUp('r.communication_number', 'k.communication_number')}
left join record_series n on ${lookedUp('n.account_id', 'w.account_id')} and n.balance_type = w.balance_type and n.newest_balance_at > w.balance_at
where k.revision is not null or n.account_id is not null
  or (a.account_ext_id, a.business_unit) is distinct from (w.account_ext_id, w.business_unit)`,
};

/**
 * Asked where a series has a newer record, sent or not. The blocks come newest first and the search ends at the first record: nearly always in
 * the first block.
 */
const NEWER_SENT = {
  name: 'outbox-newer-sent',
  text: `
select w.ord, newer.balance_at as newer_sent_at
from unnest(${unseen('$1::integer[]')}, $2::bigint[], $3::text[], $4::timestamptz[]) as w(ord, account_id, balance_type, balance_at)
join account a on ${lookedUp('a.id', 'w.account_id')}
cross join lateral (
  select r.balance_at from ${blocksDown('amlyze_record')} cross join lateral (
    select r.balance_at from amlyze_record r join record_state s on ${lookedUp('s.record_id', 'r.id')}
    where ${inBlock('r.id')} and r.account_id = w.account_id and r.balance_type = w.balance_type
      and r.balance_at > w.balance_at and r.account_ext_id = a.account_ext_id
      and (s.state in ('accepted', 'sending') or s.in_doubt)
    order by r.balance_at desc
    limit 1
  ) r
  limit 1
) newer`,
};

/** A key that is looked up, and the instant of the balance that is to be recorded under it. */
export interface AskedKey {
  accountId: string;
  balanceType: string;
  key: string;
  /** RFC 3339, UTC. */
  balanceAt: string;
  /** As the account was registered when the caller looked. */
  account?: AmlyzeAccount;
}

const NOTHING_KNOWN: KeyState = { latest: undefined, newerSentAt: undefined, account: undefined };

interface KeyStateRow {
  ord: number;
  revision: number | null;
  value: string;
  communication_number: string;
  settings_hash: string;
  is_older: boolean;
  account_ext_id: string;
  business_unit: string | null;
  sent_to: string;
  sent_to_unit: string | null;
}

/**
 * Looks up many keys at once, in the order asked.
 *
 * @param purpose whoever records what is found holds back what is newer in the series, so that it stays true until the commit
 */
export async function findKeyStates(
  tx: Queryable,
  keys: readonly AskedKey[],
  purpose: 'look' | 'record',
): Promise<KeyState[]> {
  if (keys.length === 0) return [];
  const states = keys.map(() => NOTHING_KNOWN);
  const rows = await tx.query<KeyStateRow>(KEY_STATES, [
    keys.map((k) => k.accountId),
    keys.map((k) => k.balanceType),
    keys.map((k) => k.key),
    keys.map((k) => k.balanceAt),
    columnOf(keys, (k) => k.account?.accountExtId),
    columnOf(keys, (k) => k.account?.businessUnit),
  ]);
  const older = new Set(rows.filter((row) => row.is_older).map(({ ord }) => ord));
  const newerSent = older.size === 0 ? undefined : await findNewerSent(tx, toOrdered(keys, older), purpose);
  for (const row of rows) {
    states[row.ord - 1] = {
      latest: toLatest(row),
      newerSentAt: newerSent?.get(row.ord),
      account: { accountExtId: row.account_ext_id, businessUnit: row.business_unit ?? undefined },
    };
  }
  return states;
}

function toLatest(row: KeyStateRow): LatestRecord | undefined {
  const { revision, value, communication_number: communicationNumber, settings_hash: settingsHash } = row;
  if (revision === null) return undefined;
  const accountExtId = row.sent_to;
  const businessUnit = row.sent_to_unit ?? undefined;
  return { revision, value, communicationNumber, settingsHash, accountExtId, businessUnit };
}

type OrderedKey = AskedKey & { ord: number };

function toOrdered(keys: readonly AskedKey[], ords: ReadonlySet<number>): OrderedKey[] {
  return keys.map((key, index) => ({ ...key, ord: index + 1 })).filter(({ ord }) => ords.has(ord));
}

/** A record that AMLYZE has or may have and that is newer than the balance, for those of the keys that have one. */
async function findNewerSent(
  tx: Queryable,
  asked: readonly OrderedKey[],
  purpose: 'look' | 'record',
): Promise<ReadonlyMap<number, Date>> {
  if (purpose === 'record') await holdNewer(tx, asked);
  const rows = await tx.query<{ ord: number; newer_sent_at: Date }>(NEWER_SENT, [
    asked.map(({ ord }) => ord),
    asked.map((key) => key.accountId),
    asked.map((key) => key.balanceType),
    asked.map((key) => key.balanceAt),
  ]);
  return new Map(rows.map(({ ord, newer_sent_at: at }) => [ord, at]));
}
