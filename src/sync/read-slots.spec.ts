import { ReadSlots } from './read-slots';

interface Subject {
  name: string;
}

describe('the places for calls', () => {
  function slotsWith(concurrency: number, waiting: Record<string, number>): ReadSlots<Subject> {
    const slots = new ReadSlots<Subject>(concurrency);
    for (const [connectionId, count] of Object.entries(waiting))
      for (let n = 1; n <= count; n += 1) slots.add(connectionId, { name: `${connectionId}${n}` });
    return slots;
  }

  function enterAll(slots: ReadSlots<Subject>): string[] {
    const entered: string[] = [];
    for (let next = slots.enter(); next; next = slots.enter()) entered.push(next.subject.name);
    return entered;
  }

  it('are never more than the concurrency, and are taken in the order of the claims', () => {
    const slots = slotsWith(3, { a: 5 });
    expect(enterAll(slots)).toEqual(['a1', 'a2', 'a3']);
    expect([slots.free, slots.waiting]).toEqual([0, 2]);
    slots.leave('a');
    expect(enterAll(slots)).toEqual(['a4']);
  });

  it('go to the connection with the fewest calls under way', () => {
    const slots = slotsWith(4, { a: 5, b: 5 });
    expect(enterAll(slots)).toEqual(['a1', 'b1', 'a2', 'b2']);
    slots.leave('b');
    slots.leave('b');
    expect(enterAll(slots)).toEqual(['b3', 'b4']);
  });

  it('are not taken beyond three quarters by one connection while another wants calls', () => {
    const slots = slotsWith(8, { a: 20 });
    slots.contended = true;
    expect(enterAll(slots)).toHaveLength(6);
    expect(slots.free).toBe(2);
    slots.contended = false;
    expect(enterAll(slots)).toHaveLength(2);
  });

  it('lose what is withdrawn, and nothing else', () => {
    const slots = slotsWith(1, { a: 3, b: 2 });
    enterAll(slots);
    expect(slots.withdraw((_, connectionId) => connectionId === 'a').map(({ name }) => name)).toEqual(['a2', 'a3']);
    expect(slots.waiting).toBe(2);
    slots.leave('a');
    expect(enterAll(slots)).toEqual(['b1']);
    expect(slots.withdraw().map(({ name }) => name)).toEqual(['b2']);
    expect([slots.waiting, slots.free]).toEqual([0, 0]);
  });
});
