import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Environment } from '../config/environment';
import { Database } from '../shared/database';
import type { Queryable } from '../shared/database';
import { SecretBox, SecretProblem } from '../shared/secret-box';
import { CONNECTION_VERSION } from './connection-version';
import type { FailedRead, ProviderConnection } from './provider';

/** A new token from the provider. */
export interface GrantedToken {
  kind: 'granted';
  accessToken: string;
  /** Milliseconds of use from now on, safety margin already taken off. */
  expiresInMs: number;
}

/** Why no token came; it is the failure of the read that needed it. */
export type TokenFailure = FailedRead;

export type ObtainedToken = { kind: 'token'; accessToken: string } | TokenFailure;

/** Whose token: what was asked for with other credentials, or of another host, is not shared with reads of today's. */
type Holder = Pick<ProviderConnection, 'id' | 'version'>;

type RequestToken = () => Promise<GrantedToken | TokenFailure>;

/** A token just read from the database is taken as it is for this long; after that, other replicas' discards count. */
export const TRUSTED_FOR_MS = 1000;
const LONGEST_POLL_MS = 250;

/** The connection is still the one that the caller knows: a token of other credentials, or of another host, is not its own. */
const CURRENT = `(select true from connection where id = $1 and ${CONNECTION_VERSION} = $2)`;

const FIND = {
  name: 'provider-token-find',
  text: `select access_token, (extract(epoch from expires_at - now()) * 1000)::double precision as usable_ms
    from connection_token where connection_id = $1 and expires_at > now() and ${CURRENT}`,
};

const IS_CURRENT = { name: 'provider-token-is-current', text: `select ${CURRENT} as current` };

// The condition is evaluated on the locked row: of several replicas one becomes the renewer, the others get no row.
const CLAIM = {
  name: 'provider-token-claim',
  text: `insert into connection_token as t (connection_id, refreshing_until, epoch)
    select $1, now() + $3 * interval '1 millisecond', 1 where ${CURRENT}
    on conflict (connection_id) do update
      set refreshing_until = excluded.refreshing_until, epoch = t.epoch + 1
      where (t.refreshing_until is null or t.refreshing_until <= now()) and (t.expires_at is null or t.expires_at <= now())
    returning epoch`,
};

const EXTEND = {
  name: 'provider-token-extend',
  text: `update connection_token set refreshing_until = now() + $3 * interval '1 millisecond'
    where connection_id = $1 and epoch = $2 and refreshing_until is not null`,
};

const STORE = {
  name: 'provider-token-store',
  text: `update connection_token
    set access_token = $4, expires_at = now() + $5 * interval '1 millisecond', refreshing_until = null
    where connection_id = $1 and epoch = $3 and refreshing_until is not null and ${CURRENT}
    returning epoch`,
};

const RELEASE = {
  name: 'provider-token-release',
  text: `update connection_token set refreshing_until = null where connection_id = $1 and epoch = $2`,
};

// Compared by the sealed text, so that a token which somebody renewed in the meantime is left alone.
const DISCARD = {
  name: 'provider-token-discard',
  text: `update connection_token set access_token = null, expires_at = null where connection_id = $1 and access_token = $2`,
};

/**
 * Access tokens of whole connections, shared by all replicas through one row each. Renewal is taken by a lease on the
 * row (in database time), its answer stored under the epoch that the lease was given with; no row lock is held over the
 * call. A token is used only after it is stored.
 */
@Injectable()
export class ProviderTokens {
  private readonly inFlight = new Map<string, Promise<ObtainedToken>>();
  private readonly recent = new Map<string, { version: string; accessToken: string; trustedUntil: number }>();

  constructor(
    @Inject(Database) private readonly database: Queryable,
    private readonly secretBox: SecretBox,
    @Inject(Environment) private readonly environment: Pick<Environment, 'leaseSeconds' | 'pollIntervalMs'>,
  ) {}

  /**
   * The connection's token, requested where there is none that is still good.
   * @param request asks the provider; called by one replica at a time
   * @param maxWaitMs how long to wait for another replica's renewal
   */
  async obtain(holder: Holder, request: RequestToken, maxWaitMs = 10_000): Promise<ObtainedToken> {
    const recent = this.recent.get(holder.id);
    if (recent?.version === holder.version && recent.trustedUntil > performance.now()) {
      return { kind: 'token', accessToken: recent.accessToken };
    }
    // Reads of one replica that need the token at the same time share one search, and its failure.
    const key = `${holder.id}|${holder.version}`;
    const running = this.inFlight.get(key);
    if (running) return running;
    const search = this.search(holder, request, maxWaitMs).finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, search);
    return search;
  }

  /** The provider refused this token: nobody shall use it again. A newer one stays. */
  async discard(holder: Holder, accessToken: string): Promise<void> {
    const { id, version } = holder;
    if (this.recent.get(id)?.accessToken === accessToken) this.recent.delete(id);
    const [row] = await this.database.query<{ access_token: string }>(FIND, [id, version]);
    if (row && this.open(id, row.access_token) === accessToken) {
      await this.database.query(DISCARD, [id, row.access_token]);
    }
  }

  private async search(holder: Holder, request: RequestToken, maxWaitMs: number): Promise<ObtainedToken> {
    const giveUpAt = performance.now() + maxWaitMs;
    for (;;) {
      const found = await this.find(holder);
      if (found !== undefined) return { kind: 'token', accessToken: found };
      const epoch = await this.claim(holder);
      if (epoch !== undefined) {
        const renewed = await this.renew(holder, epoch, request);
        if (renewed) return renewed;
      } else if (!(await this.isCurrent(holder))) {
        return CHANGED;
      } else if (performance.now() >= giveUpAt) {
        return WAITED_TOO_LONG;
      } else {
        await wait(Math.min(this.environment.pollIntervalMs, LONGEST_POLL_MS));
      }
    }
  }

  private async find(holder: Holder): Promise<string | undefined> {
    const askedAt = performance.now();
    const [row] = await this.database.query<{ access_token: string; usable_ms: number }>(FIND, [
      holder.id,
      holder.version,
    ]);
    if (!row) return undefined;
    const accessToken = this.open(holder.id, row.access_token);
    if (accessToken === undefined) {
      await this.database.query(DISCARD, [holder.id, row.access_token]);
      return undefined;
    }
    this.trust(holder, accessToken, askedAt + Math.min(TRUSTED_FOR_MS, row.usable_ms));
    return accessToken;
  }

  private async claim({ id, version }: Holder): Promise<string | undefined> {
    const [row] = await this.database.query<{ epoch: string }>(CLAIM, [id, version, this.leaseMs]);
    return row?.epoch;
  }

  private async isCurrent({ id, version }: Holder): Promise<boolean> {
    const [row] = await this.database.query<{ current: boolean | null }>(IS_CURRENT, [id, version]);
    return row?.current === true;
  }

  /** undefined: the lease went to another replica during the call, whose token is the one to use, or the connection was changed. */
  private async renew(holder: Holder, epoch: string, request: RequestToken): Promise<ObtainedToken | undefined> {
    const askedAt = performance.now();
    const heartbeat = setInterval(() => void this.extend(holder.id, epoch), this.leaseMs / 3);
    try {
      const answer = await request();
      if (answer.kind === 'failed') {
        await this.database.query(RELEASE, [holder.id, epoch]);
        return answer;
      }
      const { accessToken } = answer;
      // Its life began when the provider made it, at the earliest when we asked.
      const usableMs = Math.max(0, answer.expiresInMs - (performance.now() - askedAt));
      const sealed = this.secretBox.seal(accessToken, contextOf(holder.id));
      const [stored] = await this.database.query(STORE, [holder.id, holder.version, epoch, sealed, usableMs]);
      if (!stored) return undefined;
      this.trust(holder, accessToken, askedAt + Math.min(TRUSTED_FOR_MS, usableMs));
      return { kind: 'token', accessToken };
    } catch (error) {
      // Without the database the lease ends by itself.
      await this.database.query(RELEASE, [holder.id, epoch]).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** A heartbeat that fails is not reported: the worst that follows is a second renewal. */
  private async extend(connectionId: string, epoch: string): Promise<void> {
    await this.database.query(EXTEND, [connectionId, epoch, this.leaseMs]).catch(() => undefined);
  }

  /** A text that does not open (its key was retired) is as good as no token: a new one can always be had. */
  private open(connectionId: string, sealed: string): string | undefined {
    try {
      return this.secretBox.open(sealed, contextOf(connectionId));
    } catch (error) {
      if (error instanceof SecretProblem) return undefined;
      throw error;
    }
  }

  private trust({ id, version }: Holder, accessToken: string, trustedUntil: number): void {
    this.recent.set(id, { version, accessToken, trustedUntil });
  }

  private get leaseMs(): number {
    return this.environment.leaseSeconds * 1000;
  }
}

const WAITED_TOO_LONG: TokenFailure = {
  kind: 'failed',
  outcome: 'BANK_UNAVAILABLE',
  reason: 'another replica has been renewing the access token for too long',
  retry: 'in-run',
  stops: 'nothing',
  bytesMayHaveLeft: false,
  latencyMs: 0,
};

/** Not the bank's failure, so that it opens no circuit breaker. */
const CHANGED: TokenFailure = {
  kind: 'failed',
  outcome: 'GATEWAY_ERROR',
  reason: 'the connection was changed while its access token was looked for',
  retry: 'in-run',
  stops: 'nothing',
  bytesMayHaveLeft: false,
  latencyMs: 0,
};

function contextOf(connectionId: string): string {
  return `connection_token|access_token|${connectionId}`;
}
