/** Places where a fault test may end the process. */
export const FAIL_POINTS = ['after-claim', 'after-response', 'before-settle'] as const;
export type FailPoint = (typeof FAIL_POINTS)[number];

let armed: ReadonlySet<string> = new Set();

/** Arms fail points by name; called once at start with what the environment names (nothing, outside fault tests). */
export function armFailPoints(names: readonly FailPoint[]): void {
  armed = new Set(names);
}

/** Ends the process as a crash would, when a fault test armed this point; does nothing otherwise. */
export function failPoint(name: FailPoint): void {
  if (armed.size > 0 && armed.has(name)) process.kill(process.pid, 'SIGKILL');
}
