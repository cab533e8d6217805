import { connectBank, importAccounts, tellPeers } from './accounts';
import type { BenchRig } from './bench-rig';
import type { Installation } from './gateway';

/** By number of accounts. Nobody works on these. */
const originals = new WeakMap<BenchRig, Map<number, Promise<Installation>>>();

/**
 * An installation with accounts 1 to `count` of one bank, which the simulators know too; nobody is connected to it. The accounts
 * are imported once in a run of the bench, and everyone gets a copy.
 */
export async function registered(rig: BenchRig, count: number): Promise<Installation> {
  await tellPeers(rig.peers, count);
  const known = originals.get(rig) ?? new Map<number, Promise<Installation>>();
  originals.set(rig, known);
  const original = known.get(count) ?? register(rig, count);
  known.set(count, original);
  return rig.copy(await original);
}

async function register(rig: BenchRig, count: number): Promise<Installation> {
  const installation = await rig.install();
  const gateway = await rig.startGateway(installation);
  const { consentId } = await connectBank(gateway, { name: 'bank', baseUrl: rig.peers.mypos.control.url });
  await importAccounts(gateway, consentId, count);
  await gateway.stop();
  const client = await rig.session(installation);
  // As accounts are that were read before: the first record of a series pins its type, and that is written once.
  await client.query(`update account set pinned_types = '{"STATEMENT_BALANCE": "available"}'`);
  // Everything, the empty tables too: a nightly job does it, and no plan that is kept may suffer from it.
  await client.query('vacuum analyze');
  await client.end();
  return installation;
}
