import { readFileSync } from 'node:fs';

/**
 * When a process began, in the kernel's ticks; undefined where it is gone or a zombie. Together with the pid it names one process for ever:
 * a pid alone is somebody else's within minutes where many processes come and go. Linux only.
 */
export function birthOf(pid: number): string | undefined {
  try {
    // The second field is the name in brackets and may have blanks; the 22nd is starttime (proc_pid_stat(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
