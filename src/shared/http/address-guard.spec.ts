import type { LookupAddress } from 'node:dns';
import { guardedLookup, type Resolve } from './address-guard';

type Looked = { error: NodeJS.ErrnoException | null; address: string | LookupAddress[] };

/** A resolver that gives another answer each time, as a rebinding one does. */
function rebinding(...answers: string[][]): Resolve {
  return (_hostname, callback) => {
    const answer = answers.shift() ?? [];
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
}

function look(lookup: ReturnType<typeof guardedLookup>, all: boolean): Promise<Looked> {
  return new Promise((resolve) => lookup('bank.example', { all }, (error, address) => resolve({ error, address })));
}

describe('guardedLookup', () => {
  it('hands over exactly the addresses that it checked, and checks every answer of a rebinding resolver anew', async () => {
    const lookup = guardedLookup(rebinding(['93.184.216.34'], ['127.0.0.1'], ['93.184.216.34', '::1']), false);
    expect(await look(lookup, true)).toEqual({ error: null, address: [{ address: '93.184.216.34', family: 4 }] });
    expect(await look(lookup, true)).toMatchObject({ error: { code: 'ADDRESS_NOT_ALLOWED' }, address: [] });
    expect(await look(lookup, false)).toMatchObject({ error: { code: 'ADDRESS_NOT_ALLOWED' }, address: [] });
  });

  it('gives one address to a caller that asks for one', async () => {
    const lookup = guardedLookup(rebinding(['93.184.216.34', '8.8.8.8']), false);
    expect(await look(lookup, false)).toEqual({ error: null, address: '93.184.216.34' });
  });

  it('lets private addresses pass only where they are allowed', async () => {
    const lookup = guardedLookup(rebinding(['127.0.0.1']), true);
    expect(await look(lookup, false)).toEqual({ error: null, address: '127.0.0.1' });
  });
});
