import { Lookout, type Reason } from './lookout';

const LONG_MS = 60_000;
const patient = { batchSize: 500, pollIntervalMs: LONG_MS, gatherMs: LONG_MS, searchEveryMs: LONG_MS };

/** Why each of the workers was told to look, in the order in which they were told. */
function workers(lookout: Lookout, count: number): Reason[] {
  const told: Reason[] = [];
  for (let n = 0; n < count; n += 1) void lookout.next().then((reason) => told.push(reason));
  return told;
}

/** Everything that is ready has run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('Lookout', () => {
  const open: Lookout[] = [];
  const start = (options: Partial<typeof patient> = {}): Lookout => {
    const lookout = new Lookout({ ...patient, ...options });
    open.push(lookout);
    return lookout;
  };
  /** One that was told of everything there is, as it is after its first look. */
  const startKnowing = async (options: Partial<typeof patient> = {}): Promise<Lookout> => {
    const lookout = start(options);
    lookout.wake(1);
    await lookout.next();
    lookout.goesOn('idle', 'due');
    return lookout;
  };

  const holdTime = (): void => void jest.useFakeTimers({ doNotFake: ['setImmediate'] });

  afterEach(() => {
    jest.useRealTimers();
    open.splice(0).forEach((lookout) => lookout.stop(10));
  });

  it('sends one worker for each full batch, and none for less', async () => {
    const lookout = await startKnowing();
    const told = workers(lookout, 4);
    lookout.announce(499);
    await settled();
    expect(told).toEqual([]);
    lookout.announce(1);
    await settled();
    expect(told).toEqual(['announced']);
    lookout.announce(1_200);
    await settled();
    expect(told).toEqual(['announced', 'announced', 'announced']);
  });

  it('keeps batches for workers that are busy, each once', async () => {
    const lookout = await startKnowing();
    lookout.announce(1_000);
    const told = workers(lookout, 3);
    await settled();
    expect(told).toEqual(['announced', 'announced']);
  });

  it('lets what is less than a batch go when its time is up', async () => {
    const lookout = await startKnowing({ gatherMs: 1 });
    lookout.announce(3);
    expect(await lookout.next()).toBe('due');
  });

  it('counts the time of the rest from the batch before it', async () => {
    holdTime();
    const lookout = await startKnowing({ gatherMs: 250 });
    const told = workers(lookout, 2);
    lookout.announce(300);
    await jest.advanceTimersByTimeAsync(200);
    lookout.announce(300);
    await jest.advanceTimersByTimeAsync(249);
    expect(told).toEqual(['announced']);
    await jest.advanceTimersByTimeAsync(1);
    expect(told).toEqual(['announced', 'due']);
  });

  it('lets what has gathered go at once where nothing more is coming', async () => {
    const lookout = await startKnowing();
    const told = workers(lookout, 2);
    lookout.flush();
    await settled();
    expect(told).toEqual([]);
    lookout.announce(3);
    lookout.flush();
    lookout.flush();
    await settled();
    expect(told).toEqual(['due']);
  });

  it('goes on after a full batch that nobody announced, with one more worker', async () => {
    const lookout = await startKnowing();
    const told = workers(lookout, 2);
    expect(lookout.goesOn('sent', 'due')).toBe(true);
    await settled();
    expect(told).toEqual(['due']);
    expect(lookout.goesOn('sent-last', 'due')).toBe(false);
  });

  it('does not go on after a batch that was announced, but looks again soon', async () => {
    const lookout = await startKnowing({ gatherMs: 1 });
    expect(lookout.goesOn('sent', 'announced')).toBe(false);
    expect(await lookout.next()).toBe('due');
  });

  it('looks for everything now and then where announcements never pause', async () => {
    const lookout = await startKnowing({ searchEveryMs: 0 });
    lookout.announce(500);
    expect(await lookout.next()).toBe('due');
  });

  it('does not count towards a batch what a look for everything has taken', async () => {
    const lookout = await startKnowing();
    lookout.announce(300);
    lookout.wake(1);
    expect(await lookout.next()).toBe('due');
    const told = workers(lookout, 1);
    lookout.announce(300);
    await settled();
    expect(told).toEqual([]);
  });

  it('forgets batches that others have sent', async () => {
    const lookout = await startKnowing();
    lookout.announce(1_500);
    expect(await lookout.next()).toBe('announced');
    lookout.goesOn('idle', 'announced');
    expect(await lookout.next()).toBe('announced');
    lookout.goesOn('idle', 'announced');
    const told = workers(lookout, 1);
    await settled();
    expect(told).toEqual([]);
  });

  it('remembers a batch that was announced while the only worker looked and found nothing', async () => {
    const lookout = start();
    lookout.wake(1);
    await lookout.next();
    lookout.announce(500);
    lookout.goesOn('idle', 'due');
    expect(await lookout.next()).toBe('announced');
  });

  it('polls, but not while something gathers', async () => {
    holdTime();
    const lookout = await startKnowing({ pollIntervalMs: 50, gatherMs: 230 });
    const told = workers(lookout, 1);
    lookout.announce(1);
    await jest.advanceTimersByTimeAsync(229);
    expect(told).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(told).toEqual(['due']);
    const polled = workers(lookout, 1);
    await jest.advanceTimersByTimeAsync(50);
    expect(polled).toEqual(['due']);
  });

  it('lets all workers go when it stops, and leaves no timer behind', async () => {
    holdTime();
    const lookout = start();
    const told = workers(lookout, 2);
    lookout.announce(3);
    lookout.stop(2);
    await settled();
    expect(told).toEqual(['due', 'due']);
    lookout.goesOn('sent-last', 'due');
    expect(await lookout.next()).toBe('due');
    expect(jest.getTimerCount()).toBe(0);
  });
});
