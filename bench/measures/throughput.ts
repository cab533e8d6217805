import type { Client } from 'pg';
import { median, quotients, type Figure } from '../figure';
import type { RoundResult, RowSample } from '../references/serve';
import type { BenchRig } from '../rig/bench-rig';
import type { BenchGateway } from '../rig/gateway';
import { gatewayRound, ledgerEnd, type RoundFigures } from '../rig/gateway-round';
import type { ReferenceProcess } from '../rig/reference-process';
import { registered } from '../rig/registered';
import { contentsOf, differences, ledgerProblem } from '../rows';
import { peakRss, type Measure, type Measured } from './measure';

/** Compiles what runs often; its figures are not counted. */
const WARM_UP_ACCOUNTS = 5_000;
/** The script needs ten times as long for a balance, so it gets a part of the accounts: enough for half a second or more. */
const SCRIPT_SHARE = 0.05;
const SCRIPT_ACCOUNTS = 500;
/** A loop that reaches less of what the calls alone allow is no reference. */
const LEAST_SHARE_OF_CEILING = 0.18;

/** See docs/performance.md for where the rest goes. */
const REACHED = { ofScript: 2, cpuOfLoop: 2.2 };

interface Competitors {
  gateway: BenchGateway;
  loop: ReferenceProcess;
  script: ReferenceProcess;
  ceiling: ReferenceProcess;
  ours: Client;
  theirs: Client;
}

interface Round {
  gateway: RoundFigures;
  loop: RoundResult;
  script: RoundResult;
  ceiling: RoundResult;
}

/** Balances per second from claim to accepted and logged, beside three programs that are measured in turn with it. */
export const throughput: Measure = {
  name: 'throughput',
  partOf: 'every-run',
  async take(rig, options) {
    const accounts = options.accounts ?? (options.quick ? 6_000 : 50_000);
    const competitors = await prepare(rig, accounts);
    const rounds: Round[] = [];
    const voids: string[] = [];
    await round(rig, competitors, { accounts: Math.min(WARM_UP_ACCOUNTS, accounts), voids });
    for (let n = 0; n < (options.rounds ?? (options.quick ? 5 : 3)); n += 1) {
      rounds.push(await round(rig, competitors, { accounts, voids }));
    }
    const peak = competitors.gateway.peakRssMb;
    await Promise.all([competitors.ours.end(), competitors.theirs.end()]);
    return toMeasured(rounds, { peak, voids, quick: options.quick });
  },
};

/** Registers the accounts once and gives every competitor a copy of the database. */
async function prepare(rig: BenchRig, accounts: number): Promise<Competitors> {
  const installation = await registered(rig, accounts);
  const [forLoop, forScript] = [await rig.copy(installation), await rig.copy(installation)];
  return {
    gateway: await rig.startGateway(installation),
    loop: await rig.startReference('loop', forLoop),
    script: await rig.startReference('script', forScript),
    ceiling: await rig.startReference('ceiling'),
    ours: await rig.session(installation),
    theirs: await rig.session(forLoop),
  };
}

async function round(
  rig: BenchRig,
  competitors: Competitors,
  { accounts, voids }: { accounts: number; voids: string[] },
): Promise<Round> {
  const { gateway, loop, script, ceiling, ours, theirs } = competitors;
  const amlyze = rig.peers.amlyze.control;
  const ledgerBefore = await ledgerEnd(amlyze);
  const own = await gatewayRound(gateway, { client: ours, amlyze }, await scopeOf(ours, accounts));
  const ledgerAfter = await ledgerEnd(amlyze);
  voids.push(...(await ledgerProblems(rig, ours, { from: ledgerBefore, to: ledgerAfter })));

  const sample = await sampleOf(ours);
  const result: Round = {
    gateway: own,
    loop: await loop.round({ accounts, sample }),
    script: await script.round({ accounts: scriptAccounts(accounts), sample }),
    ceiling: await ceiling.round({ accounts, sample }),
  };
  voids.push(...differences(await contentsOf(ours), await contentsOf(theirs)).map((text) => `the loop: ${text}`));
  return result;
}

function scriptAccounts(accounts: number): number {
  return Math.min(accounts, Math.max(SCRIPT_ACCOUNTS, Math.ceil(accounts * SCRIPT_SHARE)));
}

async function scopeOf(client: Client, accounts: number): Promise<object> {
  const { rows } = await client.query<{ id: string }>('select id::text from account order by id limit $1', [
    accounts + 1,
  ]);
  return rows.length > accounts ? { accountIds: rows.slice(0, accounts).map(({ id }) => id) } : { all: true };
}

/** AMLYZE has each balance of the latest run once. */
async function ledgerProblems(rig: BenchRig, client: Client, range: { from: number; to: number }): Promise<string[]> {
  const { rows } = await client.query<{ number: string }>(
    'select communication_number as number from amlyze_record where run_id = (select max(id) from sync_run)',
  );
  const ledger: { communicationNumber: string }[] = [];
  for (let offset = range.from; offset < range.to; offset += 10_000) {
    const page = await rig.peers.amlyze.control.call('GET', `ledger?limit=10000&offset=${offset}`);
    ledger.push(...(page['items'] as { communicationNumber: string }[])); // the simulator's own form
  }
  return [
    ledgerProblem(
      ledger,
      rows.map(({ number }) => number),
    ),
  ].flatMap((problem) => problem ?? []);
}

async function sampleOf(client: Client): Promise<RowSample> {
  const { rows } = await client.query<{ steps: string | null; hash: string }>(
    `select r.steps::text, k.settings_hash as hash from balance_reading r join record_key k on k.communication_number = r.communication_number
order by r.id desc limit 1`,
  );
  const [row] = rows;
  if (!row) throw new Error('the gateway has written no reading');
  return { steps: row.steps, settingsHash: row.hash };
}

function toMeasured(
  rounds: readonly Round[],
  { peak, voids, quick }: { peak: number; voids: string[]; quick: boolean },
): Measured {
  const rate = (who: keyof Round): number[] => rounds.map((each) => each[who].balances / each[who].seconds);
  const cpu = (who: keyof Round): number[] => rounds.map((each) => each[who].cpuUsPerBalance);
  const shareOfCeiling = quotients(rate('loop'), rate('ceiling'));
  const figures: Figure[] = [
    { name: 'gateway', unit: 'balances/s', rounds: rate('gateway') },
    { name: 'bare durable loop', unit: 'balances/s', rounds: rate('loop') },
    { name: 'sequential script', unit: 'balances/s', rounds: rate('script') },
    { name: 'ceiling without database', unit: 'balances/s', rounds: rate('ceiling') },
    {
      name: 'gateway ÷ loop',
      unit: '',
      rounds: quotients(rate('gateway'), rate('loop')),
      target: { atLeast: 0.9 },
    },
    {
      name: 'gateway ÷ script',
      unit: '',
      rounds: quotients(rate('gateway'), rate('script')),
      target: { atLeast: 6, reached: REACHED.ofScript },
    },
    { name: 'loop ÷ ceiling', unit: '', rounds: shareOfCeiling },
    { name: "gateway's CPU", unit: 'µs/balance', rounds: cpu('gateway') },
    { name: "loop's CPU", unit: 'µs/balance', rounds: cpu('loop') },
    {
      name: "gateway's CPU ÷ loop's",
      unit: '',
      rounds: quotients(cpu('gateway'), cpu('loop')),
      target: { atMost: 1.4, reached: REACHED.cpuOfLoop },
    },
    peakRss([peak]),
  ];
  if (median(shareOfCeiling) >= LEAST_SHARE_OF_CEILING) return { figures, voids };
  // On a busy machine a short run may have no reference. That says nothing about the gateway, so it fails no change.
  if (quick) return { figures: figures.map(({ target: _, ...figure }) => figure), voids };
  return { figures, voids: [...voids, 'weak reference: loop ÷ ceiling is too low'] };
}
