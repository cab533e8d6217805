/** Card payments, one call each, as many calls in flight as the gateway has; nothing is kept. */
import { randomUUID } from 'node:crypto';
import { operationBody } from '../rig/operation';
import { Calls, DELIVERIES_IN_FLIGHT, inParallel } from './calls';
import { serve, settings } from './serve';

const { bankUrl, amlyzeUrl } = settings();
const calls = new Calls(bankUrl, amlyzeUrl);

serve(async ({ accounts: count }) => {
  const payloads = Array.from({ length: count }, () => {
    const communicationNumber = `direct-${randomUUID()}`;
    return JSON.stringify({
      communicationNumber,
      requester: 'open-banking-gateway',
      ...operationBody(communicationNumber),
      amount: 1499,
    });
  });
  return async () => {
    await inParallel(payloads, DELIVERIES_IN_FLIGHT, (payload) => calls.operation(payload));
    return count;
  };
});
