import { setTimeout as wait } from 'node:timers/promises';
import { describe, violationsOf } from '../checker/check';
import { checkWorld } from '../checker/check-world';
import type { GatewayReplica } from '../rig/replica';
import { loadAccount } from '../rig/workload';
import type { World } from '../rig/world';

/** Accounts in one call of the import and of the simulators' control. */
const CHUNK = 2_000;
/** A soak reads every account again and again, which an agreement with the bank has to allow. */
const MANY_READS = { frequencyPerDay: 1_440, agreementReference: 'soak' };

/** What one part of the soak found. */
export interface Part {
  figures: Record<string, number | string>;
  problems: string[];
}

export async function registerMany(world: World, gateway: GatewayReplica, count: number): Promise<void> {
  for (let first = 1; first <= count; first += CHUNK) {
    const size = Math.min(CHUNK, count - first + 1);
    const accounts = Array.from({ length: size }, (_, n) => loadAccount('mypos', first + n, world.random));
    await world.registerAccounts(gateway, 'mypos', accounts, { consent: MANY_READS });
  }
}

export async function countRecords(world: World, where: string): Promise<number> {
  const [row] = await world.query<{ n: number }>(`select count(*)::int as n from record_with_state where ${where}`);
  return row?.n ?? 0;
}

/** Middle value of some samples of a replica's memory, over `forMs`. */
export async function memoryOf(replica: GatewayReplica, forMs = 3_000): Promise<number> {
  const samples: number[] = [];
  for (const end = performance.now() + forMs; performance.now() < end;) {
    samples.push(replica.rssBytes() ?? 0);
    await wait(100);
  }
  return samples.sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
}

export const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** What the checker says of the world goes into the part; the world is closed. */
export async function checkInto(part: Part, world: World): Promise<Part> {
  try {
    const findings = await checkWorld(world);
    part.figures['checked'] = describe(findings);
    part.problems.push(...violationsOf(findings));
  } catch (error) {
    part.problems.push(`the checker could not judge: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await world.close();
  }
  return part;
}
