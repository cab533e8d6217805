import { ReadAhead } from './read-ahead';

describe('what may be claimed ahead', () => {
  let nowMs: number;
  let ahead: ReadAhead;

  beforeEach(() => {
    nowMs = 1_000;
    ahead = new ReadAhead(() => nowMs);
  });

  /** `count` answers, one every `everyMs`. */
  function answer(count: number, everyMs: number, connectionId = 'bank'): void {
    for (let n = 0; n < count; n += 1) {
      ahead.asked(connectionId);
      nowMs += everyMs;
      ahead.answered(connectionId);
    }
  }

  /** `count` calls that begin now and are answered all at once. */
  function answerTogether(count: number, afterMs: number): void {
    for (let n = 0; n < count; n += 1) ahead.asked('bank');
    nowMs += afterMs;
    for (let n = 0; n < count; n += 1) ahead.answered('bank');
  }

  it('is nothing for a bank that has not answered yet, or only a few times', () => {
    expect(ahead.allowance('bank')).toBe(0);
    answer(7, 1);
    expect(ahead.allowance('bank')).toBe(0);
  });

  it.each([
    [1, 100],
    [5, 20],
    [100, 1],
  ])('is what the bank answers in a tenth of a second: one answer every %i ms gives %i', (everyMs, allowance) => {
    answer(300, everyMs);
    expect(ahead.allowance('bank')).toBe(allowance);
  });

  it('is never more than 500, however quick the bank', () => {
    answer(300, 0);
    nowMs += 1;
    expect(ahead.allowance('bank')).toBe(500);
  });

  it('is not taken in by the first answers of a slow bank, which come all at once', () => {
    answerTogether(32, 200);
    expect(ahead.allowance('bank')).toBe(16);
    answerTogether(32, 200);
    expect(ahead.allowance('bank')).toBe(16);
  });

  it('is known again with the first answers after a pause', () => {
    answer(300, 1);
    nowMs += 60_000;
    answer(8, 1);
    expect(ahead.allowance('bank')).toBe(100);
  });

  it('takes a bank that does not answer for no pause', () => {
    for (let n = 0; n < 16; n += 1) ahead.asked('bank');
    nowMs += 3_000;
    ahead.asked('bank');
    nowMs += 1_000;
    for (let n = 0; n < 16; n += 1) ahead.answered('bank');
    expect(ahead.allowance('bank')).toBe(0);
    nowMs += 5_000;
    answer(8, 1);
    expect(ahead.allowance('bank')).toBe(0);
  });

  it('sinks while the bank is silent', () => {
    answer(300, 1);
    nowMs += 2_304;
    expect(ahead.allowance('bank')).toBe(10);
  });

  it('is nothing again after trouble, until the bank has answered a while', () => {
    answer(300, 1);
    ahead.troubled('bank');
    expect(ahead.allowance('bank')).toBe(0);
    answer(7, 1);
    expect(ahead.allowance('bank')).toBe(0);
    answer(100, 1);
    expect(ahead.allowance('bank')).toBeGreaterThan(90);
  });

  it('is nothing where it is not permitted, and comes back with the permission', () => {
    answer(300, 1);
    ahead.permit('bank', false);
    expect([ahead.allowance('bank'), ahead.total]).toEqual([0, 0]);
    ahead.permit('bank', true);
    expect(ahead.allowance('bank')).toBe(100);
  });

  it('is counted by connection and added up', () => {
    answer(300, 1, 'quick');
    answer(300, 10, 'slow');
    nowMs = 1_000 + 300 + 3_000;
    expect(ahead.allowance('slow')).toBe(10);
    expect(ahead.total).toBe(ahead.allowance('quick') + 10);
  });
});
