/** The calls alone, nothing kept: what two HTTP peers and one process allow on this machine. */
import { randomUUID } from 'node:crypto';
import { accountNumber, accountName } from '../rig/accounts';
import { BATCH_SIZE, Calls, inParallel, payloadOf, READS_IN_FLIGHT } from './calls';
import { serve, settings } from './serve';

const { bankUrl, amlyzeUrl } = settings();
const calls = new Calls(bankUrl, amlyzeUrl);

serve(async ({ accounts }) => async () => {
  for (let first = 1; first <= accounts; first += BATCH_SIZE) {
    const batch = Array.from({ length: Math.min(BATCH_SIZE, accounts - first + 1) }, (_, n) => first + n);
    const payloads = await inParallel(batch, READS_IN_FLIGHT, async (index) => {
      const { value, fetchedAt } = await calls.balance(accountNumber(index), randomUUID());
      return payloadOf({
        communicationNumber: `ceiling-${randomUUID()}`,
        accountExtId: accountName(index),
        balanceAt: fetchedAt,
        value,
      });
    });
    await calls.batch(payloads);
  }
  return accounts;
});
