import { readFileSync } from 'node:fs';

const POLL_MS = 500;

/**
 * Calls back when the npm that ran this process is gone. A terminal's Ctrl-C reaches everybody, but `kill` of npm ends npm
 * and perhaps its shell, and nobody would end the sandbox. Started without npm it stands on its own feet.
 */
export function whenNpmEnds(callback: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const shellOf = npmAbove(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (shellOf === undefined || parentOf(parent) === shellOf)) return;
    clearInterval(timer);
    callback();
  }, POLL_MS);
  timer.unref();
}

/** npm's process where `pid` is the shell between it and us. Some shells step aside; elsewhere than on Linux it is unknown. */
function npmAbove(pid: number): number | undefined {
  const above = parentOf(pid);
  const command = above === undefined ? '' : read(`/proc/${above}/cmdline`);
  return /\bnpm\b/.test(command) ? above : undefined;
}

function parentOf(pid: number): number | undefined {
  // The name in parentheses may hold anything; state and parent come after the last of them.
  const parent = /^ \S (\d+)/.exec(read(`/proc/${pid}/stat`).split(')').at(-1) ?? '')?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
