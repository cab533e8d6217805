import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { isSound, violationsOf } from '../checker/check';
import { checkWorld } from '../checker/check-world';
import { connect } from '../rig/connect';
import { Random } from '../rig/random';
import { PEERS } from '../rig/simulators';
import { loadAccount, type Bank, type LoadAccount } from '../rig/workload';
import type { World, WorldOptions } from '../rig/world';
import { FaultHand } from './apply';
import { Crew } from './crew';
import { describePlan, drawPlan, type Plan } from './plan';

const CONCURRENCY = 2;
const TIMEOUT_MS = 700;
/** From the end of the last fault to the last settled record, on a busy machine. */
const DRAINED_WITHIN_MS = 40_000;
/** Reads of an account that a bank's fault may cost beside the runs' own. */
const READS_A_DAY = 50;
const LAST_RUNS = 6;
const BANKS: readonly Bank[] = ['mypos', 'onesingleview'];

/** Short times everywhere, so that a seed is over quickly; what they are is not what is tested. */
export const RANDOM_WORLD: Omit<WorldOptions, 'seed'> = {
  env: {
    LEASE_SECONDS: '1',
    AMLYZE_BATCH_SIZE: '5',
    AMLYZE_CONCURRENCY: String(CONCURRENCY),
    AMLYZE_TIMEOUT_MS: String(TIMEOUT_MS),
    SYNC_CONCURRENCY: '4',
  },
  limits: { amlyzeConcurrency: CONCURRENCY },
};

export interface SeedReport {
  plan: Plan;
  problems: string[];
  records: number;
  replayed: number;
  seconds: number;
}

/**
 * One seed after the other in one world: every seed has connections, consents and accounts of its own, so that what an earlier
 * one left behind (a breaker, a stopped consent) does not touch it. The checker judges the whole world after each.
 */
export class SeedRunner {
  private readonly crew: Crew;
  private firstIndex = 1;

  constructor(private readonly world: World) {
    this.crew = new Crew(world);
  }

  async run(seed: number): Promise<SeedReport> {
    const beganMs = performance.now();
    const plan = drawPlan(seed);
    const report: SeedReport = { plan, problems: [], records: 0, replayed: 0, seconds: 0 };
    try {
      await this.crew.muster(plan.replicas);
      this.world.history.add({ kind: 'action', what: `seed ${seed}: ${describePlan(plan)}` });
      Object.assign(report, await new SeedRun(this.world, this.crew, plan).run(this.firstIndex));
    } catch (error) {
      report.problems.push(error instanceof Error ? error.message : String(error));
    }
    this.firstIndex += 100;
    report.problems.push(...(await this.judge()));
    return { ...report, seconds: (performance.now() - beganMs) / 1000 };
  }

  private async judge(): Promise<string[]> {
    try {
      const findings = await checkWorld(this.world);
      return isSound(findings) ? [] : violationsOf(findings);
    } catch (error) {
      return [`the checker could not judge: ${error instanceof Error ? error.message : String(error)}`];
    }
  }
}

/** One seed's workload and faults. */
class SeedRun {
  private readonly random: Random;
  private accounts: LoadAccount[] = [];

  constructor(
    private readonly world: World,
    private readonly crew: Crew,
    private readonly plan: Plan,
  ) {
    // Other numbers than those that drew the plan.
    this.random = new Random(plan.seed + 0x5eed);
  }

  async run(firstIndex: number): Promise<{ records: number; replayed: number }> {
    await this.register(firstIndex);
    await this.disturb();
    await this.world.heal(DRAINED_WITHIN_MS);
    await this.crew.muster(this.plan.replicas);
    await this.world.settled(DRAINED_WITHIN_MS);
    await this.everythingReadInTheEnd();
    return this.expect();
  }

  private async register(firstIndex: number): Promise<void> {
    const gateway = await this.crew.anyone();
    const settings = { timeoutMs: TIMEOUT_MS, breakerSeconds: 1 };
    for (const bank of BANKS) {
      // A connection and a consent of this seed's own.
      this.world.registered[bank] = await connect(this.world, gateway, bank, {
        name: `${bank} ${this.plan.seed} ${firstIndex}`,
        settings,
        consent: {
          frequencyPerDay: READS_A_DAY,
          agreementReference: 'fault suite',
          ...(bank === 'mypos' ? { accessToken: await this.newToken('first') } : {}),
        },
      });
      const accounts = Array.from({ length: this.plan.accounts[bank] }, (_, n) =>
        loadAccount(bank, firstIndex + n, this.random),
      );
      await this.world.registerAccounts(gateway, bank, accounts);
      this.accounts.push(...accounts);
    }
  }

  /** A token of myPOS that no other seed has, so that its expiry is this seed's own. */
  private async newToken(which: string): Promise<string> {
    const token = `token-of-seed-${this.plan.seed}-${which}-${this.world.history.newCall()}`;
    await this.world.mypos.call('POST', 'tokens', { token });
    return token;
  }

  private async disturb(): Promise<void> {
    for (const peer of PEERS) await this.world[peer].addFault({ do: { kind: 'latency', ms: this.plan.paceMs[peer] } });
    const hand = new FaultHand(this.world, this.crew);
    // Those from the very start are in place before the first read.
    for (const { atMs, fault } of this.plan.faults) {
      if (atMs === 0 && fault.kind === 'peer') await hand.apply(fault);
    }
    const { consentId } = this.registered('mypos');
    const osv = this.registered('onesingleview');
    await this.resync({ consentId });
    await this.resync({ connectionId: osv.connectionId });
    const later = this.plan.faults.filter(({ atMs, fault }) => atMs > 0 || fault.kind !== 'peer');
    await Promise.all([
      this.secondRun(),
      ...later.map(async ({ atMs, fault }) => {
        await wait(atMs);
        await hand.apply(fault);
      }),
    ]);
  }

  private async secondRun(): Promise<void> {
    if (this.plan.secondRunAtMs === undefined) return;
    await wait(this.plan.secondRunAtMs);
    for (const [at, account] of this.accounts.entries()) {
      if (!this.random.chance(0.5)) continue;
      const index = Number(account.accountExtId.slice(3));
      const changed = loadAccount(account.bank, index, this.random);
      this.accounts[at] = changed;
      await this.world.restate(changed);
    }
    for (const bank of BANKS) await this.resync({ consentId: this.registered(bank).consentId });
  }

  /** An operator's call; where nobody answers or the database is away it is made again. */
  private async resync(scope: object): Promise<string> {
    for (const deadline = performance.now() + 30_000; ;) {
      try {
        return await this.world.resync(await this.crew.anyone(), scope);
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await wait(100);
      }
    }
  }

  /** After the end of the faults a person mends what only a person can, and every account can be read again. */
  private async everythingReadInTheEnd(): Promise<void> {
    const { consentId } = this.registered('mypos');
    const gateway = await this.crew.anyone();
    await gateway.ok('PATCH', `/admin/consents/${consentId}`, { accessToken: await this.newToken('second') });
    for (let run = 1; ; run += 1) {
      const runs: string[] = [];
      for (const bank of BANKS) runs.push(await this.resync({ connectionId: this.registered(bank).connectionId }));
      await this.world.settled(DRAINED_WITHIN_MS);
      const unread = await this.world.query<{ outcome: string; reason: string }>(
        `select distinct outcome, reason from balance_reading
         where run_id = any($1) and final and outcome not in ('READ', 'ALREADY_READ')`,
        [runs],
      );
      if (unread.length === 0) return;
      assert(run < LAST_RUNS, `after the end of the faults some reads still fail: ${JSON.stringify(unread)}`);
      // A bank's Retry-After or an open breaker ends by itself.
      await wait(500);
    }
  }

  private async expect(): Promise<{ records: number; replayed: number }> {
    const ids = this.accounts.map(({ accountExtId }) => accountExtId);
    const rows = await this.world.query<{ ext: string; state: string; value: string; replayed: boolean }>(
      `select account_ext_id as ext, state, substring(payload from '"value"\\s*:\\s*([^,}\\s]+)') as value,
         coalesce(reason = 'replayed', false) as replayed
       from record_with_state where account_ext_id = any($1) order by balance_at, revision`,
      [ids],
    );
    const stuck = rows.filter(({ state }) => state !== 'accepted');
    assert.equal(stuck.length, 0, `not accepted: ${JSON.stringify(stuck.slice(0, 5))}`);
    for (const { accountExtId, value } of this.accounts) {
      const last = rows.filter(({ ext }) => ext === accountExtId).at(-1);
      assert.equal(last?.value, value, `the last figure of ${accountExtId} at AMLYZE is the bank's last word`);
    }
    return { records: rows.length, replayed: rows.filter(({ replayed }) => replayed).length };
  }

  private registered(bank: Bank): { connectionId: string; consentId: string } {
    const found = this.world.registered[bank];
    assert(found);
    return found;
  }
}
