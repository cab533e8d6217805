/** Moves the clock ahead by which this process measures how old a figure is; for the whole of a describe. */
export function movableClock(): (ms: number) => void {
  const truth = performance.now.bind(performance);
  let aheadMs = 0;
  beforeAll(() => jest.spyOn(performance, 'now').mockImplementation(() => truth() + aheadMs));
  // The object outlives the file.
  afterAll(() => jest.restoreAllMocks());
  return (ms) => {
    aheadMs += ms;
  };
}
