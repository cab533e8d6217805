import { timingSafeEqual } from 'node:crypto';

/** Whether two digests or marks are the same, in a time that tells nothing of where they differ. */
export function sameBytes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
