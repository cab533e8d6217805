import { bounded, drained, everyAttemptLogged, isolated, lawfulReads } from './calls';
import type { Evidence, Finding, Invariant } from './evidence';
import { noDoubles, noLoss, sameBytes, sameDigits, truthfulLog } from './records';

const INVARIANTS: readonly Invariant[] = [
  noLoss,
  noDoubles,
  truthfulLog,
  sameBytes,
  sameDigits,
  lawfulReads,
  bounded,
  everyAttemptLogged,
  isolated,
  drained,
];

/** Judges the evidence by every invariant. */
export function check(evidence: Evidence): Finding[] {
  return INVARIANTS.map((invariant) => invariant(evidence));
}

export function isSound(findings: readonly Finding[]): boolean {
  return findings.every(({ violations }) => violations.length === 0);
}

/** `I1 240, I2 61 …`: how many facts each looked at; those without any are left out. */
export function describe(findings: readonly Finding[]): string {
  const judged = findings.filter(({ checked }) => checked > 0);
  return judged.map(({ invariant, checked }) => `${invariant} ${checked}`).join(', ');
}

/** What is broken, with a few examples of each. */
export function violationsOf(findings: readonly Finding[], examples = 5): string[] {
  return findings.flatMap(({ invariant, violations }) => {
    const more = violations.length > examples ? [`${invariant}: and ${violations.length - examples} more`] : [];
    return [...violations.slice(0, examples).map((text) => `${invariant}: ${text}`), ...more];
  });
}
