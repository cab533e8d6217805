import { buildAccountBalanceRecord } from '../amlyze/account-balance-record';
import { communicationNumber } from '../amlyze/communication-number';
import type { CardVault } from '../operations/card-vault';
import { COLLIDED } from '../outbox/claimed-record';
import { enqueueBalances } from '../outbox/enqueue';
import { holdNewer } from '../outbox/hold-newer';
import { REQUEUEABLE_STATES, type RecordState } from '../outbox/record-state';
import { amlyzeAccount, isSameAccount, nameOf, type AmlyzeAccount } from '../shared/amlyze-account';
import type { Queryable } from '../shared/database';
import { blocksDown, inBlock } from '../shared/id-block';
import { lookedUp } from '../shared/looked-up';
import { forgetCount } from '../sync/count-runs';
import { KEYS_OF_RECORD } from '../sync/plan-records';
import { frozenFields } from './frozen-balance';
import { findLatest, makeNextOperation, operationRefusal } from './requeue-operation';

/** What an operator asked for; each flag confirms one danger. */
export interface RequeueRequest {
  reason: string | undefined;
  newNumber: boolean;
  confirmDouble: boolean;
  confirmOlder: boolean;
}

export type RequeueAnswer =
  | { kind: 'requeued'; communicationNumber: string }
  | { kind: 'refused'; detail: string }
  /** The state of the record asks for a reason. */
  | { kind: 'reason-missing'; message: string }
  | { kind: 'unknown' };

interface RequeueRow {
  id: string;
  communication_number: string;
  kind: 'balance' | 'operation';
  channel: string;
  operation_ext_id: string | null;
  sealed: boolean;
  state: RecordState;
  reason: string | null;
  in_doubt: boolean;
  /** AMLYZE had the number once, and not from us; requeued since, the record may stand there for another reason. */
  collided: boolean;
  account_id: string | null;
  account_ext_id: string | null;
  business_unit: string | null;
  reading_id: string | null;
  run_id: string | null;
  balance_type: string | null;
  balance_at: Date | null;
  value: string | null;
  /** null: shredded. */
  payload: string | null;
  key: string | null;
  key_revision: number | null;
  settings_hash: string | null;
  /** AMLYZE has it, or may be getting it. */
  newer_sent: string | null;
  /** The balance's account as it is registered now; the record's own names are frozen. */
  account_now: string | null;
  unit_now: string | null;
}

const LOAD = `
select r.id, r.communication_number, r.kind, r.channel, r.operation_ext_id, r.sealed, s.state, s.reason, s.in_doubt, r.account_id, r.account_ext_id, r.business_unit, r.reading_id,
  exists (select from delivery_result d where ${lookedUp('d.record_id', 'r.id')} and ${COLLIDED}) as collided, r.run_id, r.balance_type, r.balance_at, r.value, r.payload, k.key, k.revision as key_revision, k.settings_hash,
  (select newer.communication_number
   from ${blocksDown('amlyze_record')} cross join lateral (
     select n.communication_number, n.balance_at from amlyze_record n join record_state t on ${lookedUp('t.record_id', 'n.id')}
     where ${inBlock('n.id')} and n.account_id = r.account_id and n.balance_type = r.balance_type
       and (t.state in ('accepted', 'sending') or (t.state = 'pending' and t.in_doubt))
       and n.balance_at >= r.balance_at and (n.balance_at, n.revision) > (r.balance_at, r.revision)
     order by n.balance_at desc limit 1
   ) newer
   order by newer.balance_at desc limit 1) as newer_sent, a.account_ext_id as account_now, a.business_unit as unit_now
from amlyze_record r join record_state s on s.record_id = r.id left join account a on a.id = r.account_id
left join record_key k on k.key = any(${KEYS_OF_RECORD}) and k.account_id = r.account_id and k.balance_type = r.balance_type
  and k.communication_number = r.communication_number
where r.communication_number = $1`;

// Whoever gives the account another name at AMLYZE waits, or is waited for: the account before its records, in both.
const LOCK_ACCOUNT = `select from account where id = (select account_id from amlyze_record where communication_number = $1) for key share`;

const LOCK = `select account_id as "accountId", balance_type as "balanceType", balance_at as "balanceAt", revision from record_state
where record_id = (select id from amlyze_record where communication_number = $1) for update`;

interface LockedRow {
  accountId: string | null;
  balanceType: string | null;
  balanceAt: Date | null;
  revision: number;
}

/** A balance; operations belong to no series. */
function isOfSeries(
  row: LockedRow | undefined,
): row is LockedRow & { accountId: string; balanceType: string; balanceAt: Date } {
  return row !== undefined && row.accountId !== null && row.balanceType !== null && row.balanceAt !== null;
}

/** What making a new revision needs beside the record. */
export interface RequeueContext {
  installationId: string;
  prefix: string;
  /** AMLYZE_BUSINESS_UNIT. */
  businessUnit: string | undefined;
  vault: CardVault;
}

/** Puts a settled record back, with its own number and bytes, or as a new revision with a new number. Inside `tx`. */
export async function requeue(
  tx: Queryable,
  number: string,
  request: RequeueRequest,
  context: RequeueContext,
): Promise<RequeueAnswer> {
  await tx.query(LOCK_ACCOUNT, [number]);
  // Locked by a statement of its own: only the next one sees what a requeue that held the lock before has made.
  const [locked] = await tx.query<LockedRow>(LOCK, [number]);
  if (isOfSeries(locked)) await holdNewer(tx, [{ ...locked, balanceAt: locked.balanceAt.toISOString() }]);
  const [row] = await tx.query<RequeueRow>(LOAD, [number]);
  if (!row) return { kind: 'unknown' };
  const operation = row.kind === 'operation' ? await findLatest(tx, row) : undefined;
  if (isOver(row) && row.state !== 'exhausted' && request.reason === undefined)
    return {
      kind: 'reason-missing',
      message: `is required for a ${row.state} record: say why sending it again is right`,
    };
  const detail =
    (row.kind === 'operation' && isOver(row) && operationRefusal(row, operation)) || refusal(row, request, context);
  if (detail !== undefined) return { kind: 'refused', detail };
  await forgetCount(tx, row.id);
  if (!request.newNumber) {
    await tx.query(
      `update record_state set state = 'pending', reason = null, settled_at = null, created_at = now(), next_attempt_at = now(),
  attempts = 0, whole_failures = 0, batch_group = null where record_id = $1`,
      [row.id],
    );
    return { kind: 'requeued', communicationNumber: row.communication_number };
  }
  const next = operation
    ? await makeNextOperation(tx, row, operation, context)
    : await makeNextRevision(tx, row, context);
  return { kind: 'requeued', communicationNumber: next };
}

function isOver({ state }: RequeueRow): boolean {
  return REQUEUEABLE_STATES.some((requeueable) => requeueable === state);
}

/** The first thing that speaks against it, with what to do about it. */
function refusal(row: RequeueRow, request: RequeueRequest, context: RequeueContext): string | undefined {
  if (!isOver(row)) {
    return `The record is ${row.state}; only held, rejected and exhausted records can be requeued.`;
  }
  const account = accountNow(row, context);
  // In doubt it may be there, and only the same number, sent again, can tell.
  const frozen = accountOf(row);
  if (account && frozen && !request.newNumber && !row.in_doubt && !isSameAccount(account, frozen)) {
    return `The record is for ${nameOf(frozen)}, and AMLYZE has this account as ${nameOf(account)} now; send newNumber: true, which makes it for that one.`;
  }
  if (row.newer_sent !== null && !request.confirmOlder) {
    return `AMLYZE has, or is getting, the newer ${row.newer_sent} of this account and type; send confirmOlder: true if the older balance shall still go out.`;
  }
  if (!request.newNumber) {
    return row.key === null && row.kind === 'balance' && !request.confirmDouble
      ? 'A later revision of this balance exists and may go out too; requeue that one, or send confirmDouble: true.'
      : undefined;
  }
  if ((row.in_doubt || row.reason === 'COLLISION' || row.collided) && !request.confirmDouble) {
    return `AMLYZE may have this ${row.kind} already, and a new number could double it; look there first, then send confirmDouble: true.`;
  }
  if (row.key === null && row.kind === 'balance')
    return 'The record has been superseded by a later revision; requeue that one.';
  return undefined;
}

/** The account at AMLYZE that the record is for; undefined for an operation. */
function accountOf({ account_ext_id: accountExtId, business_unit: unit }: RequeueRow): AmlyzeAccount | undefined {
  return accountExtId === null ? undefined : { accountExtId, businessUnit: unit ?? undefined };
}

/** The account at AMLYZE that a record of today would be for; undefined for an operation. */
function accountNow(
  { account_now: accountExtId, unit_now: businessUnit }: RequeueRow,
  { businessUnit: configured }: RequeueContext,
): AmlyzeAccount | undefined {
  return accountExtId === null ? undefined : amlyzeAccount({ accountExtId, businessUnit }, configured);
}

/** For the account as AMLYZE has it now: under a number of its own nothing binds it to the name before. */
async function makeNextRevision(tx: Queryable, row: RequeueRow, context: RequeueContext): Promise<string> {
  const { account_id, balance_type, balance_at, value, key, key_revision, settings_hash, reading_id } = row;
  const account = accountNow(row, context);
  if (
    account_id === null ||
    account === undefined ||
    balance_type === null ||
    balance_at === null ||
    value === null ||
    row.payload === null
  ) {
    throw new Error(`record ${row.communication_number} is no balance`);
  }
  if (key === null || key_revision === null || settings_hash === null || reading_id === null) {
    throw new Error(`record ${row.communication_number} has no business key`);
  }
  const revision = key_revision + 1;
  const next = communicationNumber({
    prefix: context.prefix,
    installationId: context.installationId,
    kind: 'balance',
    date: dateOf(row.communication_number),
    key: `${account_id}|${balance_type}|${key}`,
    revision,
  });
  const { businessUnit: _before, ...fields } = frozenFields(row.payload);
  const { accountExtId, businessUnit } = account;
  const payload = buildAccountBalanceRecord({
    ...fields,
    communicationNumber: next,
    accountExtId,
    ...(businessUnit === undefined ? {} : { businessUnit }),
  });
  await enqueueBalances(tx, [
    {
      communicationNumber: next,
      accountId: account_id,
      accountExtId,
      businessUnit,
      readingId: reading_id,
      runId: row.run_id ?? undefined,
      balanceType: balance_type,
      balanceAt: balance_at.toISOString(),
      value,
      key,
      revision,
      supersedes: { communicationNumber: row.communication_number, reason: 'new-number' },
      payload,
      settingsHash: settings_hash,
    },
  ]);
  return next;
}

/** The date segment of the record's own number: a new revision stays beside it in the index. */
function dateOf(number: string): string {
  const digits = /-(\d{4})(\d{2})(\d{2})-[^-]+$/.exec(number);
  if (!digits) throw new Error(`${number} is no number of this gateway`);
  return `${digits[1]}-${digits[2]}-${digits[3]}`;
}
