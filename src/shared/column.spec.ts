import { columnOf } from './column';

describe('columnOf', () => {
  it('takes one field of each row, in their order', () => {
    expect(columnOf([{ a: 1 }, { a: 2 }], ({ a }) => a)).toEqual([1, 2]);
  });

  it('has a null for each row without it, and is null where none has it', () => {
    expect(columnOf([{ a: 'x' }, {}], ({ a }: { a?: string }) => a)).toEqual(['x', null]);
    expect(columnOf([{}, {}], ({ a }: { a?: string }) => a)).toBeNull();
  });

  it('takes what is false, empty or zero for what it is', () => {
    expect(columnOf([false], (value) => value)).toEqual([false]);
    expect(columnOf([''], (value) => value)).toEqual(['']);
    expect(columnOf([0], (value) => value)).toEqual([0]);
  });
});
