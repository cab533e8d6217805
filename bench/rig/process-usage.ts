import { readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second for everybody (USER_HZ). */
const TICK_US = 10_000;

/** CPU time of a process so far, user and system, in microseconds. Linux only. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in brackets and may have blanks; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Most memory that a process ever held, in MB. */
export function peakRssMb(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no VmHWM`);
  return Number(kilobytes) / 1024;
}
