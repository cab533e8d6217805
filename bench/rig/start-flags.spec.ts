import { startFlags } from './start-flags';

describe('startFlags', () => {
  it('are those of npm start, the limits of the heap among them', () => {
    expect(startFlags()).toEqual(expect.arrayContaining([expect.stringMatching(/^--max-old-space-size=\d+$/)]));
    expect(startFlags().every((flag) => flag.startsWith('--'))).toBe(true);
  });
});
