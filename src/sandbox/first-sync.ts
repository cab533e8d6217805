import { setTimeout as wait } from 'node:timers/promises';
import type { RecordView } from '../records/record-views';
import type { ShownLedgerEntry } from '../simulators/control-client';
import type { ReadingView } from '../sync/reading-views';
import type { RunView } from '../sync/run-views';
import { NoAnswer, type AdminApi } from './admin-api';
import type { Simulators } from './processes';

export type SeenReading = Pick<
  ReadingView,
  'id' | 'accountId' | 'accountExtId' | 'runId' | 'outcome' | 'reason' | 'communicationNumber'
>;
export type SeenRecord = Pick<
  RecordView,
  'communicationNumber' | 'accountExtId' | 'state' | 'value' | 'reason' | 'errorCode' | 'errorDescription'
>;

/** What gateway and AMLYZE say about the runs of this sandbox. */
export interface Seen {
  readings: SeenReading[];
  records: SeenRecord[];
  ledger: Pick<ShownLedgerEntry, 'communicationNumber' | 'value'>[];
  /** Of the run that the sandbox started, from its start to its end. */
  seconds: number;
  runId: string;
}

/** Given up when nothing has changed for so long: far beyond the retries within a run and one lease. */
const STALL_MS = 90_000;
const POLL_MS = 150;

/** Reads every account once and waits until AMLYZE's verdict about every record is known. */
export async function syncAll(api: AdminApi, simulators: Simulators, progress: (text: string) => void): Promise<Seen> {
  // A kept database may still be at the work of the sandbox before.
  await settled(api, progress);
  const before = new Set((await api.list<RunView>('/admin/runs')).map(({ id }) => id));
  const { runId } = await api.call<{ runId: string }>('POST', '/admin/resync', { all: true });
  // A slot of the schedule may come in between, and then has some of the accounts before our run has.
  const runs = (await settled(api, progress)).filter(({ id }) => !before.has(id));
  const ours = runs.find(({ id }) => id === runId);
  const each = <T>(list: string): Promise<T[][]> =>
    Promise.all(runs.map(({ id }) => api.list<T>(`/admin/${list}?runId=${id}`)));
  return {
    readings: (await each<SeenReading>('readings')).flat(),
    records: (await each<SeenRecord>('records')).flat(),
    ledger: await simulators.amlyze.ledger(),
    seconds: (Date.parse(ours?.finishedAt ?? '') - Date.parse(ours?.startedAt ?? '')) / 1000,
    runId,
  };
}

/** Waits until no run goes on and no record is on its way; all runs. A restart of the gateway is sat out. */
async function settled(api: AdminApi, progress: (text: string) => void): Promise<RunView[]> {
  let former = '';
  for (let changedAt = performance.now(); ; await wait(POLL_MS)) {
    const runs = await unlessAway(api.list<RunView>('/admin/runs'));
    const open = runs && (await unlessAway(openRecords(api)));
    if (runs && open !== undefined) {
      if (open === 0 && runs.every(({ status }) => status === 'finished')) return runs;
      progress(inWords(runs));
      const now = JSON.stringify([runs, open]);
      if (now !== former) changedAt = performance.now();
      former = now;
    }
    if (performance.now() - changedAt > STALL_MS) {
      throw new Error(`nothing has moved for ${STALL_MS / 1000} s; the logs may say why`);
    }
  }
}

async function openRecords(api: AdminApi): Promise<number> {
  const lists = ['pending', 'sending'].map((state) =>
    api.call<{ items: object[] }>('GET', `/admin/records?state=${state}&limit=1`),
  );
  return (await Promise.all(lists)).reduce((sum, { items }) => sum + items.length, 0);
}

async function unlessAway<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}

function inWords(runs: readonly RunView[]): string {
  const last = runs.at(-1);
  if (!last) return '';
  const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, n) => sum + n, 0);
  const settledRecords = total(last.records) - (last.records['pending'] ?? 0) - (last.records['sending'] ?? 0);
  return `${total(last.outcomes)} of ${last.accounts} read, ${settledRecords} records settled`;
}
