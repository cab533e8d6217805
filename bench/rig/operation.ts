import { DEMO_BIC, demoCustomers, demoOperations } from '../../src/simulators/demo-operations';
import type { Peers } from '../../test/faults/rig/simulators';

const [PLAIN] = demoOperations();

/** The demonstration's card purchase, under another name. */
export function operationBody(operationExtId: string): Record<string, unknown> {
  return { ...PLAIN?.body, operationExtId };
}

/** Tells AMLYZE's simulator of the customers that the operations are about. */
export async function tellOfCustomers(peers: Peers): Promise<void> {
  await peers.amlyze.control.putAccounts(demoCustomers());
  await peers.amlyze.control.settings({ institutionBic: DEMO_BIC });
}
