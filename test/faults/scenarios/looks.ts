import assert from 'node:assert/strict';
import { ofKind } from '../checker/evidence';
import { eventually } from '../../support/eventually';
import type { History, HistoryLine } from '../rig/history';
import type { World } from '../rig/world';

/** Calls to AMLYZE so far, in order. */
export function amlyzeCalls(world: World): Extract<HistoryLine, { kind: 'call' }>[] {
  return ofKind(world.history.lines, 'call').filter(({ to }) => to === 'amlyze');
}

/** Waits for a line of the history, in the moment it is written. */
export async function lineOf<K extends HistoryLine['kind']>(
  world: World,
  kind: K,
  accept: (line: Extract<HistoryLine, { kind: K }>) => boolean,
  deadlineMs = 60_000,
): Promise<Extract<HistoryLine, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      end();
      reject(new Error(`no ${kind} within ${deadlineMs} ms`));
    }, deadlineMs);
    const end = world.history.listen((line) => {
      if (line.kind !== kind || !accept(line as Extract<HistoryLine, { kind: K }>)) return;
      clearTimeout(timer);
      end();
      resolve(line as Extract<HistoryLine, { kind: K }>);
    });
  });
}

/** How many records were accepted by an "already used" after doubt. */
export async function replayed(world: World): Promise<number> {
  const [row] = await world.query<{ n: number }>(
    `select count(*)::int as n from record_with_state where state = 'accepted' and reason = 'replayed'`,
  );
  return row?.n ?? 0;
}

/** Every account has one accepted record and AMLYZE has no other. */
export async function assertAllAccepted(world: World, accounts: number): Promise<void> {
  assert.deepEqual(await world.states(), { accepted: accounts });
  assert.equal((await world.amlyze.ledger()).length, accounts, 'the ledger has every record once');
}

export async function count(world: World, sql: string, values: unknown[] = []): Promise<number> {
  const [row] = await world.query<{ n: number }>(`select count(*)::int as n from ${sql}`, values);
  return row?.n ?? 0;
}

/** Waits until the history shows it. */
export async function until(
  world: World,
  what: string,
  check: (history: History) => boolean,
  deadlineMs = 60_000,
): Promise<void> {
  await eventually(what, async () => check(world.history), deadlineMs);
}

/** An answer that the wire has taken away. */
export function isReset(line: HistoryLine): line is Extract<HistoryLine, { kind: 'return' }> {
  return line.kind === 'return' && line.how === 'reset';
}

/** Many reads come back at a time, so that the first batches are full ones and not of the first record alone. */
export async function bankInStep(world: World): Promise<void> {
  await world.mypos.addFault({ do: { kind: 'latency', ms: 200 } });
}
