import { LastingTrouble } from './lasting-trouble';

describe('a trouble that lasts', () => {
  let nowMs: number;
  let lines: { level: string; line: unknown }[];
  let trouble: LastingTrouble;

  beforeEach(() => {
    nowMs = 1_000;
    lines = [];
    const logger = {
      log: (line: unknown) => void lines.push({ level: 'log', line }),
      error: (line: unknown) => void lines.push({ level: 'error', line }),
    };
    trouble = new LastingTrouble(logger, { fails: 'it fails', works: 'it works again' }, () => nowMs);
  });

  it('is told when it begins and when it is over, and not in between', () => {
    for (let n = 0; n < 100; n += 1, nowMs += 100) trouble.failed(new Error('refused'), { what: 'beat' });
    trouble.worked({ what: 'beat' });
    trouble.worked({ what: 'beat' });
    expect(lines).toEqual([
      { level: 'error', line: { msg: 'it fails', what: 'beat', error: 'refused', failures: 1, seconds: 0 } },
      { level: 'log', line: { msg: 'it works again', what: 'beat', failures: 100, seconds: 10 } },
    ]);
  });

  it('is told of every reason once, in whatever order they come', () => {
    for (const reason of ['refused', 'starting up', 'refused', 'starting up', 'no space'])
      trouble.failed(new Error(reason));
    expect(lines).toEqual(
      [
        { error: 'refused', failures: 1 },
        { error: 'starting up', failures: 2 },
        { error: 'no space', failures: 5 },
      ].map((line) => ({ level: 'error', line: { msg: 'it fails', ...line, seconds: 0 } })),
    );
  });

  it('is told again every minute', () => {
    for (let second = 0; second <= 150; second += 1, nowMs += 1_000) trouble.failed(new Error('refused'));
    expect(lines).toEqual(
      [
        { failures: 1, seconds: 0 },
        { failures: 61, seconds: 60 },
        { failures: 121, seconds: 120 },
      ].map((line) => ({ level: 'error', line: { msg: 'it fails', error: 'refused', ...line } })),
    );
  });

  it('is told of ten reasons a minute at most, and of each again in the next one', () => {
    for (let second = 0; second < 120; second += 1, nowMs += 1_000) trouble.failed(new Error(`no. ${second % 30}`));
    const reasons = lines.map(({ line }) => (line as { error: string }).error);
    const first = Array.from({ length: 10 }, (_, n) => `no. ${n}`);
    expect(reasons).toEqual([...first, ...first]);
  });

  it('is told in the words of the connection that failed, where several were tried', () => {
    trouble.failed(new AggregateError([new Error('connect ECONNREFUSED 127.0.0.1:9')], ''));
    expect(lines[0]?.line).toMatchObject({ error: 'connect ECONNREFUSED 127.0.0.1:9' });
  });

  it('says nothing while all is well, and begins anew after its end', () => {
    trouble.worked();
    expect(lines).toEqual([]);
    trouble.failed(new Error('refused'));
    trouble.worked();
    trouble.failed(new Error('refused'));
    expect(lines.map(({ level }) => level)).toEqual(['error', 'log', 'error']);
  });
});
