import { Injectable, Logger } from '@nestjs/common';
import { Client, type Pool } from 'pg';
import type { Queryable } from './database';
import { within } from './within';

/** What a replica tells all others: there are accounts that wait to be read. */
export type Notice = 'reads-due';

const CHANNEL = 'open_banking_gateway';
/** A server that hangs answers no goodbye; neither a shutdown nor the next session waits longer for it. */
const GOODBYE_MS = 1_000;

/** Every replica, this one too, hears it the moment the transaction has committed. */
export async function giveNotice(tx: Queryable, notice: Notice): Promise<void> {
  await tx.query({ name: 'give-notice', text: 'select pg_notify($1, $2)' }, [CHANNEL, notice]);
}

/**
 * Hears what the replicas on one database tell each other, on a session of its own (LISTEN). It only saves time: polls find the same
 * work, so what is told while that session is lost comes a poll later.
 */
@Injectable()
export class Notices {
  private readonly logger = new Logger(Notices.name);
  private readonly listeners = new Map<string, () => void>();
  private session: Client | undefined;
  private closed = false;

  /** @param pool whose sessions the one that listens is like */
  constructor(private readonly pool: Pool) {}

  /** Calls `listener` whenever a replica gives that notice. */
  on(notice: Notice, listener: () => void): void {
    this.listeners.set(notice, listener);
  }

  /** Opens the session, again where it was lost. Called at every poll. */
  async tend(): Promise<void> {
    if (this.session || this.closed) return;
    const session = new Client(this.pool.options);
    session.on('notification', ({ payload = '' }) => this.listeners.get(payload)?.());
    // Without a listener for errors a lost session would end the process. Its end follows, and is no news then.
    session.on('error', (error) => this.lose(session, error));
    session.on('end', () => this.lose(session, new Error('the session has ended')));
    try {
      await session.connect();
      await session.query(`listen ${CHANNEL}`);
    } catch (error) {
      await end(session);
      throw error;
    }
    this.session = session;
    if (this.closed) await this.close();
  }

  async close(): Promise<void> {
    this.closed = true;
    const { session } = this;
    this.session = undefined;
    if (session) await end(session);
  }

  private lose(session: Client, reason: Error): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.logger.warn({
      msg: 'other replicas are not heard until the next poll; nothing is lost',
      error: String(reason),
    });
  }
}

async function end(session: Client): Promise<void> {
  // Of a session that is lost already there is nothing to end.
  const ended = session.end().catch(() => undefined);
  await within(GOODBYE_MS, ended);
}
