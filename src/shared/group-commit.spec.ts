import { GroupCommit } from './group-commit';

describe('GroupCommit', () => {
  it('writes together what is ready together, at most so many at a time', async () => {
    const groups: number[][] = [];
    const commit = new GroupCommit<number>(async (items) => void groups.push([...items]), 3);
    await Promise.all([1, 2, 3, 4].map((item) => commit.add(item)));
    expect(groups).toEqual([[1, 2, 3], [4]]);
  });

  it('gathers the next group while one is being written', async () => {
    const groups: number[][] = [];
    let release = (): void => undefined;
    const first = new Promise<void>((resolve) => (release = resolve));
    const commit = new GroupCommit<number>(async (items) => {
      groups.push([...items]);
      if (groups.length === 1) await first;
    }, 10);
    const one = commit.add(1);
    while (groups.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const others = [commit.add(2), commit.add(3)];
    expect(groups).toEqual([[1]]);
    release();
    await Promise.all([one, ...others]);
    expect(groups).toEqual([[1], [2, 3]]);
  });

  it('resolves an item only after its group is written', async () => {
    let written = false;
    const commit = new GroupCommit<number>(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      written = true;
    }, 10);
    await commit.add(1);
    expect(written).toBe(true);
  });

  it('writes a group that fails one by one, so that only the guilty item fails', async () => {
    const stored: number[] = [];
    const commit = new GroupCommit<number>(async (items) => {
      if (items.includes(2)) throw new Error('two is poison');
      stored.push(...items);
    }, 10);
    const results = await Promise.allSettled([1, 2, 3].map((item) => commit.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored).toEqual([1, 3]);
  });

  it('goes on after a failure', async () => {
    let fails = true;
    const commit = new GroupCommit<number>(async () => {
      if (fails) throw new Error('away');
    }, 10);
    await expect(commit.add(1)).rejects.toThrow('away');
    fails = false;
    await expect(commit.add(2)).resolves.toBeUndefined();
  });
});
