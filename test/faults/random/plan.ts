import type { FaultRule } from '../../../src/simulators/faults';
import type { WireRule } from '../proxy';
import type { Peer } from '../rig/history';
import { Random } from '../rig/random';
import type { Bank } from '../rig/workload';

/** One thing that is done to the system. `replica` is a place: whoever holds it at that moment. */
export type Fault =
  | { kind: 'kill'; replica: number; downMs: number; signal: 'SIGKILL' | 'SIGTERM'; failPoint?: string }
  | { kind: 'pause'; replica: number; forMs: number }
  | { kind: 'postgres-restart'; signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL' }
  | { kind: 'postgres-session' }
  | { kind: 'postgres-pause'; forMs: number }
  | { kind: 'wire'; peer: Peer; rule: WireRule; forMs: number }
  | { kind: 'refuse'; peer: Peer; forMs: number }
  | { kind: 'drop'; peer: Peer }
  | { kind: 'peer'; peer: Peer; rule: FaultRule };

/** What a seed makes of a small workload. Everything that is drawn is in here, so that a seed says all. */
export interface Plan {
  seed: number;
  replicas: number;
  accounts: Record<Bank, number>;
  /** Milliseconds that a healthy answer takes, so that the workload is still under way when faults strike. */
  paceMs: Record<Peer, number>;
  /** Milliseconds after the first run at which some accounts get other balances and a second run is opened; none: no second run. */
  secondRunAtMs: number | undefined;
  /** Milliseconds after the first run. */
  faults: { atMs: number; fault: Fault }[];
}

const MOST_REPLICAS = 3;
/** Faults begin within this time: while the workload is under way. */
const WINDOW_MS = 900;

type Draw = (random: Random) => Fault;

const BANKS: readonly Bank[] = ['mypos', 'onesingleview'];

/** Whole answers of AMLYZE that go wrong. `times` is small, for each costs a pause of the endpoint that doubles. */
const AMLYZE_CALLS: readonly ((random: Random) => FaultRule['do'])[] = [
  (random) => ({ kind: 'status', status: random.pick([500, 502, 503, 504]), afterCommit: random.chance(0.5) }),
  (random) => ({ kind: 'html', status: random.pick([200, 502]), afterCommit: random.chance(0.5) }),
  (random) => ({ kind: 'html-as-json', afterCommit: random.chance(0.5) }),
  () => ({ kind: 'drop-before-read' }),
  () => ({ kind: 'drop-after-commit' }),
  (random) => ({ kind: 'commit-part', count: random.whole(1, 4), drop: random.chance(0.5) }),
  () => ({ kind: 'retry-after', value: '1' }),
  (random) => ({ kind: 'truncate', bytes: random.whole(1, 120) }),
  // Beyond the time-out of the call: AMLYZE has worked on it all the same, now or later.
  (random) => ({ kind: 'latency', ms: random.whole(100, 1_200), before: random.chance(0.5) }),
];

/** Lists of results that are not what they should be. */
const RESULT_LISTS: readonly ((random: Random) => FaultRule['do'])[] = [
  (random) => ({ kind: 'shuffle-results', seed: random.whole(1, 1_000_000) }),
  (random) => ({ kind: 'omit-results', count: random.whole(1, 5) }),
  (random) => ({ kind: 'double-results', count: random.whole(1, 3) }),
  (random) => ({ kind: 'conflicting-results', count: random.whole(1, 3) }),
  (random) => ({ kind: 'mislabelled-results', count: random.whole(1, 3) }),
  () => ({ kind: 'stranger-result' }),
  () => ({ kind: 'null-result' }),
  (random) => ({ kind: 'failed-processing', afterCommit: random.chance(0.5) }),
  (random) => ({ kind: 'too-large', maxItems: random.whole(1, 4) }),
];

const BANK_ANSWERS: readonly ((random: Random) => FaultRule['do'])[] = [
  (random) => ({ kind: 'status', status: random.pick([500, 502, 503]) }),
  () => ({ kind: 'html' }),
  () => ({ kind: 'html-as-json' }),
  () => ({ kind: 'drop-after-commit' }),
  () => ({ kind: 'retry-after', value: '1' }),
  () => ({ kind: 'truncate' }),
  () => ({ kind: 'drip', intervalMs: 300 }),
  (random) => ({ kind: 'latency', ms: random.whole(100, 1_200) }),
];

const WIRE: readonly ((random: Random) => WireRule)[] = [
  (random) => ({ kind: 'latency', ms: random.whole(20, 300), jitterMs: 20 }),
  (random) => ({ kind: 'bandwidth', bytesPerSecond: random.whole(2_000, 50_000) }),
  (random) => ({ kind: 'slow_close', ms: random.whole(50, 500) }),
  (random) => ({ kind: 'timeout', ms: random.pick([0, 300]), direction: random.pick(['up', 'down']), times: 2 }),
  (random) => ({ kind: 'reset_peer', times: random.whole(1, 3) }),
  (random) => ({ kind: 'slicer', bytes: random.whole(1, 40), direction: random.pick(['up', 'down']) }),
  (random) => ({ kind: 'limit_data', bytes: random.whole(10, 800), times: 2 }),
];

const replica = (random: Random): number => random.whole(0, MOST_REPLICAS - 1);

const amlyzeFault =
  (list: typeof AMLYZE_CALLS, most: number): Draw =>
  (random) => {
    const match = { times: random.whole(1, most), after: random.whole(0, 3) };
    return { kind: 'peer', peer: 'amlyze', rule: { match, do: random.pick(list)(random) } };
  };

/** The same kind several times is the same kind more often. */
const DRAWS: readonly Draw[] = [
  (random) => ({ kind: 'kill', replica: replica(random), downMs: random.whole(0, 600), signal: 'SIGKILL' }),
  (random) => ({ kind: 'kill', replica: replica(random), downMs: random.whole(0, 600), signal: 'SIGKILL' }),
  (random) => ({ kind: 'kill', replica: replica(random), downMs: 0, signal: 'SIGTERM' }),
  (random) => ({
    kind: 'kill',
    replica: replica(random),
    downMs: 0,
    signal: 'SIGKILL',
    failPoint: random.pick(['after-claim', 'after-response', 'before-settle']),
  }),
  (random) => ({ kind: 'pause', replica: replica(random), forMs: random.whole(200, 2_500) }),
  (random) => ({ kind: 'pause', replica: replica(random), forMs: random.whole(200, 2_500) }),
  (random) => ({ kind: 'postgres-restart', signal: random.pick(['SIGINT', 'SIGQUIT', 'SIGKILL']) }),
  () => ({ kind: 'postgres-session' }),
  (random) => ({ kind: 'postgres-pause', forMs: random.whole(200, 1_500) }),
  (random) => ({
    kind: 'wire',
    peer: random.pick([...BANKS, 'amlyze', 'amlyze']),
    rule: random.pick(WIRE)(random),
    forMs: random.whole(200, 1_000),
  }),
  (random) => ({ kind: 'refuse', peer: random.pick([...BANKS, 'amlyze']), forMs: random.whole(100, 800) }),
  (random) => ({ kind: 'drop', peer: random.pick([...BANKS, 'amlyze', 'amlyze']) }),
  amlyzeFault(AMLYZE_CALLS, 2),
  amlyzeFault(AMLYZE_CALLS, 2),
  amlyzeFault(RESULT_LISTS, 3),
  amlyzeFault(RESULT_LISTS, 3),
  (random) => ({
    kind: 'peer',
    peer: random.pick(BANKS),
    rule: { match: { times: random.whole(1, 4), after: random.whole(0, 4) }, do: random.pick(BANK_ANSWERS)(random) },
  }),
  (random) => ({
    kind: 'peer',
    peer: random.pick(BANKS),
    rule: { match: { times: random.whole(1, 2), after: random.whole(1, 6) }, do: { kind: 'token-expiry' } },
  }),
];

export function drawPlan(seed: number): Plan {
  const random = new Random(seed);
  const faults = Array.from({ length: random.whole(1, 5) }, () => ({
    atMs: random.chance(0.3) ? 0 : random.whole(0, WINDOW_MS),
    fault: random.pick(DRAWS)(random),
  }));
  return {
    seed,
    replicas: random.pick([1, 2, 2, 3, 3]),
    accounts: { mypos: random.whole(3, 14), onesingleview: random.whole(3, 14) },
    paceMs: {
      mypos: random.whole(30, 200),
      onesingleview: random.whole(30, 200),
      amlyze: random.whole(10, 250),
    },
    secondRunAtMs: random.chance(0.5) ? random.whole(50, WINDOW_MS) : undefined,
    faults: faults.sort((a, b) => a.atMs - b.atMs),
  };
}

/** One line for people. */
export function describePlan({ replicas, accounts, secondRunAtMs, faults }: Plan): string {
  const words = faults.map(({ atMs, fault }) => `${atMs} ms ${describeFault(fault)}`);
  const second = secondRunAtMs === undefined ? [] : [`${secondRunAtMs} ms second run`];
  return [`${replicas} replicas`, `${accounts.mypos}+${accounts.onesingleview} accounts`, ...second, ...words].join(
    ', ',
  );
}

export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `${fault.failPoint === undefined ? fault.signal : `death at ${fault.failPoint}`} of replica ${fault.replica + 1}`;
    case 'pause':
      return `SIGSTOP of replica ${fault.replica + 1} for ${fault.forMs} ms`;
    case 'postgres-restart':
      return `Postgres restarted by ${fault.signal}`;
    case 'postgres-session':
      return 'kill -9 of a Postgres session';
    case 'postgres-pause':
      return `SIGSTOP of Postgres for ${fault.forMs} ms`;
    case 'wire':
      return `${fault.rule.kind} on the wire to ${fault.peer} for ${fault.forMs} ms`;
    case 'refuse':
      return `${fault.peer} refuses for ${fault.forMs} ms`;
    case 'drop':
      return `connections to ${fault.peer} dropped`;
    case 'peer':
      return `${fault.peer} ${fault.rule.do.kind} x${fault.rule.match?.times ?? 'ever'}`;
  }
}
