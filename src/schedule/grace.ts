/** What is under way gets this long at shutdown; the whole exit stays within ten seconds. */
export const GRACE_MS = 7_000;
