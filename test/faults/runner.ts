import { describe, isSound, violationsOf } from './checker/check';
import { checkWorld } from './checker/check-world';
import type { Rig } from './rig/rig';
import type { World } from './rig/world';
import type { Figures, OwnServer, Scenario, Size } from './scenarios/scenario';

export interface ScenarioReport {
  scenario: Pick<Scenario, 'id' | 'title' | 'injected' | 'expected'>;
  result: 'ok' | 'failed' | 'not run';
  /** Why it was not run, or what is broken. */
  problems: string[];
  figures: Figures;
  /** How many facts the checker looked at. */
  checked: string;
  seconds: number;
}

/** Runs one scenario in a world of its own; never throws for what the gateway does. */
export async function runScenario(
  rig: Rig,
  scenario: Scenario,
  { size, seed }: { size: Size; seed: number },
): Promise<ScenarioReport> {
  const beganMs = performance.now();
  const report: ScenarioReport = {
    scenario,
    result: 'ok',
    problems: [],
    figures: {},
    checked: '',
    seconds: 0,
  };
  const impossible = await scenario.impossible?.();
  if (impossible !== undefined) return { ...report, result: 'not run', problems: [impossible] };

  let world: World | undefined;
  let server: OwnServer | undefined;
  try {
    server = await scenario.server?.(rig);
    world = await rig.world({ ...scenario.world, seed }, server?.postgres);
    const scene = { world, accounts: scenario.accounts[size], size };
    await scenario.inject(scene);
    await world.settled();
    report.figures = await scenario.expect(scene);
  } catch (error) {
    report.problems.push(error instanceof Error ? error.message : String(error));
  }
  // Also where an expectation failed: what the invariants say is the better half of the message.
  if (world) await judge(world, report);
  await server?.end();
  report.seconds = (performance.now() - beganMs) / 1000;
  return { ...report, result: report.problems.length === 0 ? 'ok' : 'failed' };
}

async function judge(world: World, report: ScenarioReport): Promise<void> {
  try {
    const findings = await checkWorld(world);
    report.checked = describe(findings);
    if (!isSound(findings)) report.problems.push(...violationsOf(findings));
  } catch (error) {
    report.problems.push(`the checker could not judge: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await world.close();
  }
}

/** The scenario's line, and indented below it what is broken. */
export function lineFor({ scenario, result, problems, figures, checked, seconds }: ScenarioReport): string {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const parts = [
    `${result.padEnd(7)} ${String(scenario.id).padStart(2)}  ${scenario.title}`,
    `injected: ${scenario.injected}`,
    ...(result === 'not run' ? problems : [`checked: ${scenario.expected}; ${checked}`]),
    ...(shown.length > 0 ? [shown.join(', ')] : []),
    `${seconds.toFixed(1)} s`,
  ];
  const broken = result === 'failed' ? problems.map((problem) => `\n           ${problem.replaceAll('\n', ' ')}`) : [];
  return parts.join(' | ') + broken.join('');
}
