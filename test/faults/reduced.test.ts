import { lineFor, runScenario } from './runner';
import { Rig } from './rig/rig';
import { REDUCED, SCENARIOS } from './scenarios';

/** Starting three processes takes its time where others work too. */
const SCENARIO_MS = 120_000;

describe('the fault suite with small loads', () => {
  let rig: Rig | undefined;

  beforeAll(async () => {
    rig = await Rig.open('swc');
  }, SCENARIO_MS);
  afterAll(() => rig?.close(), 30_000);

  it.each(SCENARIOS.filter(({ id }) => REDUCED.includes(id)))(
    'keeps every invariant when $title',
    async (scenario) => {
      if (!rig) throw new Error('the rig did not start');
      const report = await runScenario(rig, scenario, { size: 'reduced', seed: 1 });
      if (report.result !== 'ok') throw new Error(lineFor(report));
    },
    SCENARIO_MS,
  );
});
