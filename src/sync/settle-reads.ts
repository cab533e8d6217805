import { pauseConnection } from '../connections/pause-connection';
import { isRead } from '../consents/read-window';
import type { Queryable } from '../shared/database';
import { lookedUp } from '../shared/looked-up';
import type { ClaimedSubject } from './claim-reads';
import type { Stop, SubjectResult } from './subject-result';
import { consentVersion } from './subject-state';

/** The runs go on waiting for this subject, and its next try is due after the wait. */
export async function setRepeat(tx: Queryable, result: SubjectResult): Promise<void> {
  await tx.query(
    `update waiting_account set due_at = now() + make_interval(secs => $2::float8 / 1000), tries = tries + 1 where subject_id = $1`,
    [result.subject.state.subjectId, result.repeatAfterMs ?? 0],
  );
}

/** Gives reads back to the budget that cannot have reached the bank. */
export async function giveBackReads(
  db: Queryable,
  unspent: readonly Pick<ClaimedSubject, 'state' | 'requestId'>[],
): Promise<void> {
  if (unspent.length === 0) return;
  await db.query(
    `delete from access_ledger l using unnest($1::bigint[], $2::bigint[], $3::uuid[]) as x(consent_id, subject_id, request_id)
where ${isRead('l')}`,
    [
      unspent.map(({ state }) => state.consentRowId),
      unspent.map(({ state }) => state.subjectId),
      unspent.map(({ requestId }) => requestId),
    ],
  );
}

/**
 * Writes down what the bank asked for, so that every replica keeps to it and a restart does not forget it. True where a consent
 * or a connection stands still from now on until a person acts.
 */
export async function stopAsAsked(tx: Queryable, subject: ClaimedSubject, stop: Stop): Promise<boolean> {
  const { subjectId, consentRowId, consentVersion: version, connectionId } = subject.state;
  switch (stop.kind) {
    case 'wait': {
      const table = { account: 'access_subject', consent: 'consent', connection: 'connection' }[stop.scope];
      const id = { account: subjectId, consent: consentRowId, connection: connectionId }[stop.scope];
      await tx.query(
        `update ${table} set not_before = greatest(not_before, now() + make_interval(secs => $2::float8 / 1000)), not_before_reason = $3 where id = $1`,
        [id, stop.forMs, stop.reason],
      );
      return false;
    }
    case 'stop': {
      const stopped = await tx.query(
        `update consent c set stopped_outcome = $2, stopped_reason = $3, stopped_at = now(), updated_at = now()
where id = $1 and stopped_outcome is null and ${consentVersion('c')} = $4 returning id`,
        // One that was changed while this call was under way must not be stopped for its predecessor's refusal: the next read will tell.
        [consentRowId, stop.outcome, stop.reason, version],
      );
      return stopped.length > 0;
    }
    case 'pause':
      // One that was changed while this call was under way: if its new certificate is no better, the next read will tell.
      return pauseConnection(tx, connectionId, stop);
  }
}

/** The provider's type that the records of one series are made of. */
export interface TypePin {
  accountId: string;
  /** AMLYZE's balance type. */
  code: string;
  providerType: string;
}

/** The first record of a series pins it to the provider's type it was made of; an existing pin stays. */
export async function pinTypes(tx: Queryable, pins: readonly TypePin[]): Promise<void> {
  if (pins.length === 0) return;
  await tx.query(
    {
      name: 'sync-pin-types',
      text: `update account a set pinned_types = p.types || a.pinned_types
from (select account_id, jsonb_object_agg(code, provider_type) as types
      from unnest($1::bigint[], $2::text[], $3::text[]) as f(account_id, code, provider_type) group by account_id order by account_id) p
where ${lookedUp('a.id', 'p.account_id')}`,
    },
    [pins.map((pin) => pin.accountId), pins.map((pin) => pin.code), pins.map((pin) => pin.providerType)],
  );
}
