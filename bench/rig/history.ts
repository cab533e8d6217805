import type { Client } from 'pg';
import type { Options } from '../options';
import { tellPeers } from './accounts';
import type { BenchRig } from './bench-rig';
import type { Installation } from './gateway';
import { gatewayRound } from './gateway-round';
import { registered } from './registered';
import * as sql from './history-sql';

/** One installation that has just begun, and one of the same accounts with years behind it. */
export interface TwoAges {
  fresh: Installation;
  old: Installation;
  accounts: number;
  /** Settled records of the old one, each with its reading, key, attempt and result. */
  records: number;
  /** What it took to make them. */
  seedSeconds: number;
  /** Tables and indexes, for each of these records with all that belongs to it. */
  bytesPerRecord: number;
}

const FULL = { accounts: 20_000, records: 5_000_000 };

/** Soon after they were written, so that a checkpoint in between does not make Postgres log the pages whole for it. */
const COPIES_BETWEEN_VACUUMS = 10;

const made = new WeakMap<BenchRig, Promise<TwoAges>>();

/** Seeded once for all measures of a run; the simulators are told of the accounts every time. */
export async function twoAges(rig: BenchRig, options: Options): Promise<TwoAges> {
  let ages = made.get(rig);
  if (ages) await tellPeers(rig.peers, (await ages).accounts);
  else made.set(rig, (ages = seed(rig, options)));
  return ages;
}

async function seed(rig: BenchRig, options: Options): Promise<TwoAges> {
  const accounts = options.accounts ?? FULL.accounts;
  const copies = Math.max(1, Math.round((options.records ?? FULL.records) / accounts));
  const fresh = await registered(rig, accounts);
  const old = await rig.copy(fresh);
  const client = await rig.session(old);
  const gateway = await rig.startGateway(old);
  await gatewayRound(gateway, { client, amlyze: rig.peers.amlyze.control }, { all: true });
  await gateway.stop();
  await client.end();
  const beganMs = performance.now();
  await copyRun(rig, old, copies);
  const seedSeconds = (performance.now() - beganMs) / 1000;
  const bytesPerRecord = ((await sizeOf(rig, old)) - (await sizeOf(rig, fresh))) / (accounts * copies);
  return { fresh, old, accounts, records: accounts * copies, seedSeconds, bytesPerRecord };
}

async function sizeOf(rig: BenchRig, installation: Installation): Promise<number> {
  const client = await rig.session(installation);
  const { rows } = await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  await client.end();
  return Number(rows[0]?.bytes);
}

/** Multiplies the one run that the gateway has made. No trigger and no foreign key looks at what is copied. */
async function copyRun(rig: BenchRig, installation: Installation, copies: number): Promise<void> {
  const sessions = await Promise.all([bulkSession(rig, installation), bulkSession(rig, installation)]);
  const [client] = sessions;
  for (const statement of sql.moveOriginal(copies)) await client.query(statement);
  await client.query(`analyze ${sql.HISTORY_TABLES.join(', ')}`);
  const { rows: secondary } = await client.query<sql.SecondaryIndex>(sql.SECONDARY, [sql.HISTORY_TABLES]);
  for (const { index, constraint, table } of secondary) {
    await client.query(
      constraint === null ? `drop index ${index}` : `alter table ${table} drop constraint ${constraint}`,
    );
  }
  const { rows } = await client.query<sql.Spans>(sql.SPANS);
  const [spans] = rows;
  if (!spans) throw new Error('there is no run to copy');
  const statements = sql.copyStatements(spans);
  // The first rows of a table that grows: by statistics of its beginning they are worth reading all of it.
  await Promise.all(sessions.map((session) => session.query('set enable_seqscan = off')));
  await share(sessions, numbersTo(copies), async (session, copy) => {
    for (const statement of statements) await session.query(statement, [copy]);
    if (copy % COPIES_BETWEEN_VACUUMS > 0) return;
    for (const table of sql.HISTORY_TABLES) await session.query(`vacuum (freeze, index_cleanup off) ${table}`);
  });
  await Promise.all(sessions.map((session) => session.query('reset enable_seqscan')));
  await share(sessions, secondary, async (session, { make }) => {
    await session.query(make);
  });
  for (const statement of sql.ADVANCE_SEQUENCES) await client.query(statement);
  await client.query(sql.COUNT_RUNS);
  // What autovacuum would have done meanwhile; otherwise it would begin in the middle of a round.
  await share(sessions, sql.HISTORY_TABLES, async (session, table) => {
    await session.query(`vacuum analyze ${table}`);
  });
  await Promise.all(sessions.map((session) => session.end()));
}

async function bulkSession(rig: BenchRig, installation: Installation): Promise<Client> {
  const client = await rig.session(installation);
  await client.query(
    `set session_replication_role = replica; set maintenance_work_mem = '512MB'; set work_mem = '64MB'; set synchronous_commit = off`,
  );
  return client;
}

const numbersTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);

/** Does `work` for every item, in their order, on whichever session is free. */
async function share<T>(
  sessions: readonly Client[],
  items: readonly T[],
  work: (session: Client, item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    sessions.map(async (session) => {
      for (const item of left) await work(session, item);
    }),
  );
}
