import { systemResolve } from './address-guard';
import { ConnectionPools } from './connection-pools';

const OPTIONS = {
  allowPrivateAddresses: false,
  resolve: systemResolve,
  connectTimeoutMs: 100,
  connectionsPerOrigin: 64,
} as const;

describe('ConnectionPools', () => {
  it('keeps 256 pools: the one unused for longest is closed, one in use stays', async () => {
    const pools = new ConnectionPools(OPTIONS);
    const poolOf = (i: number): ReturnType<typeof pools.poolFor> =>
      pools.poolFor(new URL(`https://bank${i}.example/`), undefined);
    const used = poolOf(0);
    const unused = poolOf(1);
    for (let i = 2; i <= 256; i++) {
      poolOf(i);
      expect(poolOf(0)).toBe(used);
    }
    expect([used.closed, unused.closed]).toEqual([false, true]);
    expect(poolOf(1)).not.toBe(unused);
    await pools.close();
    expect(used.destroyed).toBe(true);
  });

  it('has one pool for equal TLS identities and another for each that differs', async () => {
    const pools = new ConnectionPools(OPTIONS);
    const url = new URL('https://bank.example/');
    const plain = pools.poolFor(url, undefined);
    expect(pools.poolFor(new URL('https://bank.example:443/other'), undefined)).toBe(plain);
    const named = pools.poolFor(url, { passphrase: 'test' });
    expect(named).not.toBe(plain);
    expect(pools.poolFor(url, { passphrase: 'test' })).toBe(named);
    expect(pools.poolFor(url, { passphrase: 'other' })).not.toBe(named);
    await pools.close();
  });
});
