import { percentile, type Figure } from '../figure';
import type { BenchRig } from '../rig/bench-rig';
import type { BenchGateway } from '../rig/gateway';
import { twoAges, type TwoAges } from '../rig/history';
import { peakRss, type Measure } from './measure';

const CALLS = 150;
/** A question that is slow all the time is asked less often; its figure is bad enough. */
const PATIENCE_MS = 4_000;
const MOST_MS = 50;

/** What is asked, call by call; `n` picks another account, run or record each time. */
type Question = (n: number) => string;

/** How long an operator waits for a list by any documented filter and for an explanation, with millions of records. */
export const lists: Measure = {
  name: 'lists',
  partOf: 'whole-run',
  async take(rig, options) {
    const ages = await twoAges(rig, options);
    const gateway = await rig.startGateway(ages.old);
    const questions = await questionsFor(rig, ages);
    const rounds = options.rounds ?? 3;
    const latencies = new Map<string, number[][]>(Object.keys(questions).map((name) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, question] of Object.entries(questions)) {
        latencies.get(name)?.push(await ask(gateway, question, round));
      }
    }
    return { voids: [], figures: [...figuresOf(latencies), peakRss([gateway.peakRssMb])] };
  },
};

/** One after the other, as a person or a script asks. */
async function ask(gateway: BenchGateway, question: Question, round: number): Promise<number[]> {
  const latenciesMs: number[] = [];
  const endMs = performance.now() + PATIENCE_MS;
  for (let n = 0; n < CALLS && performance.now() < endMs; n += 1) {
    const path = question(round * CALLS + n);
    const beganMs = performance.now();
    await gateway.ok('GET', path);
    latenciesMs.push(performance.now() - beganMs);
  }
  return latenciesMs;
}

function figuresOf(latencies: ReadonlyMap<string, number[][]>): Figure[] {
  const medians = [...latencies.values()].map((rounds) => rounds.map((each) => percentile(each, 0.5)));
  const slowestMedian = (medians[0] ?? []).map((_, round) => Math.max(...medians.map((each) => each[round] ?? NaN)));
  return [
    { name: 'the slowest of all these, p50', unit: 'ms', rounds: slowestMedian },
    ...[...latencies].map(([name, rounds]) => ({
      name: `${name}, p99`,
      unit: 'ms',
      rounds: rounds.map((each) => percentile(each, 0.99)),
      target: { atMost: MOST_MS },
    })),
  ];
}

/** Every filter of every list, alone and in the pairs that people use, and the explanation of a record. */
async function questionsFor(rig: BenchRig, { old, accounts }: TwoAges): Promise<Record<string, Question>> {
  const client = await rig.session(old);
  const { rows } = await client.query<{
    numbers: string[];
    runs: string[];
    cursor: string;
    connection: string;
    consent: string;
  }>(
    `select (select array_agg(communication_number) from amlyze_record where id in
    (select (random() * (select max(id) from amlyze_record))::bigint from generate_series(1, 1000))) as numbers,
  (select array_agg(id::text order by id) from sync_run) as runs, (select (max(id) / 2)::text from amlyze_record) as cursor,
  (select min(id)::text from connection) as connection, (select min(id)::text from consent) as consent`,
  );
  await client.end();
  const [found] = rows;
  if (!found) throw new Error('the history is empty');
  const account = (n: number): number => 1 + ((n * 7919) % accounts);
  const run = (n: number): string => found.runs[n % found.runs.length] ?? '';
  const cursor = Buffer.from(found.cursor).toString('base64url');
  const { connection, consent } = found;
  return {
    'explanation of a record': (n) => `/admin/records/${found.numbers[n % found.numbers.length]}`,
    'records, from the middle on': () => `/admin/records?cursor=${cursor}`,
    'records by state accepted': () => '/admin/records?state=accepted',
    'records by state rejected': () => `/admin/records?state=rejected&cursor=${cursor}`,
    'records by state pending': () => '/admin/records?state=pending',
    'records by accountId': (n) => `/admin/records?accountId=${account(n)}`,
    'records by accountId and state': (n) => `/admin/records?accountId=${account(n)}&state=rejected`,
    'records by runId': (n) => `/admin/records?runId=${run(n)}`,
    'records by runId and state': (n) => `/admin/records?runId=${run(n)}&state=rejected`,
    'records by errorCode': (n) => `/admin/records?errorCode=O00${n % 5}`,
    'records by operationExtId': (n) => `/admin/records?operationExtId=none-${n}`,
    'readings, from the middle on': () => `/admin/readings?cursor=${cursor}`,
    'readings by accountId': (n) => `/admin/readings?accountId=${account(n)}`,
    'readings by runId': (n) => `/admin/readings?runId=${run(n)}`,
    'readings by outcome READ': () => '/admin/readings?outcome=READ',
    'readings by outcome BANK_UNAVAILABLE': () => '/admin/readings?outcome=BANK_UNAVAILABLE',
    'readings by runId and outcome': (n) => `/admin/readings?runId=${run(n)}&outcome=BANK_UNAVAILABLE`,
    'readings by accountId and outcome': (n) => `/admin/readings?accountId=${account(n)}&outcome=BANK_UNAVAILABLE`,
    'accounts by connectionId': () => `/admin/accounts?connectionId=${connection}`,
    'accounts by consentId': () => `/admin/accounts?consentId=${consent}`,
    'accounts by status closed': () => '/admin/accounts?status=closed',
    'accounts by accountExtId': (n) => `/admin/accounts?accountExtId=MP-${String(account(n)).padStart(7, '0')}`,
    'consents by connectionId': () => `/admin/consents?connectionId=${connection}`,
    runs: () => '/admin/runs',
    'a run': (n) => `/admin/runs/${run(n)}`,
  };
}
