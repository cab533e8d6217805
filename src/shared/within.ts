/** What `within` gives back when the time ran out first. */
export const LATE = Symbol('late');

/** Waits for work, but no longer than `ms`; the work itself goes on. The timer never outlives the wait. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
