import { tellFinished } from './tell-finished';

describe('tellFinished', () => {
  const RUN = { runId: '7', accounts: 3, outcomes: { READ: 2, BANK_UNAVAILABLE: 1 }, seconds: 1.5 };
  const said = (runs: Parameters<typeof tellFinished>[1]): [string, object][] => {
    const lines: [string, object][] = [];
    const logger = {
      log: (line: object) => lines.push(['log', line]),
      error: (line: object) => lines.push(['error', line]),
    };
    tellFinished(logger, runs);
    return lines;
  };

  it('says that a run is over and what came of it, and no more where every account has an outcome', () => {
    expect(said([{ ...RUN, missing: 0 }])).toEqual([['log', { msg: 'run finished', ...RUN }]]);
  });

  it('makes an error of a run that does not add up, whichever way', () => {
    for (const missing of [2, -1]) {
      expect(said([{ ...RUN, missing }])).toContainEqual([
        'error',
        { msg: 'accounts of a run have no outcome, by a fault of the gateway', runId: '7', accounts: missing },
      ]);
    }
  });
});
