import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as (how?: { type: 'minor' }) => void;

/**
 * What this process holds on to, in MB of 1,000,000 bytes: heap and buffers that are still reachable. The size of
 * the process would tell of garbage too, and so of the tests that ran in it before and of how busy the machine is.
 */
export function liveMegabytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1_000_000;
}

/** The heap in the same unit, where only what died young is collected: what lived on until then is in it, dead or not. */
export function agedMegabytes(): number {
  collectGarbage({ type: 'minor' });
  return process.memoryUsage().heapUsed / 1_000_000;
}
